"""The admin's pages of conflicts and corrections: deciding one by one and many at once."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog.corrections import correct, keep, retire
from catalog.forms import DecideForm
from catalog.models import Change, Correction, CorrectionEvent, Order
from tests.admin_side import Fields, client_of, fields_of, get, post, said, text_of
from tests.factories import make_conflict, make_order, make_orders, make_third_value, make_user

pytestmark = pytest.mark.django_db

CONFLICTS = "/admin/catalog/conflict/"
CORRECTIONS = "/admin/catalog/correction/"
WHY = {"reason": "asked the shop"}


@pytest.fixture
def steward() -> Client:
    return client_of("steward")


def conflict(number: int = 1, field: str = "website", value: Any = "VVBE", source: Any = "VVFR") -> Correction:
    order = Order.objects.filter(order_id=number).first() or make_order(number)
    return make_conflict(order, field, value, source)


def order(number: int = 1) -> Order:
    return Order.objects.get(order_id=number)


def open_conflicts() -> list[int]:
    return list(Correction.objects.all().in_conflict().order_by("id").values_list("order__order_id", flat=True))


def one(correction: Correction) -> str:
    return f"{CONFLICTS}{correction.pk}/change/"


def decide(client: Client, path: str, **fields: str) -> str:
    """Choose, say why and press the button."""
    return post(client, path, fields_of(get(client, path), "seen") | WHY | fields)


def chosen(action: str, *corrections: Correction, everything: bool = False) -> Fields:
    """What the list sends when rows are ticked and an action is chosen."""
    keys = [correction.pk for correction in corrections]
    return {
        "action": f"{action}_selected",
        "index": "0",
        "select_across": str(int(everything)),
        "_selected_action": keys,
    }


def confirm(client: Client, page: str, path: str = CONFLICTS, **fields: str) -> str:
    return post(client, path, fields_of(page, "seen") | WHY | {"step": "confirm"} | fields)


def test_the_queue_tells_all_that_a_decision_needs_the_oldest_first(steward: Client) -> None:
    later, first = (correct(make_order(n), "website", "VVBE", actor="ana", reason="seen") for n in (1, 2))
    make_third_value(first, "VVFR")
    make_third_value(later, "XX")
    correct(make_order(3), "website", "VVBE", actor="ana", reason="so")

    page = get(steward, CONFLICTS)

    rows = [text_of(row).strip() for row in re.findall(r"<tr><td.*?</tr>", page, re.DOTALL)]
    assert [re.match(r"services/\d", row)[0] for row in rows] == ["services/2", "services/1"]  # type: ignore[index]
    first.refresh_from_db()
    assert first.conflict_by
    run = first.conflict_by.run
    assert f"website: decide… VVNL VVBE VVFR run {run.pk} {first.conflict_by.at:%Y-%m-%d %H:%M} ana," in rows[0]
    assert f'href="/admin/ingestion/run/{run.pk}/change/"' in page
    assert 'href="/admin/catalog/order/services/2/change/"' in page
    assert "2 conflicts" in page


def test_the_queue_can_be_filtered_and_searched(steward: Client) -> None:
    conflict(1)
    second = conflict(2, "customer_id", 7, 8)
    assert second.conflict_by
    for query in (
        {"field": "customer_id"},
        {"run": str(second.conflict_by.run.pk)},
        {"q": "services/2"},
    ):
        found = re.findall(r">(services/\d)</a>", get(steward, CONFLICTS, **query))
        assert found == ["services/2"], query
    for nothing in ({"field": "x"}, {"run": "x"}, {"run": "9" * 30}, {"q": "services/x"}, {"q": "2"}):
        assert "0 conflicts" in get(steward, CONFLICTS, **nothing), nothing


def test_keep(steward: Client) -> None:
    kept = conflict()
    page = decide(steward, one(kept), decision="keep")
    assert said(page) == "Kept the correction of website of order services/1."
    kept.refresh_from_db()
    assert (kept.ended_by, kept.conflict_by, kept.base) == (None, None, "VVFR")
    assert (order().website, order().source_values) == ("VVBE", {"website": "VVFR"})
    event = CorrectionEvent.objects.get(kind="kept")
    assert (event.change.actor, event.change.reason) == ("steward", "asked the shop")
    assert "0 conflicts" in page


def test_take_the_source(steward: Client) -> None:
    ended = conflict()
    page = decide(steward, one(ended), decision="take_source")
    assert said(page) == "Took the source's value instead of the correction of website of order services/1."
    ended.refresh_from_db()
    assert ended.ending == "retired"
    assert (order().website, order().source_values) == ("VVFR", {})


def test_write_a_third_value(steward: Client) -> None:
    replaced = conflict()
    page = decide(steward, one(replaced), decision="write", value=" XXNL")
    assert said(page) == "Wrote another value instead of the correction of website of order services/1."
    replaced.refresh_from_db()
    assert replaced.ending == "replaced"
    new = Correction.objects.in_force().get()
    assert (new.value, new.base, new.conflict_by, new.made_by.actor) == ("XXNL", "VVFR", None, "steward")
    assert (order().website, order().source_values) == ("XXNL", {"website": "VVFR"})


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({}, "Choose one of these."),
        ({"decision": "drop"}, "Select a valid choice."),
        ({"decision": "retire"}, "Select a valid choice."),
        ({"decision": "keep", "reason": " "}, "Say why"),
        ({"decision": "write"}, "website is required and missing."),
        ({"decision": "write", "value": "a b"}, "'a b' has characters other than"),
        ({"decision": "write", "value": "VVBE"}, "That is what the correction says already; keep it instead."),
        ({"decision": "write", "value": "VVFR"}, "That is what the source says; choose “Take the source's value”."),
        ({"decision": "keep", "value": "XX"}, "A value was typed, but “Write another value” was not chosen."),
    ],
)
def test_what_is_no_decision_is_refused_in_words_and_nothing_is_lost(
    steward: Client, fields: dict[str, str], sentence: str
) -> None:
    waiting = conflict()
    page = decide(steward, one(waiting), **fields)
    assert sentence in text_of(page)
    again = fields_of(page, "seen")
    assert again["value"] == fields.get("value", "")
    assert again["reason"].strip() == (WHY | fields)["reason"].strip()
    assert open_conflicts() == [1]


def test_decided_meanwhile_by_somebody_else(steward: Client) -> None:
    waiting = conflict()
    typed = fields_of(get(steward, one(waiting)), "seen") | WHY
    keep(Correction.objects.filter(pk=waiting.pk), actor="ben", reason="so")

    page = post(steward, one(waiting), typed | {"decision": "take_source"})

    assert re.match(r"Nothing was done: meanwhile it says “kept by a person” \(ben, ", said(page))
    assert order().website == "VVBE"
    retire(Correction.objects.filter(pk=waiting.pk), actor="cleo", reason="so")
    page = post(steward, one(waiting), typed | {"decision": "keep"})
    assert re.match(r"Nothing was done: meanwhile the correction was retired by a person \(cleo, ", said(page))
    assert "Decide" not in page[page.index("What it is about") :]


def test_a_source_that_says_yet_another_thing_is_looked_at_again(steward: Client) -> None:
    waiting = conflict()
    typed = fields_of(get(steward, one(waiting)), "seen") | WHY
    make_third_value(waiting, "XXNL")
    page = post(steward, one(waiting), typed | {"decision": "take_source"})
    assert "meanwhile it says “the source has a third value” (nightly" in said(page)
    again = fields_of(page, "seen")
    assert again["reason"] == "asked the shop"
    assert order().website == "VVBE"
    post(steward, one(waiting), again | {"decision": "take_source"})
    assert order().website == "XXNL"


def test_somebody_is_quicker_by_a_moment(steward: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between reading the conflict and deciding it, somebody else does."""
    waiting = conflict()
    in_time = DecideForm.decide

    def late(*arguments: Any) -> Any:
        keep(Correction.objects.filter(pk=waiting.pk), actor="ben", reason="so")
        return in_time(*arguments)

    monkeypatch.setattr(DecideForm, "decide", late)
    page = decide(steward, one(waiting), decision="take_source")
    assert "meanwhile it says “kept by a person” (ben" in said(page)
    assert order().website == "VVBE"


