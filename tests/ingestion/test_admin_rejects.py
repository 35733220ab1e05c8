"""Rejected rows in the admin: put right, dismissed, one and many, by those who may."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils.html import escape

from catalog.contract import NAMES
from catalog.corrections import correct
from catalog.models import Order
from catalog.read_only import BoundedPaginator
from ingestion import admin_rejects_many
from ingestion.models import RejectedRow, Run
from ingestion.repair import dismiss
from ingestion.undo import undo_run
from tests.factories import make_reject, make_run, make_user
from tests.loading import WriteFile, line, lines, row, rows
from tests.processes import load_lock
from tests.repairing import load, row_on, states

pytestmark = pytest.mark.django_db(transaction=True)

REJECTS = "/admin/ingestion/rejectedrow/"


def client_of(name: str, *permissions: str) -> Client:
    client = Client()
    client.force_login(make_user(name, staff=True, permissions=("view_run", "view_rejectedrow", *permissions)))
    return client


@pytest.fixture
def steward(transactional_db: None) -> Client:
    return client_of("steward", "change_rejectedrow")


@pytest.fixture
def viewer(transactional_db: None) -> Client:
    return client_of("viewer")


def url(run: int, number: int) -> str:
    return f"{REJECTS}{row_on(run, number).pk}/change/"


def page(client: Client, path: str, **query: Any) -> str:
    response = client.get(path, query)
    assert response.status_code == 200, (path, response.status_code)
    return response.content.decode()


def fields(text: str) -> dict[str, str]:
    """What stands in the inputs of a page."""
    inputs = {}
    for tag in re.findall(r"<input[^>]*>", text):
        names = dict(re.findall(r'(\w+)="([^"]*)"', tag))
        if "name" in names:
            inputs[names["name"]] = names.get("value", "")
    return inputs


def send(client: Client, path: str, data: dict[str, Any], *, follow: bool = True) -> str:
    response = client.post(path, data, follow=follow)
    assert response.status_code == 200, response.status_code
    return response.content.decode()


def given(text: str, **changed: str) -> dict[str, str]:
    """The form of a page as a person sends it."""
    return (
        {name: value for name, value in fields(text).items() if name in (*NAMES, "seen")} | changed | {"_repair": "1"}
    )


def test_one_row_is_put_right_where_it_is_seen(steward: Client, write: WriteFile) -> None:
    run = load(write(line(1), line(2, website="VV NL", customer_id="1e5"), line(3, website="V V")))
    text = page(steward, url(run, 3))
    assert fields(text)["website"] == "VV NL"
    assert "'VV NL' has characters other than" in text.replace("&#x27;", "'")
    assert "'1e5' is not a whole number" in text.replace("&#x27;", "'")
    assert "<script>" not in text.split('id="content-main"')[1]

    text = send(steward, url(run, 3), given(text, website="VVBE", customer_id="12.0"))

    assert "'12.0' is not a whole number" in text.replace("&#x27;", "'")
    assert fields(text)["website"] == "VVBE", "nothing that was typed is lost"
    assert states(run)[3] == "open"

    text = send(steward, url(run, 3), given(text, customer_id="77"))

    done = Run.objects.get(kind="repair")
    assert rows() == [row(1), row(2, website="VVBE", customer_id=77)]
    assert (done.actor, done.repairs_id, done.repaired) == ("steward", run, 1)
    assert 'is repaired: order <a href="/admin/catalog/order/services/2/change/">services/2</a>' in text
    assert f'<a href="/admin/ingestion/run/{done.pk}/change/">run {done.pk}</a>' in text
    assert f'Next open row: <a href="{url(run, 4)}">line 4</a>' in text
    assert "Repair and load" not in text
    assert "by steward" in text
    assert Order.objects.get(order_id=2).change.actor == "steward"


def test_an_order_that_is_there_is_shown_beside_and_never_replaced_unseen(steward: Client, write: WriteFile) -> None:
    run = load(write(line(1, website="VVBE"), line(1, website="V V"), line(2, website="V V", order_id="x")))
    text = page(steward, url(run, 3))
    assert "Loading this row replaces its values" in text
    assert "Now: </span>VVBE</td>" in text
    correct(Order.objects.get(), "order_status", "CANCELED", actor="ana", reason="a test")

    text = send(steward, url(run, 3), given(text, website="VVNL"))

    assert "is in the catalogue as it stands now; look at this page again" in text
    assert "Now: </span>CANCELED</td>" in text
    assert Order.objects.get().website == "VVBE"
    send(steward, url(run, 3), given(text))
    assert Order.objects.get().website == "VVNL"
    other = page(steward, url(run, 4))
    assert "is in the catalogue" not in other
    text = send(steward, url(run, 4), given(other, order_id="1", website="VVFR"))
    assert "Loading this row replaces its values" in text
    assert Order.objects.get().website == "VVNL"


def test_a_record_that_cannot_be_split_has_empty_fields(steward: Client, write: WriteFile) -> None:
    run = load(write("1,services,7"))
    text = page(steward, url(run, 2))
    assert "cannot be split into fields" in text
    assert {fields(text)[name] for name in NAMES} == {""}
    assert "required and missing" not in text
    send(steward, url(run, 2), given(text, **dict(zip(NAMES, line(5).split(","), strict=True))))
    assert rows() == [row(5)]


def test_dismissing_needs_a_reason(steward: Client, write: WriteFile) -> None:
    run = load(write(line(1, website="V V")))
    text = send(steward, url(run, 2), {"_dismiss": "1", "reason": " "})
    assert "Say why; the reason is kept for good." in text
    assert states(run) == {2: "open"}

    text = send(steward, url(run, 2), {"_dismiss": "1", "reason": "a <b>test</b> order"})

    assert (row_on(run, 2).state, row_on(run, 2).settled_by) == ("dismissed", "steward")
    assert "by steward, " in text
    assert "a &lt;b&gt;test&lt;/b&gt; order" in text
    assert "_dismiss" not in fields(text)


def test_whoever_comes_second_is_told(steward: Client, write: WriteFile) -> None:
    run = load(write(*lines(1, 2, website="V V")))
    text = page(steward, url(run, 2))
    dismiss(RejectedRow.objects.filter(line=2), actor="bob", reason="a test order")

    for data in (given(text, website="VVNL"), {"_dismiss": "1", "reason": "mine"}):
        answer = send(steward, url(run, 2), data)
        assert f"Line 2 of run {run} was dismissed by bob already." in answer
    assert (row_on(run, 2).note, rows()) == ("a test order", [])


def test_whoever_repairs_second_is_told(steward: Client, write: WriteFile) -> None:
    """The order that was missing when the page was made is there now: that alone is not what to say."""
    run = load(write(*lines(1, 2, website="V V")))
    seen = page(steward, url(run, 2))
    send(client_of("bob", "view_rejectedrow", "change_rejectedrow"), url(run, 2), given(seen, website="VVBE"))
    done = Run.objects.get(kind="repair").pk

    for website in ("VVNL", "V V"):
        answer = send(steward, url(run, 2), given(seen, website=website))
        assert f"Line 2 of run {run} was repaired by bob in run {done} already." in answer
    assert rows() == [row(1, website="VVBE")]


def test_whoever_comes_second_sees_by_whom_when_and_what_was_typed(steward: Client, write: WriteFile) -> None:
    """The first one has loaded the order, and the second one's page shows none yet."""
    run = load(write(line(1, website="V V")))
    text = page(steward, url(run, 2))
    send(client_of("ana", "change_rejectedrow"), url(run, 2), given(text, website="VVNL"))
    done = Run.objects.get(kind="repair")

    for data, typed in (
        (given(text, website="<VVFR>", order_id="123456"), ("&lt;VVFR&gt;", "123456")),
        ({"_dismiss": "1", "reason": "of no <use>"}, ("of no &lt;use&gt;",)),
        ({"_dismiss": "1", "reason": ""}, ()),
    ):
        answer = send(steward, url(run, 2), data)
        assert f"Line 2 of run {run} was repaired by ana in run {done.pk} already." in answer
        assert f"{done}</a> by ana, " in answer
        assert "What you typed, and was not loaded" in answer
        assert all(words in answer for words in typed)
        assert "_repair" not in answer
    assert "What you typed" not in page(steward, url(run, 2))
    undo_run(done.pk)
    undo_run(run)
    assert f"Line 2 of run {run} is dismissed already: run {run} was undone." in send(steward, url(run, 2), data)


