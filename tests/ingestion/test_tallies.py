"""The tallies of orders: right after all that changes the catalogue, in any time zone, and rebuilt by a command."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db.models import Sum

from catalog import rules
from catalog.corrections import correct_many, retire
from catalog.models import Correction, Order, ValueRule
from catalog.tallies import DAY, STATE, counted_in, table_for
from catalog.tally_models import DayTally, StateTally
from ingestion.erase import erase_customer
from ingestion.models import Run
from ingestion.undo import undo_run
from tests.conftest import RunManage
from tests.counting import assert_counted
from tests.loading import WriteFile, ingest, line, lines

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("indexes_outlive_the_test")]
AMSTERDAM = ZoneInfo("Europe/Amsterdam")


@pytest.fixture
def loaded(write: WriteFile) -> Path:
    """Five orders of two websites on two days."""
    path = write(
        *lines(1, 2),
        *lines(3, 4, website="VVBE", voucher_status="", voucher_id=""),
        line(5, order_date="2018-07-13 00:00:00"),
    )
    assert ingest(path).exit_code == 0
    return path


def by_website() -> dict[str, int]:
    found = StateTally.objects.filter(removed=False).values_list("website").annotate(n=Sum("orders"))
    return dict(found.order_by("website"))


def test_each_load_adds_and_subtracts(loaded: Path, write: WriteFile) -> None:
    assert by_website() == {"VVBE": 2, "VVNL": 3}
    assert_counted()
    ingest(write(line(1, website="VVBE"), line(6, website="SJSNL")))
    assert by_website() == {"SJSNL": 1, "VVBE": 3, "VVNL": 2}
    assert_counted()
    # What is gone has a cell of its own, and the one that it was the last of has none any more.
    ingest(write(*lines(2, 3)), "--full-snapshot", "--max-removals=100%")
    assert by_website() == {"VVNL": 2}
    assert_counted()


def test_an_undo_takes_its_numbers_back(loaded: Path, write: WriteFile) -> None:
    before = list(DayTally.objects.order_by("cell").values())
    report = ingest(write(line(1, website="VVBE"), line(6, website="SJSNL"))).report
    undo_run(report["run"])
    assert list(DayTally.objects.order_by("cell").values()) == before
    assert_counted()
    undo_run(1 + report["run"])
    assert_counted()
    assert by_website()["SJSNL"] == 1


def test_an_undo_of_all_leaves_nothing(loaded: Path) -> None:
    undo_run(Run.objects.get().pk)
    assert not Order.objects.exists()
    assert not DayTally.objects.exists()
    assert not StateTally.objects.exists()


def test_corrections_rules_and_erasures(loaded: Path) -> None:
    correct_many(Order.objects.filter(website="VVBE"), "website", "SJSNL", actor="ana", reason="a test")
    assert by_website() == {"SJSNL": 2, "VVNL": 3}
    assert_counted()
    retire(Correction.objects.filter(order__order_id=3), actor="ana", reason="a test")
    assert_counted()
    rule = ValueRule.objects.create(field="website", old="VVNL", new="VVBE", reason="a test")
    rules.switch_on(rule, actor="ana")
    assert by_website() == {"SJSNL": 1, "VVBE": 4}
    assert_counted()
    erase_customer("services", 1001, reason="a letter")
    assert_counted()


def test_a_dry_run_counts_nothing(loaded: Path, write: WriteFile) -> None:
    before = by_website()
    assert ingest(write(line(9)), "--dry-run").exit_code == 0
    assert by_website() == before
    assert_counted()


@pytest.mark.parametrize(
    ("columns", "whole_days", "expected"),
    [
        ((), False, StateTally),
        (STATE, False, StateTally),
        (DAY, True, DayTally),
        (("order_date",), True, DayTally),
        (("order_date",), False, None),
        (("website", "customer_id"), True, None),
        (("key",), True, None),
    ],
)
def test_which_tally_answers(loaded: Path, columns: tuple[str, ...], whole_days: bool, expected: Any) -> None:
    assert table_for(columns, whole_days=whole_days) is expected


def test_nothing_answers_before_anything_is_counted() -> None:
    assert counted_in() is None
    assert table_for((), whole_days=True) is None


AROUND_MIDNIGHT = [
    ("2018-07-12 00:00:00", "2018-07-11 22:00:00"),
    ("2018-07-12 23:59:59.999999", "2018-07-11 22:00:00"),
    ("2018-01-12 23:59:59", "2018-01-11 23:00:00"),
    # The clocks are put forward, and back: days of 23 and 25 hours.
    ("2018-03-25 23:30:00", "2018-03-24 23:00:00"),
    ("2018-10-28 23:30:00", "2018-10-27 22:00:00"),
    ("2018-10-29 00:00:00", "2018-10-28 23:00:00"),
]


def test_days_are_those_of_the_zone(write: WriteFile, settings: Any) -> None:
    settings.SOURCE_TIME_ZONE = AMSTERDAM
    ingest(write(*(line(n, order_date=date) for n, (date, _) in enumerate(AROUND_MIDNIGHT, start=1))))
    expected = {datetime.fromisoformat(begin).replace(tzinfo=UTC) for _, begin in AROUND_MIDNIGHT}
    assert set(DayTally.objects.values_list("order_date", flat=True)) == expected
    assert_counted()
    assert table_for(DAY, whole_days=True) is DayTally
    ingest(write(line(1, order_date="2018-07-13 00:00:00")))
    assert_counted()


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Kathmandu", "Etc/GMT+10"])
def test_the_calendar_has_ends(write: WriteFile, settings: Any, zone: str) -> None:
    settings.SOURCE_TIME_ZONE = ZoneInfo(zone)
    dates = ("0001-01-01 00:00:00Z", "9999-12-31 23:59:59Z", "1850-06-01 12:00:00Z")
    assert ingest(write(*(line(n, order_date=date) for n, date in enumerate(dates, start=1)))).report["inserted"] == 3
    assert sum(DayTally.objects.values_list("orders", flat=True)) == 3
    assert min(DayTally.objects.values_list("order_date", flat=True)).year == 1


def test_another_zone_takes_the_days_out_of_use_until_they_are_rebuilt(
    loaded: Path, write: WriteFile, settings: Any, run_manage: RunManage
) -> None:
    settings.SOURCE_TIME_ZONE = AMSTERDAM
    assert table_for(DAY, whole_days=True) is None
    assert table_for(STATE, whole_days=True) is StateTally
    # Still counted by the days of old, and rightly.
    ingest(write(line(6, order_date="2019-01-01 00:30:00")))
    assert counted_in() == "UTC"
    assert_counted()

    done = run_manage("rebuild_tallies", SOURCE_TIME_ZONE="Europe/Amsterdam")
    assert (done.returncode, done.stdout) == (0, "Counted anew by the days of Europe/Amsterdam: 4 numbers.\n")
    assert table_for(DAY, whole_days=True) is DayTally
    assert_counted()
    assert DayTally.objects.filter(order_date="2018-12-31 23:00:00Z").exists()


def test_rebuilding_mends_whatever_is_wrong(loaded: Path, run_manage: RunManage) -> None:
    StateTally.objects.update(orders=7)
    DayTally.objects.all().delete()
    assert run_manage("rebuild_tallies").returncode == 0
    assert_counted()
