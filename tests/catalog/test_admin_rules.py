"""The admin's pages of value rules, as staff see them."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog import rules
from catalog.corrections import correct
from catalog.models import Change, Order, ValueRule
from catalog.read_only import BoundedPaginator
from tests.factories import make_order, make_orders, make_user

pytestmark = pytest.mark.django_db

RULES = "/admin/catalog/valuerule/"
GIVEN = {"field": "voucher_status", "old": "EXPRIED", "new": "EXPIRED", "reason": "a typing error"}


def client_of(group: str) -> Client:
    user = make_user(group, staff=True)
    user.groups.set([Group.objects.get(name=group)])
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def steward() -> Client:
    return client_of("steward")


@pytest.fixture
def rule() -> ValueRule:
    """The rule of an empty catalogue; the one that ships is put away."""
    ValueRule.objects.all().delete()
    return ValueRule.objects.create(**GIVEN)


def page(client: Client, path: str, **query: Any) -> str:
    """The text of a page that must be there."""
    response = client.get(path, query)
    assert response.status_code == 200, (path, response.status_code)
    return response.content.decode()


def post(client: Client, path: str, **data: str) -> str:
    """The text of the page that an action leads to."""
    response = client.post(path, data, follow=True)
    assert response.status_code == 200, (path, response.status_code)
    return response.content.decode()


def said(text: str) -> list[str]:
    """The messages on a page."""
    return [message.strip() for message in re.findall(r'<li class="(?:success|error|warning)">([^<]*)</li>', text)]


def of(rule: ValueRule, name: str = "change") -> str:
    return f"{RULES}{rule.pk}/{name}/"


def test_a_rule_is_written_down_previewed_and_switched(steward: Client) -> None:
    ValueRule.objects.all().delete()
    for number, status in ((1, "EXPRIED"), (2, "EXPRIED"), (3, "USED")):
        make_order(number, voucher_status=status)

    added = post(steward, f"{RULES}add/", **GIVEN)

    assert said(added) == ["The rule is written down. It is off: see below what it changes, then switch it on."]
    assert "<strong>2 orders</strong>" in added
    assert re.findall(r"/admin/catalog/order/services/(\d)/change/", added) == ["2", "1"]
    assert added.count("<td><code>EXPRIED</code></td><td><code>EXPIRED</code></td>") == 2
    assert set(Order.objects.values_list("voucher_status", flat=True)) == {"EXPRIED", "USED"}
    rule = ValueRule.objects.get()

    on = post(steward, of(rule, "on"))

    assert said(on) == ["The rule is on: 2 orders changed."]
    assert "It holds for <strong>2 orders</strong>" in on
    assert set(Order.objects.values_list("voucher_status", flat=True)) == {"EXPIRED", "USED"}

    off = post(steward, of(rule, "off"), reason="the shop says so")

    assert said(off) == ["The rule is off: 2 orders changed."]
    assert list(Order.objects.order_by("key").values_list("voucher_status", flat=True)) == [
        "EXPRIED",
        "EXPRIED",
        "USED",
    ]
    assert re.findall(r"<td>(steward)</td><td>([^<]*)</td>", off) == [
        ("steward", "off: voucher_status EXPRIED means EXPIRED: the shop says so"),
        ("steward", "voucher_status EXPRIED means EXPIRED: a typing error"),
    ]


def test_the_list_tells_who_switched_what(steward: Client, rule: ValueRule) -> None:
    ValueRule.objects.create(field="website", old="VVNL", new="VVBE", reason="moved")
    empty = ValueRule.objects.create(field="payment_status", old="NONE", new="", reason="means nothing")
    rules.switch_on(rule, actor="ana")
    rules.switch_on(empty, actor="ana")
    rules.switch_off(empty, actor="bo", reason="tried out")

    text = page(steward, RULES)

    rows = re.findall(r"<tr>(<th.*?)</tr>", text, re.DOTALL)
    told = [[re.sub("<[^>]+>", "", cell) for cell in re.findall(r"<t[hd].*?</t[hd]>", row)] for row in rows[-3:]]
    by_column = {row[0]: [*row[1:5], row[5].split(",")[0]] for row in told}
    assert by_column == {
        "payment_status": ["NONE", "(missing)", "means nothing", "off", "bo"],
        "voucher_status": ["EXPRIED", "EXPIRED", "a typing error", "on", "ana"],
        "website": ["VVNL", "VVBE", "moved", "off", "-"],
    }
    columns = r'field-column"><a[^>]*>(\w+)<'
    assert re.findall(columns, page(steward, RULES, active="1")) == ["voucher_status"]
    assert set(re.findall(columns, page(steward, RULES, active="0"))) == {"payment_status", "website"}
    assert re.findall(columns, page(steward, RULES, field__exact="website")) == ["website"]


def test_the_list_takes_as_many_queries_for_any_number_of_rules(steward: Client, rule: ValueRule) -> None:
    taken = []
    for values in ("AB", "CDEF"):
        for old in values:
            rules.switch_on(ValueRule.objects.create(**GIVEN | {"old": old}), actor="ana")
        with CaptureQueriesContext(connection) as queries:
            page(steward, RULES)
        taken.append(len(queries))
    assert taken[0] == taken[1]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"old": "a b"}, "has characters other than letters, digits, underscore and hyphen."),
        ({"old": ""}, "This field is required."),
        ({"new": "EXPRIED"}, "Both values are the same."),
        ({"field": "website", "new": ""}, "website is required and missing."),
        ({"field": "order_date"}, "is not a timestamp"),
        (
            {"field": "order_date", "old": "2018-1-01 10:00:00", "new": "2018-01-01T10:00:00Z"},
            "Both values are the same.",
        ),
        ({"field": "customer_id"}, "customer_id is not one of the available choices"),
        ({"reason": " "}, "This field is required."),
        ({"reason": "x" * 2001}, "at most 2000 characters (it has 2001)"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(steward: Client, given: dict[str, str], sentence: str) -> None:
    before = ValueRule.objects.count()

    text = post(steward, f"{RULES}add/", **GIVEN | given)

    assert sentence in " ".join(re.findall(r'<ul class="errorlist".*?</ul>', text, re.DOTALL))
    assert ValueRule.objects.count() == before


def test_moments_are_kept_in_one_way(steward: Client, rule: ValueRule) -> None:
    """Or two rules could be on for one value."""
    make_order(1)
    given = {"field": "order_date", "old": "2018-1-1 01:00:00", "new": "2018-01-02 01:00:00.5", "reason": "so"}

    text = post(steward, f"{RULES}add/", **given)

    made = ValueRule.objects.get(field="order_date")
    assert (made.old, made.new) == ("2018-01-01 01:00:00Z", "2018-01-02 01:00:00.500000Z")
    assert "<strong>1 order</strong>" in text


def test_a_rule_that_was_never_on_can_be_changed(steward: Client, rule: ValueRule) -> None:
    text = post(steward, of(rule), **GIVEN | {"new": "USED"})

    assert said(text) == ["The rule is changed. It is off: see below what it changes, then switch it on."]
    assert ValueRule.objects.get().new == "USED"


@pytest.mark.parametrize("off_again", [False, True])
def test_a_rule_that_was_ever_on_stays_as_it_is(steward: Client, rule: ValueRule, off_again: bool) -> None:
    post(steward, of(rule, "on"))
    if off_again:
        post(steward, of(rule, "off"), reason="tried out")

    assert 'name="new"' not in page(steward, of(rule))
    text = post(steward, of(rule), **GIVEN | {"new": "USED"})

    assert said(text) == ["The rule has been on, so it stays as it is. Make a new rule instead."]
    assert ValueRule.objects.get().new == "EXPIRED"


def test_who_comes_second_is_told(steward: Client, rule: ValueRule) -> None:
    make_order(1, voucher_status="EXPRIED")
    rules.switch_on(rule, actor="bo")
    changes = Change.objects.count()

    assert said(post(steward, of(rule, "on"))) == ["The rule is on already, switched by bo."]
    rules.switch_off(rule, actor="bo", reason="tried out")
    assert said(post(steward, of(rule, "off"), reason="me too")) == ["The rule is off already, switched by bo."]
    assert Change.objects.count() == changes + 1


def test_two_rules_for_one_value_cannot_both_be_on(steward: Client, rule: ValueRule) -> None:
    twin = ValueRule.objects.create(**GIVEN | {"new": "USED"})
    rules.switch_on(rule, actor="bo")

    assert said(post(steward, of(twin, "on"))) == [f"Rule {rule.pk} says already what voucher_status EXPRIED means."]
    twin.refresh_from_db()
    assert not twin.active


@pytest.mark.parametrize("reason", ["", "  ", "x" * 2001])
def test_switching_off_needs_a_reason(steward: Client, rule: ValueRule, reason: str) -> None:
    rules.switch_on(rule, actor="bo")

    [sentence] = said(post(steward, of(rule, "off"), reason=reason))

    assert "Say why" in sentence or "2000" in sentence
    rule.refresh_from_db()
    assert rule.active


def test_corrected_orders_are_none_of_the_rules_business(steward: Client, rule: ValueRule) -> None:
    orders = [make_order(number, voucher_status="EXPRIED") for number in (1, 2)]
    correct(orders[0], "voucher_status", "USED", actor="ana", reason="seen")

    assert "<strong>1 order</strong>" in page(steward, of(rule))
    assert said(post(steward, of(rule, "on"))) == ["The rule is on: 1 order changed."]
    assert "It holds for <strong>1 order</strong>" in page(steward, of(rule))


def test_what_does_not_show_is_written_as_an_escape(rule: ValueRule, admin_client: Client) -> None:
    ValueRule.objects.update(reason="\u202edesrever\x1b[31m")
    for active in (False, True):
        if active:
            rule.refresh_from_db()
            rules.switch_on(rule, actor="an\u202ea")
        viewer = client_of("viewer") if not active else admin_client
        paths = [RULES, of(rule)]
        if active:
            paths += ["/admin/catalog/change/", f"/admin/catalog/change/{Change.objects.get().pk}/change/"]
        for path in paths:
            text = page(viewer, path)
            assert "\\u202edesrever\\x1b[31m" in text, path
            assert "\u202e" not in text, path
            assert "\x1b" not in text, path


def test_a_twin_has_no_part_in_the_past_of_a_rule(steward: Client, rule: ValueRule) -> None:
    post(steward, of(rule, "on"))
    post(steward, of(rule, "off"), reason="tried out")
    twin = ValueRule.objects.create(**GIVEN)

    assert "When it was switched" not in page(steward, of(twin))
    assert said(post(steward, of(twin), **GIVEN | {"new": "USED"})) == [
        "The rule is changed. It is off: see below what it changes, then switch it on."
    ]
    cells = re.findall(r'field-switched">([^<]*)<', page(steward, RULES))
    assert sorted(cell.split(",")[0] for cell in cells) == ["-", "steward"]


@pytest.mark.parametrize(("count", "told"), [(60, "60 orders"), (61, "more than 60 orders")])
def test_the_preview_never_counts_without_a_bound(
    steward: Client, rule: ValueRule, monkeypatch: pytest.MonkeyPatch, count: int, told: str
) -> None:
    monkeypatch.setattr(BoundedPaginator, "LIMIT", 60)
    make_orders(count, voucher_status="EXPRIED")
    with CaptureQueriesContext(connection) as queries:
        assert f"<strong>{told}</strong>" in page(steward, of(rule))
    counts = [q["sql"] for q in queries if "COUNT(" in q["sql"] and "catalog_order" in q["sql"]]
    assert counts
    assert all("LIMIT 61" in sql for sql in counts), counts
    assert said(post(steward, of(rule, "on"))) == [f"The rule is on: {count} orders changed."]


def test_what_people_write_is_escaped(steward: Client, rule: ValueRule) -> None:
    evil = "<script>alert(1)</script>"
    ValueRule.objects.update(reason=evil)
    post(steward, of(rule, "on"))
    for path in (RULES, of(rule)):
        assert evil not in page(steward, path)


def test_switching_is_by_post_with_a_token_and_the_permission(rule: ValueRule) -> None:
    viewer, steward = client_of("viewer"), client_of("steward")
    assert "Switch on" in page(steward, of(rule))
    assert "Switch on" not in page(viewer, of(rule))
    assert 'name="new"' not in page(viewer, of(rule))
    for name in ("on", "off"):
        assert viewer.post(of(rule, name), {"reason": "so"}).status_code == 403
        assert steward.get(of(rule, name)).status_code == 405
        assert "/admin/login/" in Client().post(of(rule, name))["Location"]
        assert steward.post(f"{RULES}999/{name}/", {"reason": "so"}).status_code == 404
    assert viewer.get(f"{RULES}add/").status_code == 403
    assert viewer.post(of(rule), GIVEN | {"new": "USED"}).status_code == 403
    assert steward.post(f"{RULES}{rule.pk}/delete/", {"post": "yes"}).status_code == 403
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = steward.cookies
    assert strict.post(of(rule, "on")).status_code == 403
    assert not Change.objects.exists()
    assert (ValueRule.objects.get().new, ValueRule.objects.get().active) == ("EXPIRED", False)
