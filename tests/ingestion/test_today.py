"""The start page: what it says of loads, of what waits and of quality, to whom, and at what cost."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.db.models import F
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog.models import Change, Order
from catalog.tally_models import DayTally
from ingestion.models import RejectedRow, Run
from tests.admin_side import text_of
from tests.conftest import ROOT
from tests.factories import make_conflict, make_run, make_user
from tests.loading import WriteFile, ingest, lines

pytestmark = pytest.mark.django_db(transaction=True)

SAMPLE = ROOT / "data" / "sample.csv"
TODAY = "/admin/"
ALL = ("view_order", "view_correction", "view_run", "view_rejectedrow")


def staff(*permissions: str, name: str = "ana") -> Client:
    client = Client()
    client.force_login(make_user(name, staff=True, permissions=permissions))
    return client


def page(*permissions: str, name: str = "ana") -> str:
    answer = staff(*permissions, name=name).get(TODAY)
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_before_the_first_load_it_says_how_to_begin() -> None:
    assert "Nothing has been loaded yet." in page(*ALL)


def test_it_shows_the_numbers_and_leads_to_the_rows() -> None:
    ingest(SAMPLE)
    run = Run.objects.get()
    text = page(*ALL)

    assert f'<span class="card-number">{Order.objects.count():,}</span>' in text
    assert f'<span class="card-number">{RejectedRow.objects.count():,}</span>' in text
    assert f'href="/admin/ingestion/rejectedrow/?run={run.pk}">{run.rejected:,}<' in text
    assert "/admin/catalog/order/?quality=ordered_in_future" in text
    assert "Orders per day by website" in text


def test_every_day_of_the_pictures_adds_up() -> None:
    ingest(SAMPLE)
    context = staff(*ALL).get(TODAY).context
    by_website, by_status = context["charts"]

    assert [sum(series.values[day] for series in by_website.series) for day in range(60)] == [
        Order.objects.filter(removed=False, order_date__date=day).count() for day in by_website.labels
    ]
    assert [sum(series.values[day] for series in by_status.series) for day in range(60)] == [
        sum(series.values[day] for series in by_website.series) for day in range(60)
    ]
    assert max(by_website.labels) < "2042"


def test_a_load_without_rows_has_no_speed() -> None:
    for read in (100, 0, 300):
        make_run(read=read, inserted=read, seconds=2.0)
    [speeds] = staff(*ALL).get(TODAY).context["charts"]

    assert speeds.series[0].values == [50, 150]


def test_how_a_check_moved_is_said_as_on_the_page_of_quality(write: WriteFile) -> None:
    paid_early = {"payment_date": "2018-07-11 17:00:00.000"}
    ingest(write(*lines(1, 2, 3, **paid_early), *lines(4, 5)))
    ingest(write(*lines(1), *lines(4, 5, **paid_early), name="second.csv"))

    for path in (TODAY, "/admin/quality/"):
        answer = staff(*ALL, name=path.strip("/").replace("/", "-")).get(path)
        assert "+1 2 more and 1 fewer" in text_of(answer.content.decode()), path


def test_whoever_may_upload_is_led_there() -> None:
    link = 'href="/admin/ingestion/upload/add/"'
    assert page(*ALL, "add_upload", "view_upload").count(link) == 2, "at the head, and where nothing is loaded yet"
    assert link not in page(*ALL, name="bo")
    assert link not in page(*ALL, "add_upload", name="cy"), "who may not see what becomes of it may not hand it in"


def test_a_conflict_is_work() -> None:
    ingest(SAMPLE)
    order = Order.objects.order_by("pk").first()
    assert order is not None
    make_conflict(order, "order_status", "CORRECTED", "OTHER")

    cards = {card.name: card for card in staff(*ALL).get(TODAY).context["cards"]}
    assert (cards["Conflicts"].number, cards["Conflicts"].is_work) == ("1", True)


@pytest.mark.parametrize(
    ("permission", "seen", "unseen"),
    [
        ("view_order", ["Orders", "Quality"], ["Last loads", "Conflicts", "Rejected rows"]),
        ("view_run", ["Last loads"], ["Quality", "Conflicts", "Rejected rows"]),
        ("view_rejectedrow", ["Rejected rows"], ["Last loads", "Quality", "Conflicts"]),
    ],
)
def test_everybody_sees_what_is_theirs(permission: str, seen: list[str], unseen: list[str]) -> None:
    ingest(SAMPLE)
    text = page(permission)

    assert [word for word in seen if f">{word}<" not in text] == []
    assert [word for word in unseen if f">{word}<" in text] == []


def test_without_any_permission_it_says_what_to_do() -> None:
    assert "ask for one of the groups" in page()


def test_a_file_name_cannot_do_harm(tmp_path: Path) -> None:
    path = tmp_path / "<b>evil\u202e.csv"
    path.write_bytes(SAMPLE.read_bytes())
    ingest(path)

    assert "&lt;b&gt;evil\\u202e.csv" in page(*ALL)


def test_the_second_look_draws_nothing_anew_and_reads_no_orders() -> None:
    ingest(SAMPLE)
    client = staff(*ALL)
    client.get(TODAY)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        client.get(TODAY)

    read = [query["sql"] for query in queries.captured_queries]
    assert not [sql for sql in read if 'FROM "catalog_order"' in sql]
    assert len(read) < 25


def test_a_catalogue_from_a_backup_is_drawn_anew() -> None:
    """Its changes may have the same numbers; their moments tell."""
    ingest(SAMPLE)
    client = staff(*ALL)
    before = client.get(TODAY).context["charts"]
    DayTally.objects.update(orders=F("orders") + 1)
    assert client.get(TODAY).context["charts"] == before
    Change.objects.update(at=F("at") + timedelta(seconds=1))

    after = client.get(TODAY).context["charts"]
    assert after != before
