"""The page of the checks of quality: numbers, moves, and the orders behind them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalog.checks import CHECKS
from catalog.corrections import correct
from catalog.models import Change, Order
from catalog.tally_models import QualityCount
from ingestion.models import Run
from ingestion.undo import undo_run
from tests.admin_side import get, text_of
from tests.loading import WriteFile, ingest, line, lines
from tests.order_list import names_on, see, viewer
from tests.pages import read_page

__all__ = ["viewer"]

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("indexes_outlive_the_test", "shipped_groups"),
]

PAGE = "/admin/quality/"


def rows(client: Client) -> dict[str, tuple[str, str, str]]:
    """By check: the number, and how it moved with the last load and lately."""
    table = read_page(get(client, PAGE)).one("table").one("tbody")
    found = {}
    for row in table.all("tr"):
        now, load, lately = (cell.text for cell in row.all("td"))
        found[row.one("th").all("a")[0].text] = (now, load, lately)
    return found


def test_each_check_stands_there_with_its_sentence_and_its_orders(viewer: Client, write: WriteFile) -> None:
    ingest(write(*lines(1, 2, 3), *lines(4, 5, payment_id="")))
    page = get(viewer, PAGE)
    for check in CHECKS:
        assert check.sentence in text_of(page)
    table = read_page(page).one("tbody")
    links = {link.text: link.get("href") for link in table.all("a")}
    assert links["paid without payment"].endswith("?quality=paid_without_payment")
    response = viewer.get(links["paid without payment"])
    assert sorted(names_on(response.content.decode())) == ["services/4", "services/5"]
    assert '<a href="/admin/quality/" aria-current="page">Quality</a>' in page


def test_the_page_tells_how_the_numbers_moved(viewer: Client, write: WriteFile) -> None:
    ingest(write(*lines(1, 2, 3), *lines(*range(4, 9), payment_id="")))
    long_ago = timezone.now() - timedelta(days=31)
    Change.objects.update(at=long_ago)
    assert rows(viewer)["paid without payment"] == ("5", "+5", "no change")

    ingest(write(*lines(1, 2, payment_id=""), line(4), line(9, payment_id="")))
    assert rows(viewer)["paid without payment"] == ("7", "+2 3 more and 1 fewer", "+2 3 more and 1 fewer")

    correct(Order.objects.get(order_id=5), "payment_id", 77, actor="ana", reason="so")
    correct(Order.objects.get(order_id=6), "payment_id", 78, actor="ana", reason="so")
    assert rows(viewer)["paid without payment"] == ("5", "+2 3 more and 1 fewer", "±0 3 more and 3 fewer")
    assert rows(viewer)["unknown status"] == ("0", "no change", "no change")
    assert len(names_on(see(viewer, "?quality=paid_without_payment"))) == 5


def test_a_load_that_was_undone_is_not_the_last(viewer: Client, write: WriteFile) -> None:
    ingest(write(*lines(1, 2, payment_id="")))
    ingest(write(*lines(1, 2, 3, payment_id="")))
    assert rows(viewer)["paid without payment"] == ("3", "+1", "+3")

    undo_run(Run.objects.latest("pk").pk, wait=False, keep_touched=False, dry_run=False, actor="ana")
    assert rows(viewer)["paid without payment"] == ("2", "+2", "+2 3 more and 1 fewer")


def test_large_numbers_are_written_for_people(viewer: Client, write: WriteFile) -> None:
    ingest(write(line(4, payment_id="")))
    QualityCount.objects.filter(name="paid_without_payment").update(added=1_234_567)
    assert rows(viewer)["paid without payment"][:2] == ("1,234,567", "+1,234,567")


def test_the_page_never_reads_the_orders(viewer: Client, write: WriteFile) -> None:
    assert rows(viewer)["paid without payment"] == ("0", "", "no change"), "before the first load"
    ingest(write(*lines(1, 2, payment_id="")))
    with CaptureQueriesContext(connection) as queries:
        get(viewer, PAGE)
    assert not [q for q in queries if "catalog_order" in q["sql"]]
    assert len(queries) <= 9
