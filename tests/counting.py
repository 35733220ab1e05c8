"""What the tallies and the counts of quality must be: counted from the orders themselves, one by one."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Model

from catalog import quality
from catalog.models import Order
from catalog.tallies import DAY, STATE, counted_in
from catalog.tally_models import DayTally, QualityCount, StateTally

Cells = dict[tuple[Any, ...], int]


def assert_counted() -> None:
    """The tallies and the counts of quality are what the orders say."""
    assert_tallied()
    failing = {check.name: Order.objects.present().filter(check.condition).count() for check in quality.CHECKS}
    assert quality.counts() == failing
    for name, number in failing.items():
        assert Order.objects.present().filter(quality.condition(name)).count() == number
    assert not QualityCount.objects.filter(added=0, gone=0).exists()


def assert_tallied() -> None:
    """The tallies are what the orders say, and have no cell twice or empty."""
    # In a database that is quite new nothing was ever counted, as there was nothing.
    zone = ZoneInfo(counted_in() or "UTC")
    states: Cells = Counter()
    days: Cells = Counter()
    for date, *state in Order.objects.values_list(*DAY):
        states[tuple(state)] += 1
        days[datetime.combine(date.astimezone(zone), time(), zone), *state] += 1
    assert cells(StateTally, STATE) == states
    assert cells(DayTally, DAY) == days


def cells(tally: type[Model], dimensions: tuple[str, ...]) -> Cells:
    """The cells of a tally, each of which must be there once."""
    found = list(tally._default_manager.values_list(*dimensions, "orders"))
    by_cell = {tuple(cell): number for *cell, number in found}
    assert len(found) == len(by_cell)
    return by_cell