@pytest.mark.parametrize("seen", ["", "x", "0"])
def test_a_tampered_state_is_refused_in_words(steward: Client, seen: str) -> None:
    waiting = conflict()
    assert "Nothing was done" in said(decide(steward, one(waiting), decision="take_source", seen=seen))
    assert open_conflicts() == [1]


@pytest.mark.parametrize("number", ["77", "x", "9" * 40, "-1"])
def test_what_names_no_conflict_leads_back_with_a_message(steward: Client, number: str) -> None:
    assert f"There is no conflict '{number}'." in said(get_followed(steward, f"{CONFLICTS}{number}/change/"))
    assert f"There is no correction '{number}'." in said(get_followed(steward, f"{CORRECTIONS}{number}/change/"))


def get_followed(client: Client, path: str) -> str:
    return client.get(path, follow=True).content.decode()


def test_many_are_kept_at_once(steward: Client) -> None:
    some = [conflict(n) for n in range(1, 4)]
    numbers = conflict(4, "customer_id", 7, 8)
    page = post(steward, CONFLICTS, chosen("keep", *some[:2], numbers))
    assert "Keep the corrections in 3 conflicts" in page
    assert "services/4 customer_id 1004 7 8 ana seen on the invoice" in text_of(page)
    assert open_conflicts() == [1, 2, 3, 4], "only a preview"
    assert said(confirm(steward, page)) == "Kept 3 corrections."
    assert open_conflicts() == [3]
    assert [c.base for c in Correction.objects.order_by("id")] == ["VVFR", "VVFR", "VVNL", 8]
    assert CorrectionEvent.objects.filter(kind="kept").values("change").distinct().count() == 1


