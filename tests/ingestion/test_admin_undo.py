"""Undo of a run in the admin: looked at first, confirmed, never over what nobody has seen."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from catalog.corrections import correct
from catalog.models import Change, Order
from ingestion.models import RejectedRow, Run
from ingestion.undo import undo_run
from tests.factories import make_run, make_user
from tests.loading import WriteFile, ingest, line, lines
from tests.processes import load_lock
from tests.repairing import export, load, repair

pytestmark = pytest.mark.django_db(transaction=True)

RUNS = "/admin/ingestion/run/"
WHO: dict[str, Any] = {"actor": "ana", "reason": "seen on the invoice"}


@pytest.fixture
def loader(client: Client) -> Client:
    """Somebody who may look at everything here and undo runs."""
    rights = ("view_run", "change_run", "view_order")
    client.force_login(make_user("lo", staff=True, permissions=rights))
    return client


@pytest.fixture
def second(write: WriteFile) -> int:
    """The second of two runs: it has changed orders 1 to 3, and brought 4."""
    ingest(write(*lines(1, 2, 3)))
    number: int = ingest(write(*lines(1, 2, 3, 4, website="VVBE"), name="second.csv")).report["run"]
    return number


def page(client: Client, path: str) -> str:
    """The text of a page that must be there."""
    response = client.get(path, follow=True)
    assert response.status_code == 200, (path, response.status_code)
    return response.content.decode()


def words(text: str) -> str:
    """What a page says, without its markup."""
    return " ".join(re.sub("<[^>]+>", " ", text[text.index("<main") :]).split())


def said(text: str) -> list[str]:
    """The messages on a page."""
    return [message.strip() for message in re.findall(r'<li class="(?:success|error|warning)">([^<]*)</li>', text)]


def confirm(client: Client, number: int, preview: str, **data: str) -> str:
    """Send the form of a preview; the text of the page that it leads to."""
    [seen] = re.findall(r'name="seen" value="(\d+)"', preview)
    response = client.post(f"{RUNS}{number}/undo/", {"seen": seen, **data}, follow=True)
    assert response.status_code == 200
    return response.content.decode()


def websites() -> list[str]:
    return list(Order.objects.order_by("key").values_list("website", flat=True))


def test_previewed_and_undone(loader: Client, second: int) -> None:
    assert f'href="{RUNS}{second}/undo/">Undo this run…' in page(loader, f"{RUNS}{second}/change/")

    preview = page(loader, f"{RUNS}{second}/undo/")

    assert "3 orders : former values again" in words(preview)
    assert "1 order : gone, as brought by this run" in words(preview)
    assert "keep_touched" not in preview
    assert (websites(), Run.objects.count()) == (["VVBE"] * 4, 2)

    done = confirm(loader, second, preview)

    undo = Run.objects.latest("id")
    assert said(done) == [f"Run {second} is undone by run {undo.pk}."]
    assert f'This run undoes <a href="{RUNS}{second}/change/">run {second}</a>.' in done
    assert (undo.actor, undo.updated, undo.removed, websites()) == ("lo", 3, 1, ["VVNL"] * 3)
    undone = page(loader, f"{RUNS}{second}/change/")
    assert f'Undone by <a href="{RUNS}{undo.pk}/change/">run {undo.pk}</a>, lo, ' in undone
    assert '<span class="pill pill-undone">undone</span>' in undone
    assert "Undo this run" not in undone


def test_an_undo_is_undone(loader: Client, second: int) -> None:
    undo = undo_run(second)

    preview = page(loader, f"{RUNS}{undo.pk}/undo/")
    assert "3 orders : former values again" in words(preview)
    assert "1 order : back, as taken away by this run" in words(preview)
    assert f"Run {second} is in force again then." in words(preview)
    confirm(loader, undo.pk, preview)

    assert websites() == ["VVBE"] * 4
    again = page(loader, f"{RUNS}{second}/change/")
    assert "Undo this run" in again
    assert "Undone by" not in again


def test_what_was_touched_since_is_named_and_left_only_if_said_so(loader: Client, second: int) -> None:
    correct(Order.objects.get(order_id=2), "order_status", "CANCELED", **WHO)

    preview = page(loader, f"{RUNS}{second}/undo/")

    assert "2 orders : former values again" in words(preview)
    assert "1 order of this run: a later load, a correction or a rule" in words(preview)
    assert '<a href="/admin/catalog/order/services/2/change/">services/2</a>' in preview
    assert '<input type="checkbox" name="keep_touched" id="id_keep_touched" required>' in preview
    refused = confirm(loader, second, preview)
    assert said(refused) == [
        "Nothing was undone: say that the orders touched since may stay as they are, or undo later loads first."
    ]
    assert websites() == ["VVBE"] * 4

    done = confirm(loader, second, refused, keep_touched="on")

    assert said(done)[0].startswith(f"Run {second} is undone")
    assert websites() == ["VVNL", "VVBE", "VVNL"]


def test_at_most_ten_of_those_touched_are_named(loader: Client, write: WriteFile) -> None:
    ingest(write(*lines(*range(1, 13))))
    second = ingest(write(*lines(*range(1, 13), website="VVBE"), name="second.csv")).report["run"]
    ingest(write(*lines(*range(1, 12), website="VVFR"), name="third.csv"))

    preview = page(loader, f"{RUNS}{second}/undo/")

    assert "11 orders of this run" in words(preview)
    assert len(re.findall(r"/admin/catalog/order/services/\d+/change/", preview)) == 10


def test_whatever_has_changed_since_the_preview_shows_it_again(loader: Client, second: int) -> None:
    preview = page(loader, f"{RUNS}{second}/undo/")
    correct(Order.objects.get(order_id=2), "order_status", "CANCELED", **WHO)
    before = Change.objects.count()

    again = confirm(loader, second, preview)

    [sentence] = said(again)
    assert sentence.startswith("The catalogue was changed meanwhile by ana (correction by hand); look again at what")
    assert "2 orders : former values again" in words(again)
    assert (websites(), Change.objects.count()) == (["VVBE"] * 4, before)


def test_a_form_that_nobody_has_seen_leads_to_the_preview(loader: Client, second: int) -> None:
    for data in ({}, {"seen": ""}, {"seen": "x"}, {"keep_touched": "on"}):
        assert loader.post(f"{RUNS}{second}/undo/", data)["Location"] == f"{RUNS}{second}/undo/"
    assert websites() == ["VVBE"] * 4


def test_a_load_under_way_is_named_and_not_waited_for(loader: Client, second: int, database_url: str) -> None:
    preview = page(loader, f"{RUNS}{second}/undo/")
    working = make_run(status="running", file="/exports/may.csv")

    with load_lock(database_url):
        looked = page(loader, f"{RUNS}{second}/undo/")
        confirmed = confirm(loader, second, preview)

    for text in (looked, confirmed):
        [sentence] = said(text)
        assert sentence.startswith(f"Run {working.pk} (/exports/may.csv, started ")
        assert "holds the load lock; try again when it has ended." in sentence
        assert "<title>Run" in text
    assert websites() == ["VVBE"] * 4


@pytest.mark.parametrize("status", ["refused", "undone", "skipped"])
def test_a_run_without_effect_cannot_be_undone(loader: Client, status: str) -> None:
    run = make_run(status=status)

    text = page(loader, f"{RUNS}{run.pk}/undo/")

    assert said(text) == [f"Run {run.pk} is {status}: there is nothing to undo."]
    assert "Undo this run" not in text


def test_undone_by_somebody_else_meanwhile(loader: Client, second: int) -> None:
    preview = page(loader, f"{RUNS}{second}/undo/")
    undo_run(second)

    assert said(confirm(loader, second, preview)) == [f"Run {second} is undone: there is nothing to undo."]


@pytest.mark.parametrize("method", ["get", "post"])
def test_where_nothing_is_left_the_page_of_the_run_says_so(
    loader: Client, second: int, write: WriteFile, method: str
) -> None:
    ingest(write(*lines(1, 2, 3, 4, website="VVFR"), name="third.csv"))
    given = {"seen": Change.objects.latest("id").pk, "keep_touched": "on"} if method == "post" else {}

    response = getattr(loader, method)(f"{RUNS}{second}/undo/", given, follow=True)

    assert [address for address, _ in response.redirect_chain] == [f"{RUNS}{second}/change/"]
    [told] = said(response.content.decode())
    assert told == (
        f"Something has touched every order of run {second} since. "
        "Undo later loads first; what a correction or a rule has changed since stays."
    )


def test_later_loads_that_may_have_confirmed_its_values_are_named(
    loader: Client, second: int, write: WriteFile
) -> None:
    assert "later load" not in page(loader, f"{RUNS}{second}/undo/")
    changed = lines(1, 2, 3, 4, website="VVBE")
    loads = [
        ingest(write(*changed, *lines(*range(5, 5 + more)), name=f"{more}.csv")).report["run"] for more in (1, 2, 3, 4)
    ]
    ingest(write(*lines(100), name="nothing-known.csv"))
    undo_run(loads[1])

    preview = page(loader, f"{RUNS}{second}/undo/")
    named = ", ".join(f'<a href="{RUNS}{run}/change/">run {run}</a>' for run in (loads[3], loads[2], loads[0]))
    assert f"3 later loads in force ({named}) found orders unchanged, perhaps some of these. Nothing tells" in preview
    assert "Load that file again afterwards, with --force (in the admin: Load again)." in preview
    ingest(write(*changed, *lines(*range(5, 15)), name="another.csv"))
    assert f"run {loads[2]}</a> and 1 more) found" in page(loader, f"{RUNS}{second}/undo/")


def test_what_happens_besides_is_announced_with_its_numbers(loader: Client, write: WriteFile) -> None:
    ingest(write(*lines(1, 2, 3)))
    correct(Order.objects.get(order_id=1), "website", "VVFR", **WHO)
    correct(Order.objects.get(order_id=2), "website", "VVBE", **WHO)
    broken = [line(number, order_id="1e5") for number in (4, 5)]
    path = write(*lines(1, 2, 3, website="VVBE"), *broken, name="second.csv")
    second = ingest(path, "--max-rejects", "50%").report["run"]

    def besides(run: int) -> list[str]:
        text = page(loader, f"{RUNS}{run}/undo/")
        assert f'href="/admin/catalog/order/?run={run}">Orders that this run was the last to change' in text
        return [words(f"<main>{found}") for found in re.findall(r"<li>(<strong>.*?)</li>", text)]

    assert besides(second) == [
        "3 orders : former values again",
        "1 correction : in force again",
        "1 conflict : gone, as brought by this run",
        "2 open rejected rows : dismissed, as nothing of the file is loaded then",
    ]
    undo = undo_run(second)
    assert RejectedRow.objects.filter(state="open").count() == 0
    assert besides(undo.pk) == [
        "3 orders : former values again",
        "1 correction : retired again",
        "1 conflict : back",
        "2 rejected rows : open again",
    ]


def test_the_undo_of_a_repair_says_what_is_open_again(loader: Client, write: WriteFile, tmp_path: Path) -> None:
    first = load(write(*lines(1, 2), line(3, product_id="1e5")))
    changed = [row | {"product_id": "5"} for row in export(first, tmp_path)]
    repaired = repair(first, tmp_path, changed).report["run"]

    assert "1 rejected row : open again" in words(page(loader, f"{RUNS}{repaired}/undo/"))
    undo = undo_run(repaired)
    assert "1 open rejected row : repaired again" in words(page(loader, f"{RUNS}{undo.pk}/undo/"))


def test_only_with_the_permission_and_a_token(second: int, client: Client) -> None:
    path = f"{RUNS}{second}/undo/"
    assert "/admin/login/" in client.get(path)["Location"]
    client.force_login(make_user("vi", staff=True, permissions=("view_run",)))
    assert "Undo this run" not in page(client, f"{RUNS}{second}/change/")
    assert (client.get(path).status_code, client.post(path, {"seen": 2}).status_code) == (403, 403)
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(make_user("lo", staff=True, permissions=("view_run", "change_run")))
    assert strict.post(path, {"seen": Change.objects.latest("id").pk}).status_code == 403
    assert strict.get(f"{RUNS}999/undo/").status_code == 404
    # The right to undo is not one to change what a run has found.
    assert 'name="status"' not in page(strict, f"{RUNS}{second}/change/")
    assert websites() == ["VVBE"] * 4


def test_what_comes_from_a_file_is_escaped(loader: Client, write: WriteFile) -> None:
    run = ingest(write(line(1), name="<b>x\u202e.csv")).report["run"]

    text = page(loader, f"{RUNS}{run}/undo/")

    assert "&lt;b&gt;x\\u202e.csv" in text
    assert "<b>x" not in text