def test_a_load_under_way_is_told_and_nothing_typed_is_lost(
    steward: Client, write: WriteFile, database_url: str
) -> None:
    run = load(write(line(1, website="V V")))
    text = page(steward, url(run, 2))
    with load_lock(database_url):
        answer = send(steward, url(run, 2), given(text, website="VVNL"))
    assert "holds the load lock; try again when it has ended" in answer
    assert fields(answer)["website"] == "VVNL"
    assert states(run) == {2: "open"}


def test_of_a_file_that_is_not_loaded_nothing_can_be_repaired(steward: Client) -> None:
    run = make_run(status="refused", change=None)
    make_reject(run, 2, ("not_a_code", "website"), raw=line(1))
    text = page(steward, url(run.pk, 2))
    assert f"Run {run.pk} was refused: nothing of its file is loaded." in text
    assert "Repair and load" not in text
    answer = send(
        steward, url(run.pk, 2), {"seen": "", "_repair": "1"} | dict(zip(NAMES, line(1).split(","), strict=True))
    )
    assert "nothing of its file is loaded" in answer
    assert not rows()


def test_those_who_may_only_look_change_nothing(viewer: Client, write: WriteFile) -> None:
    run = load(write(*lines(1, 2, website="V V")))
    text = page(viewer, url(run, 2))
    assert not {"_repair", "_dismiss", "website"} & fields(text).keys()
    for data in ({"_repair": "1"}, {"_dismiss": "1", "reason": "x"}, {"_save": "1"}):
        assert viewer.post(url(run, 2), data).status_code == 403
    assert 'name="action"' not in page(viewer, REJECTS)
    viewer.post(REJECTS, {"action": "dismiss_selected", "_selected_action": [row_on(run, 2).pk], "index": "0"})
    viewer.post(
        REJECTS,
        {
            "action": "dismiss_selected",
            "_selected_action": [row_on(run, 2).pk],
            "_confirm": "1",
            "reason": "x",
            "seen": "1",
        },
    )
    assert set(states(run).values()) == {"open"}
    assert viewer.get(f"{REJECTS}1/change/").status_code == 404