def test_the_sources_values_are_taken_of_all_that_the_filter_finds(steward: Client) -> None:
    for number in range(1, 61):
        conflict(number)
    other = conflict(61, "customer_id", 7, 8)
    path = f"{CONFLICTS}?field=website"
    page = post(steward, path, chosen("take_source", other, everything=True))
    assert "Take the source's values in 60 conflicts" in text_of(page)
    assert "The first 10 of them" in page
    assert "Took the source's value instead of 60 corrections." in said(confirm(steward, page, path))
    assert open_conflicts() == [61]
    assert Order.objects.filter(website="VVFR", overlaid=0).count() == 60


@pytest.mark.parametrize(("action", "left"), [("keep", "VVBE"), ("take_source", "VVFR"), ("write", "XX")])
def test_what_one_run_has_brought_is_decided_at_once(steward: Client, action: str, left: str) -> None:
    other, some = conflict(1), conflict(2)
    assert some.conflict_by
    path = f"{CONFLICTS}?run={some.conflict_by.run.pk}"
    page = post(steward, path, chosen(action, other, everything=True))
    assert "in 1 conflict " in text_of(page)
    confirm(steward, page, path, value="XX")
    assert open_conflicts() == [1]
    assert order(2).website == left


def test_another_value_is_written_in_many_of_one_column(steward: Client) -> None:
    some = [conflict(n) for n in (1, 2, 3)]
    other = conflict(4, "customer_id", 7, 8)
    page = post(steward, CONFLICTS, chosen("write", *some, other))
    assert "One value cannot be written in several columns (customer_id, website); filter by column." in said(page)
    page = post(steward, CONFLICTS, chosen("write", *some[:2]))
    again = confirm(steward, page, value="a b", reason="")
    assert "'a b' has characters other than" in text_of(again)
    assert "Say why" in text_of(again)
    assert fields_of(again, "value")["value"] == "a b"
    assert said(confirm(steward, again, value="XXNL")) == "Wrote another value instead of 2 corrections."
    assert list(Order.objects.order_by("key").values_list("website", flat=True)) == ["XXNL", "XXNL", "VVBE", "VVNL"]
    assert open_conflicts() == [3, 4]


def test_what_is_decided_meanwhile_is_shown_before_the_rest_is(steward: Client) -> None:
    some = [conflict(n) for n in (1, 2)]
    page = post(steward, CONFLICTS, chosen("take_source", *some))
    keep(Correction.objects.filter(pk=some[0].pk), actor="ben", reason="so")
    again = confirm(steward, page)
    assert "The catalogue was changed meanwhile by ben (correction by hand)" in said(again)
    assert "Take the source's values in 1 conflict " in text_of(again)
    assert fields_of(again, "seen")["reason"] == "asked the shop"
    confirm(steward, again)
    assert [order(n).website for n in (1, 2)] == ["VVBE", "VVFR"]


@pytest.mark.parametrize("action", ["keep", "take_source", "write"])
def test_nothing_left_to_decide(steward: Client, action: str) -> None:
    waiting = conflict()
    fields = fields_of(post(steward, CONFLICTS, chosen(action, waiting)), "seen") | WHY | {"value": "XX"}
    retire(Correction.objects.in_force(), actor="ben", reason="so")
    before = Change.objects.count()
    for step in ("", "confirm"):
        page = post(steward, CONFLICTS, fields | {"step": step})
        assert said(page) == "None of these conflicts is left to decide; somebody was quicker."
    assert Change.objects.count() == before


@pytest.mark.parametrize("keys", [["x"], ["9" * 40], ["-1"]])
def test_rows_that_cannot_exist_are_told(steward: Client, keys: list[str]) -> None:
    conflict()
    page = post(steward, CONFLICTS, chosen("keep") | {"_selected_action": keys})
    assert "The request names rows that cannot exist" in said(page)


