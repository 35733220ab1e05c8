"""The admin's page of one order: corrections, what lies over the source's values, and the history."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog import admin_history, rules
from catalog.corrections import correct, correct_fields, retire
from catalog.models import Correction, Order, OrderVersion, ValueRule
from tests.admin_side import client_of, fields_of, get, post, said, text_of
from tests.factories import make_change, make_conflict, make_order, make_run, make_user, make_version

pytestmark = pytest.mark.django_db

PAGE = "/admin/catalog/order/services/5/change/"
WHY = {"reason": "seen on the invoice"}


@pytest.fixture
def steward() -> Client:
    return client_of("steward")


def order() -> Order:
    return Order.objects.get(order_id=5)


def shown(client: Client) -> dict[str, Any]:
    """The form of the page as it comes."""
    return fields_of(get(client, PAGE), "seen")


def history(page: str) -> list[str]:
    """The lines of the history, the newest first."""
    table = page[page.index('<table class="history">') :]
    return [text_of(row).strip() for row in re.findall(r"<tr>\s*<td.*?</tr>", table, re.DOTALL)]


def test_values_are_put_right_with_a_reason_and_the_source_stays_beside_them(steward: Client) -> None:
    make_order(5)

    page = post(steward, PAGE, shown(steward) | WHY | {"website": "VVBE", "payment_date": ""})

    assert said(page) == "Corrected website and payment_date of order services/5."
    assert (order().website, order().payment_date) == ("VVBE", None)
    made = Correction.objects.get(field="website").made_by
    assert (made.kind, made.actor, made.reason) == ("correction", "steward", "seen on the invoice")
    assert OrderVersion.objects.count() == 1, "both in one change"
    assert "The source says VVNL" in text_of(page)
    assert "The source says 2018-01-01 05:09:00" in text_of(page)
    assert f"correction by steward, {made.at:%Y-%m-%d}" in text_of(page)


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        ("customer_id", " 77\t", 77),
        ("voucher_id", "", None),
        ("order_status", "NEW", "NEW"),
        ("order_date", "2018-2-3 04:05:06.000007", datetime(2018, 2, 3, 4, 5, 6, 7, tzinfo=UTC)),
        ("order_date", "2018-02-03T04:05:06+02:00", datetime(2018, 2, 3, 2, 5, 6, tzinfo=UTC)),
    ],
)
def test_each_kind_of_value_is_read_as_in_an_export(steward: Client, field: str, text: str, value: Any) -> None:
    make_order(5)
    post(steward, PAGE, shown(steward) | WHY | {field: text})
    assert getattr(order(), field) == value


def test_inputs_show_values_to_the_last_digit(steward: Client) -> None:
    make_order(5, order_date=datetime(2018, 1, 2, 3, 4, 5, 6, tzinfo=UTC), payment_id=None)
    fields = shown(steward)
    assert (fields["order_date"], fields["payment_id"]) == ("2018-01-02 03:04:05.000006Z", "")
    assert "Nothing differs" in said(post(steward, PAGE, fields | WHY))


def test_errors_stand_beside_their_fields_and_nothing_typed_is_lost(steward: Client) -> None:
    make_order(5)

    page = post(steward, PAGE, shown(steward) | {"customer_id": "1e5", "website": "", "voucher_status": "BACK"})

    assert "'1e5' is not a whole number; only the digits 0 to 9 are allowed." in text_of(page)
    assert "website is required and missing." in text_of(page)
    assert "Say why; the reason is kept for good." in text_of(page)
    fields = fields_of(page, "seen")
    assert (fields["customer_id"], fields["website"], fields["voucher_status"]) == ("1e5", "", "BACK")
    assert not Correction.objects.exists()


def test_no_reason_no_correction(steward: Client) -> None:
    make_order(5)
    page = post(steward, PAGE, shown(steward) | {"website": "VVBE", "reason": " \n "})
    assert said(page) == "Reason: Say why; the reason is kept for good."
    assert "<title>Error: services/5" in page
    assert page.index('class="errornote"') < page.index("In force since"), "before anything else"
    assert '<label for="id_reason" class="required">' in page
    assert not Correction.objects.exists()
    assert fields_of(page, "seen")["website"] == "VVBE"


def test_saving_what_is_unchanged_says_so(steward: Client) -> None:
    make_order(5)
    before = order().change_id
    page = post(steward, PAGE, shown(steward) | {"website": " VVNL "})
    assert said(page) == "Nothing differs from what order services/5 shows already; nothing was saved."
    assert order().change_id == before


def test_the_second_of_two_people_is_told_and_overwrites_nothing_unseen(steward: Client) -> None:
    make_order(5)
    fields = shown(steward)
    correct(order(), "website", "VVFR", actor="ben", reason="by phone")
    correct(order(), "order_status", "NEW", actor="ben", reason="by phone")

    page = post(steward, PAGE, fields | WHY | {"website": "VVBE", "customer_id": "77"})

    assert "Order services/5 was changed meanwhile by ben (correction by hand)" in said(page)
    assert "What has changed: website, order_status." in said(page)
    assert text_of(page).count("In force now") == 2, "above the form, and beside the value"
    assert "In force now: VVFR. It was: VVNL." in text_of(page)
    again = fields_of(page, "seen")
    assert (again["website"], again["customer_id"], again["reason"]) == ("VVBE", "77", "seen on the invoice")
    assert again["order_status"] == "NEW", "not touched, so it is what is in force"
    assert (order().website, order().customer_id) == ("VVFR", 1005)
    assert "Corrected customer_id and website" in said(post(steward, PAGE, again))
    assert (order().website, order().order_status, order().customer_id) == ("VVBE", "NEW", 77)


def test_somebody_is_quicker_by_a_moment(steward: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between reading the order and writing it, somebody else corrects it."""
    make_order(5)

    def late(seen: Order, *arguments: Any, **options: Any) -> Any:
        correct(order(), "website", "VVFR", actor="ben", reason="by phone")
        return correct_fields(seen, *arguments, **options)

    monkeypatch.setattr("catalog.admin_orders.correct_fields", late)
    page = post(steward, PAGE, shown(steward) | WHY | {"website": "VVBE"})

    assert "changed meanwhile by ben" in said(page)
    assert fields_of(page, "seen")["website"] == "VVBE"
    assert order().website == "VVFR"