def listed(client: Client, **query: Any) -> list[int]:
    return [int(n) for n in re.findall(r'field-position"><a[^>]*>(\d+)</a>', page(client, REJECTS, **query))]


def test_the_list_shows_what_is_open_unless_asked_otherwise(viewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run()
    for number in range(2, 6):
        make_reject(run, number, ("not_a_code", "website"))
    dismiss(RejectedRow.objects.filter(line=3), actor="ana", reason="x")
    assert listed(viewer) == [5, 4, 2]
    assert listed(viewer, state="dismissed") == [3]
    assert listed(viewer, state="any") == [5, 4, 3, 2]
    assert listed(viewer, run=run.pk) == [2, 3, 4, 5], "a run's figure counts all of them"
    assert listed(viewer, run=run.pk, state="open") == [2, 4, 5]
    assert listed(viewer, state="lost") == []
    text = page(viewer, REJECTS)
    assert re.search(r'class="selected">\s*<a [^>]*>Open</a>', text)
    assert re.search(r'class="selected">\s*<a [^>]*>Any state</a>', page(viewer, REJECTS, run=run.pk))
    monkeypatch.setattr(BoundedPaginator, "LIMIT", 2)
    assert "The first 2 rejected rows of many more" in page(viewer, REJECTS)


def test_the_queue_of_open_rows_is_read_from_its_index() -> None:
    run = make_run()
    for number in range(2, 300):
        make_reject(run, number, ("not_a_code", "website"))
    RejectedRow.objects.exclude(line=7).update(state="dismissed")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    plan = RejectedRow.objects.filter(state="open").order_by("-id")[:50].explain()
    assert "rejectedrow_open" in plan


def act(client: Client, action: str, chosen: list[int], query: str = "", **data: Any) -> str:
    """Choose rows in the list, and an action."""
    sent = {"action": action, "_selected_action": [str(pk) for pk in chosen], "index": "0", "select_across": "0"}
    return send(client, f"{REJECTS}{query}", sent | data)


def confirm(client: Client, text: str, query: str = "", **changed: str) -> str:
    """Agree to what the page says."""
    form = text.rsplit('class="confirm"', maxsplit=1)[-1]
    chosen = re.findall(r'name="_selected_action" value="(\d+)"', form)
    sent: dict[str, Any] = {name: value for name, value in fields(form).items() if not name.startswith("_")}
    return send(client, f"{REJECTS}{query}", sent | {"_selected_action": chosen, "_confirm": "1"} | changed)


def test_many_rows_are_repaired_in_one_run(steward: Client, write: WriteFile) -> None:
    broken = [*lines(1, 2, 3, website="V V"), line(4, website="V V", customer_id="x"), "5,services"]
    run = load(write(line(1), *broken))
    chosen = list(RejectedRow.objects.values_list("pk", flat=True))

    text = act(steward, "repair_selected", chosen)
    assert "<strong>0</strong> of the rows can be loaded, <strong>5</strong> are wrong still" in text
    text = act(steward, "repair_selected", chosen, column="website", value="V!", _preview="1")
    assert escape("'V!' has characters other than") in text
    text = act(steward, "repair_selected", chosen, column="website", value="VVBE", _preview="1")

    assert "<strong>3</strong> of the rows can be loaded, <strong>2</strong> are wrong still" in text
    assert "1 of the orders is in the catalogue" in text
    assert escape("'x' is not a whole number") in text
    assert "cannot be split into fields" in text
    assert states(run)[3] == "open", "nothing has happened yet"
    answer = confirm(steward, text)
    done = Run.objects.get(kind="repair")
    assert f"3 rejected rows of run {run} are repaired by" in answer
    assert (done.repaired, done.updated, done.inserted, done.rejected, done.actor) == (3, 1, 2, 0, "steward")
    assert rows() == [row(n, website="VVBE") for n in (1, 2, 3)]
    assert states(run) == {3: "repaired", 4: "repaired", 5: "repaired", 6: "open", 7: "open"}


def test_a_selection_across_pages_is_what_was_seen(steward: Client, write: WriteFile) -> None:
    first = load(write(*lines(*range(1, 61), website="V V")))
    second = load(write(*lines(101, 102, website="V V"), name="second.csv"))
    query = "?column=website"
    text = act(
        *(steward, "repair_selected", [row_on(first, 2).pk], query),
        select_across="1",
        column="website",
        value="VVNL",
        _preview="1",
    )
    assert "<strong>62</strong> of the rows can be loaded" in text
    dismiss(RejectedRow.objects.filter(line=2, run=first), actor="bob", reason="x")

    text = confirm(steward, text, query)

    assert "What would be loaded has changed" in text
    assert "<strong>61</strong>" in text
    answer = confirm(steward, text, query)
    assert f"59 rejected rows of run {first} are repaired by" in answer
    assert f"2 rejected rows of run {second} are repaired by" in answer
    assert Order.objects.count() == 61


def test_rows_that_contradict_each_other_stay_open(steward: Client, write: WriteFile) -> None:
    run = load(write(line(1), line(2, website="VVNL"), line(2, website="VVBE")))
    text = act(steward, "repair_selected", list(RejectedRow.objects.values_list("pk", flat=True)))
    answer = confirm(steward, text)
    assert "2 rows contradict each other" in answer
    assert states(run) == {3: "open", 4: "open"}


def test_too_many_rows_are_for_the_command(steward: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admin_rejects_many, "AT_MOST", 2)
    run = make_run()
    chosen = [make_reject(run, number, ("not_a_code", "website")).pk for number in range(2, 5)]
    assert "use export_rejects and ingest_csv" in act(steward, "repair_selected", chosen)


def test_many_rows_are_dismissed_for_one_reason(steward: Client) -> None:
    run = make_run()
    for number in range(2, 72):
        make_reject(run, number, ("not_a_code", "website"))
    dismiss(RejectedRow.objects.filter(line=2), actor="bob", reason="x")
    query = f"?run={run.pk}"
    text = act(steward, "dismiss_selected", [row_on(run.pk, 3).pk], query, select_across="1")
    assert "<strong>69</strong> open rows will be dismissed" in text
    assert "settled already; they stay as they are" in text
    assert "Say why; the reason is kept for good." in confirm(steward, text, query)

    answer = confirm(steward, text, query, reason="a test file")

    assert "69 rejected rows are dismissed" in answer
    assert set(RejectedRow.objects.values_list("state", "settled_by", "note")) == {
        *{("dismissed", "steward", "a test file"), ("dismissed", "bob", "x")}
    }


def test_a_run_and_its_repairs_name_each_other(steward: Client, write: WriteFile) -> None:
    run = load(write(line(1, website="V V")))
    send(steward, url(run, 2), given(page(steward, url(run, 2)), website="VVNL"))
    done = Run.objects.get(kind="repair")
    assert f'/run/{done.pk}/change/">run {done.pk}</a>' in page(steward, f"/admin/ingestion/run/{run}/change/")
    text = page(steward, f"/admin/ingestion/run/{done.pk}/change/")
    assert f'rejected rows of <a href="/admin/ingestion/run/{run}/change/">run {run}</a>' in text
    assert "rejected rows put right: <strong>1</strong>" in text