def test_viewers_decide_nothing() -> None:
    viewer = client_of("viewer")
    waiting = conflict()
    page = get(viewer, one(waiting))
    assert "VVFR" in page
    assert "<textarea" not in page
    assert "keep_selected" not in get(viewer, CONFLICTS)
    sent = {"decision": "take_source", "seen": str(waiting.conflict_by_id), **WHY}
    assert viewer.post(one(waiting), sent).status_code == 403
    viewer.post(CONFLICTS, chosen("take_source", waiting) | WHY | {"step": "confirm"})
    assert open_conflicts() == [1]


def test_others_do_not_see_them(client: Client) -> None:
    waiting = conflict()
    client.force_login(make_user("ben", staff=True, permissions=("view_order",)))
    for path in (CONFLICTS, CORRECTIONS, one(waiting)):
        assert client.get(path).status_code == 403
    index = get(client, "/admin/")
    assert CONFLICTS not in index
    assert CORRECTIONS not in index


@pytest.mark.parametrize("path", [CONFLICTS, CORRECTIONS])
def test_nothing_can_be_added_or_deleted_even_by_a_superuser(admin_client: Client, path: str) -> None:
    waiting = conflict()
    for page in ("add/", f"{waiting.pk}/delete/"):
        assert admin_client.post(path + page, {"post": "yes"}).status_code == 403
    assert path in get(admin_client, "/admin/")


def test_corrections_are_listed_newest_first_with_what_became_of_them(steward: Client) -> None:
    for n in (1, 2, 3):
        correct(make_order(n), "website", "VVBE", actor="ana" if n < 3 else "o'b & co", reason="so")
    conflict(4)
    retire(Correction.objects.filter(order__order_id=2), actor="ben", reason="no")

    def listed(**query: str) -> list[str]:
        return re.findall(r">services/(\d)</a>", get(steward, CORRECTIONS, **query))

    assert listed() == ["4", "3", "2", "1"]
    assert listed(state="in_force") == ["4", "3", "1"]
    assert listed(state="conflict") == ["4"]
    assert listed(state="ended") == ["2"]
    assert listed(state="retired") == ["2"]
    assert listed(state="caught_up") == []
    assert listed(state="nonsense") == []
    assert listed(field="website", by="o'b & co") == ["3"]
    assert 'href="?by=o%27b+%26+co">o&#x27;b &amp; co</a>' in get(steward, CORRECTIONS)
    assert "retired by a person ben," in text_of(get(steward, CORRECTIONS))


def test_a_correction_is_retired_on_its_page(steward: Client) -> None:
    made = correct(make_order(1), "website", "VVBE", actor="ana", reason="so")
    path = f"{CORRECTIONS}{made.pk}/change/"
    assert "Say why" in text_of(decide(steward, path, reason=""))
    page = decide(steward, path)
    assert said(page) == "Retired the correction of website of order services/1."
    assert '<table class="history">' in page, "back on the page of the order"
    assert (order().website, order().overlaid) == ("VVNL", 0)
    assert "<textarea" not in get(steward, path)
    refused = steward.post(path, WHY | {"decision": "retire", "seen": ""}).content.decode()
    assert "Nothing was done: meanwhile the correction was retired by a person" in said(refused)


def test_corrections_are_retired_many_at_once(steward: Client) -> None:
    made = [correct(o, "website", "VVBE", actor="ana", reason="so") for o in make_orders(3)]
    page = post(steward, CORRECTIONS, chosen("retire", *made[:2]))
    assert "Retire 2 corrections" in page
    assert "Say why" in text_of(confirm(steward, page, CORRECTIONS, reason=""))
    assert said(confirm(steward, page, CORRECTIONS)) == "Retired 2 corrections."
    assert [order(n).website for n in (1, 2, 3)] == ["VVNL", "VVNL", "VVBE"]


@pytest.mark.parametrize("path", [CONFLICTS, CORRECTIONS])
def test_the_lists_take_as_many_queries_for_one_as_for_many(steward: Client, path: str) -> None:
    taken = []
    for numbers in (range(1, 2), range(2, 20)):
        for number in numbers:
            conflict(number)
        with CaptureQueriesContext(connection) as queries:
            get(steward, path)
        taken.append(len(queries))
    assert taken[0] == taken[1]


def test_many_decisions_take_as_many_statements_as_one(steward: Client) -> None:
    taken = []
    for numbers in (range(1, 2), range(2, 20)):
        some = [conflict(number) for number in numbers]
        page = post(steward, CONFLICTS, chosen("keep", *some))
        fields = fields_of(page, "seen") | WHY | {"step": "confirm"}
        with CaptureQueriesContext(connection) as queries:
            steward.post(CONFLICTS, fields)
        taken.append(len(queries))
    assert taken[0] == taken[1]
    assert open_conflicts() == []
