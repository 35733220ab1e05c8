"""`as_of=`: the API's answers about the catalogue as it stood."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone
from rest_framework.test import APIClient

from catalog.corrections import correct, retire
from catalog.models import Change, Correction, Order
from ingestion.undo import undo_run
from tests.loading import WriteFile, ingest, line
from tests.read_side import ORDERS, api, refusal

__all__ = ["api"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("indexes_outlive_the_test")]

WHO: dict[str, Any] = {"actor": "ana", "reason": "seen on the invoice"}


def shown(api: APIClient, moment: datetime | None = None, **query: Any) -> list[tuple[int, str]]:
    """The numbers and websites of the orders that a query gives, page by page."""
    then = {} if moment is None else {"as_of": moment.isoformat()}
    url, found = ORDERS, []
    asked: dict[str, Any] | None = {"ordering": "order_id", "page_size": 2, **query, **then}
    while url:
        page = api.get(url, asked).json()
        found += [(order["order_id"], order["website"]) for order in page["results"]]
        url, asked = page["next"], None
    return found


def test_lists_orders_and_counts_as_they_were(api: APIClient, write: WriteFile) -> None:
    ingest(write(line(1), line(2), line(3)))
    loaded = timezone.now()
    correct(Order.objects.get(order_id=2), "website", "VVBE", **WHO)
    corrected = timezone.now()
    run = ingest(write(line(1, website="AVDD-NL"), line(2), line(3), line(4), name="b.csv")).report["run"]
    updated = timezone.now()
    retire(Correction.objects.all(), **WHO)
    undo_run(run, wait=False, actor="ana", keep_touched=True, dry_run=False)

    assert shown(api, loaded) == [(1, "VVNL"), (2, "VVNL"), (3, "VVNL")]
    assert shown(api, corrected) == [(1, "VVNL"), (2, "VVBE"), (3, "VVNL")]
    assert shown(api, updated) == [(1, "AVDD-NL"), (2, "VVBE"), (3, "VVNL"), (4, "VVNL")]
    assert shown(api) == [(1, "VVNL"), (2, "VVNL"), (3, "VVNL")]

    assert shown(api, corrected, website="VVBE") == [(2, "VVBE")]
    assert shown(api, corrected, has_correction="true") == [(2, "VVBE")]
    assert shown(api, corrected, corrected_by="ana") == [(2, "VVBE")]
    assert shown(api, loaded, has_correction="true") == []
    assert shown(api, updated, run=run) == [(1, "AVDD-NL"), (4, "VVNL")]
    assert shown(api, corrected, quality="unknown_status") == []
    assert shown(api, updated, search=1004) == [(4, "VVNL")]
    assert shown(api, updated, **{"or": "(order_id=4,website=VVBE)", "ordering": "-order_id"}) == [
        (4, "VVNL"),
        (2, "VVBE"),
    ]
    then = api.get(ORDERS, {"as_of": updated.isoformat(), "count": "exact"}).json()
    assert then["count"] == 4
    one = f"{ORDERS}services/4/"
    assert api.get(one).status_code == 404
    assert api.get(one, {"as_of": updated.isoformat()}).json()["website"] == "VVNL"
    assert api.get(one, {"as_of": loaded.isoformat()}).status_code == 404


def test_a_time_before_everything_has_no_orders(api: APIClient, write: WriteFile) -> None:
    ingest(write(line(1)))
    first = Change.objects.get().at
    assert shown(api, first) == [(1, "VVNL")]
    assert shown(api, first - timedelta(microseconds=1)) == []
    assert shown(api, None, as_of="2018-01-01") == []


def test_a_date_is_the_end_of_its_day(api: APIClient, write: WriteFile) -> None:
    ingest(write(line(1)))
    yesterday = timezone.now() - timedelta(days=1)
    Change.objects.update(at=yesterday)
    assert shown(api, None, as_of=f"{yesterday:%Y-%m-%d}") == [(1, "VVNL")]
    assert shown(api, None, as_of=f"{yesterday - timedelta(days=1):%Y-%m-%d}") == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("2999-01-01", "in the future"),
        ("yesterday", "not a timestamp"),
        ("", "empty"),
        ("2018-02-30", "not a date that exists"),
        ("2018-01-01T10:00:00 01:00", "%2B"),
    ],
)
def test_a_time_that_nobody_can_look_at_is_refused(api: APIClient, write: WriteFile, text: str, words: str) -> None:
    ingest(write(line(1)))
    for path in (ORDERS, f"{ORDERS}services/1/"):
        said = refusal(api, path, as_of=text)
        assert words in said["as_of"][0]
        assert "give a time" not in said["as_of"][0]
        assert said["allowed"]["as_of"]


def test_of_today_a_time_must_be_given(api: APIClient) -> None:
    today = timezone.now().astimezone(settings.SOURCE_TIME_ZONE)
    said = refusal(api, ORDERS, as_of=f"{today:%Y-%m-%d}")
    assert "a date stands for the end of its day, so give a time" in said["as_of"][0]