def test_what_the_source_says_is_taken_by_ending_the_correction(steward: Client) -> None:
    conflict = make_conflict(make_order(5), "website", "VVBE", "VVFR")

    page = post(steward, PAGE, shown(steward) | WHY | {"website": "VVFR"})

    assert "The source itself says that of website. Retire the correction there" in said(page)
    assert fields_of(page, "seen")["website"] == "VVFR"
    assert Correction.objects.get(ended_by=None) == conflict


def test_an_order_that_is_gone_is_told(steward: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    make_order(5)

    def late(seen: Order, *arguments: Any, **options: Any) -> Any:
        Order.objects.all().delete()
        return correct_fields(seen, *arguments, **options)

    monkeypatch.setattr("catalog.admin_orders.correct_fields", late)
    assert "There is no order 'services/5'." in said(post(steward, PAGE, shown(steward) | WHY | {"website": "VVBE"}))


@pytest.mark.parametrize("seen", ["", "x", "-1", "9" * 40, "0"])
def test_a_tampered_state_is_refused_in_words(steward: Client, seen: str) -> None:
    make_order(5)
    page = post(steward, PAGE, shown(steward) | WHY | {"seen": seen, "website": "VVBE"})
    assert "does not say which state of the order it is about" in said(page)
    assert fields_of(page, "seen")["website"] == "VVBE"
    assert not Correction.objects.exists()


@pytest.mark.parametrize("field", ["order_id", "source", "removed", "<script>"])
def test_what_is_no_correctable_column_is_refused_in_words(steward: Client, field: str) -> None:
    make_order(5)
    page = post(steward, PAGE, shown(steward) | WHY | {field: "6", "website": "VVBE"})
    assert f"'{field}' is not a column that can be corrected." in said(page)
    assert "<script>'" not in page
    assert not Correction.objects.exists()


def test_nul_and_huge_values_are_refused_in_words(steward: Client) -> None:
    make_order(5)
    page = post(steward, PAGE, shown(steward) | WHY | {"website": "a\0b", "customer_id": "9" * 5000})
    assert "Null characters are not allowed." in text_of(page)
    assert "is not between 1 and 999999999999." in text_of(page)
    assert not Correction.objects.exists()


def test_viewers_look_and_correct_nothing() -> None:
    viewer = client_of("viewer")
    make_order(5)
    correct(order(), "website", "VVBE", actor="ana", reason="seen on <b>paper</b>\r\ntwice")
    page = get(viewer, PAGE)
    assert "Save corrections" not in page
    assert "<input" not in page[page.index('id="content-main"') :].replace('<input type="hidden" name="csrf', "")
    assert "seen on &lt;b&gt;paper&lt;/b&gt; twice" in page
    assert "Retire…" not in page
    assert viewer.post(PAGE, {"website": "X", "seen": str(order().change_id), **WHY}).status_code == 403
    assert order().website == "VVBE"


def test_staff_without_the_right_to_look_see_nothing(client: Client) -> None:
    make_order(5)
    client.force_login(make_user(staff=True, permissions=("view_run",)))
    assert client.get(PAGE).status_code == 403


def test_a_removed_order_can_be_put_right_too(steward: Client) -> None:
    make_order(5, removed=True)
    assert "Removed: a later full snapshot no longer had the order" in text_of(get(steward, PAGE))
    post(steward, PAGE, shown(steward) | WHY | {"website": "VVBE"})
    assert (order().website, order().removed) == ("VVBE", True)


def test_the_page_says_which_rule_lies_over_a_value(steward: Client) -> None:
    make_order(5, voucher_status="EXPRIED")
    rule = ValueRule.objects.get()
    rules.switch_on(rule, actor="ana")
    text = text_of(get(steward, PAGE))
    assert "The source says EXPRIED" in text
    assert f"value rule, {order().change.at:%Y-%m-%d}" in text
    assert f"{rule}: {rule.reason}" in text


def test_the_corrections_in_force_lead_to_their_ends_and_decisions(steward: Client) -> None:
    make_order(5)
    plain = correct(order(), "order_status", "NEW", actor="ana", reason="so")
    conflict = make_conflict(order(), "website", "VVBE", "VVFR")
    ended = correct(order(), "customer_id", 7, actor="ana", reason="so")
    retire(Correction.objects.filter(pk=ended.pk), actor="ana", reason="no")
    page = get(steward, PAGE)
    assert f'href="/admin/catalog/correction/{plain.pk}/change/">Retire…' in page
    assert f'href="/admin/catalog/conflict/{conflict.pk}/change/">Decide…' in page
    assert f"/correction/{ended.pk}/change/" not in page


def test_the_page_of_an_order_shows_where_it_comes_from(steward: Client) -> None:
    run = make_run()
    made = make_order(5, change=run.change, payment_id=None)
    page = get(steward, PAGE)
    assert f'<a href="/admin/ingestion/run/{run.pk}/change/">run {run.pk}</a>, line 6 of its file, by nightly' in page
    assert 'href="/api/v1/orders/services/5/"' in page
    assert str(made.key) not in page
    assert [line.endswith("the order as it first came") for line in history(page)] == [True]


def test_the_history_says_what_each_change_set_and_until_when(steward: Client) -> None:
    first, second, third = (make_run().change or make_change() for _ in range(3))
    made = make_order(5, change=third, order_status="PAID", website="VVBE")
    make_version(made, change=first, ended_by=second, order_status="NEW", voucher_id=None, website="VVNL")
    make_version(made, change=second, ended_by=third, order_status="OPEN", voucher_id=None)

    page = get(steward, PAGE)
    newest, middle, oldest = history(page)

    assert "order_status: OPEN → PAID" in newest
    assert "voucher_id: - → 3000005" in newest
    assert " now " in newest
    assert "order_status: NEW → OPEN" in middle
    assert "website" not in middle
    assert middle.count(f"{third.at:%Y-%m-%d %H:%M:%S.%f}") == 1, "the end of the state is said once"
    assert f"run {first.run.pk}, nightly" in oldest
    assert "the order as it first came" in oldest


def test_the_history_tells_corrections_conflicts_and_ends(steward: Client) -> None:
    make_order(5)
    conflict = make_conflict(order(), "website", "VVBE", "VVFR")
    retire(Correction.objects.filter(pk=conflict.pk), actor="ben", reason="the source is right")
    ended, brought, corrected, first = history(get(steward, PAGE))
    assert "website: VVBE → VVFR" in ended
    assert "correction of website retired by a person" in ended
    assert "correction by hand, ben" in ended
    assert "the source is right" in ended
    assert "website: VVBE, as before; the source says VVFR, no longer VVNL" in brought
    assert "correction of website: the source has a third value" in brought
    assert "website: VVNL → VVBE" in corrected
    assert f"until {order().change.at:%Y-%m-%d %H:%M:%S.%f}".rstrip("0") in corrected, "longer than the state"
    assert "the order as it first came" in first


def test_a_value_in_the_history_that_outlives_its_state_says_until_when(steward: Client) -> None:
    make_order(5)
    for field, value in (("website", "VVBE"), ("order_status", "NEW"), ("website", "VVFR")):
        correct(order(), field, value, actor="ana", reason="so")
    lines = history(get(steward, PAGE))
    assert ["until" in line for line in lines] == [False, False, True, False]


def test_only_the_newest_of_a_long_history_is_shown(steward: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    make_order(5)
    for number in range(1, 6):
        correct(order(), "customer_id", number, actor="ana", reason="so")
    assert len(history(get(steward, PAGE))) == 6
    for limit in (3, 5):
        monkeypatch.setattr("catalog.admin_orders.SHOWN", limit)
        page = get(steward, PAGE)
        assert [re.search(r"→ (\d)", line)[1] for line in history(page)] == list("54321"[:limit])  # type: ignore[index]
        assert "Older changes are not shown here" in page
    assert admin_history.SHOWN == 100


def test_the_page_takes_as_many_queries_however_long_the_history(steward: Client) -> None:
    made = make_order(5)
    taken: list[int] = []
    for _ in range(2):
        for _ in range(3):
            make_version(made, change=make_run().change or make_change(), ended_by=make_change())
            correct(order(), "website", f"V{len(taken)}{Correction.objects.count()}", actor="ana", reason="so")
            make_conflict(order(), "order_status", f"S{Correction.objects.count()}", "X")
        with CaptureQueriesContext(connection) as queries:
            get(steward, PAGE)
        taken.append(len(queries))
    assert taken[0] == taken[1]
    assert taken[0] <= 14
