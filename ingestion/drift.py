"""How the figures of a load compare with the usual: what has drifted, before somebody trips over it.

The usual is the median of the last 20 loads before it that are in force: loads of files, neither repairs nor undos, nor
loads that were undone. One odd load among them hardly moves a median, and moves a mean a lot.

A figure is far off when both hold:

* It is further from the median than five times the median absolute deviation (MAD), which is how far the earlier loads
  themselves usually are from it. Were they spread like a bell, one load in a thousand would be that far off by chance;
  with three times the MAD it would be one in 23, and with eleven figures a load every third load would cry wolf.
* It has changed by enough to matter: the rows that were read by a tenth and by ten rows, a share of the rows by 0.1
  percentage points and by ten rows, the number of new values by three, the speed by half. Where all earlier loads had
  the very same figure the MAD is nought, and 5,001 rows after 5,000 would be far off. In a small file a few rows are a
  large share, and a load under a second says nothing of speed.

With fewer than five loads to compare with there is no usual, and nothing is far off. Rejected and repeated rows and
missing values are compared as shares of the rows, as files differ in size. A figure that a run has not counted, as it
is older than the count, is left out on either side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import median

from django.db.models import QuerySet

from ingestion.models import Run

BEFORE = 20
ENOUGH = 5
DEVIATIONS = 5
FEWEST_ROWS = 10
COMPARED = ("pk", "read", "rejected", "duplicate", "seconds", "new_values", "missing", "rejects_by_reason")
"""What is read of the earlier runs."""


class Unit(StrEnum):
    """What a figure counts."""

    ROWS = "rows"
    SHARE = "share of the rows"
    VALUES = "values"
    SPEED = "rows/s"

    def text(self, value: float) -> str:
        """A figure as people write it."""
        if self is Unit.SHARE:
            return "under 0.1%" if 0 < value < 0.001 else f"{value:.1%}"
        return f"{value:,.0f} rows/s" if self is Unit.SPEED else f"{value:,.0f}"


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure of a load beside the usual."""

    name: str
    """`rows read`, `rejected`, `duplicate`, `new values`, `speed`, or `missing` and the column."""

    unit: Unit
    value: float
    usual: float | None
    """The median of the loads before; None while there are too few."""

    is_far: bool

    @property
    def value_text(self) -> str:
        """The figure in words."""
        return self.unit.text(self.value)

    @property
    def usual_text(self) -> str:
        """The usual in words; nothing while there is none."""
        return "" if self.usual is None else self.unit.text(self.usual)

    @property
    def verdict(self) -> str:
        """How it compares, in words."""
        if self.usual is None:
            return "too few loads before"
        if not self.is_far:
            return "as usual"
        return "far above the usual" if self.value > self.usual else "far below the usual"

    @property
    def text(self) -> str:
        """All of it on one line: `missing payment_id: 12.0%, usually 3.1%`."""
        return f"{self.name}: {self.value_text}" + (f", usually {self.usual_text}" if self.usual_text else "")


def drift(run: Run) -> list[Measure]:
    """The figures of a load beside the usual; none for a run that is no load, or has loaded nothing. One query.

    The run need not be saved: that of a dry run is compared with the latest loads.
    """
    if not _is_compared(run):
        return []
    loads = _loads() if run.pk is None else _loads().filter(pk__lt=run.pk)
    return _measured(run, list(loads[:BEFORE]))


def drifts(runs: Sequence[Run]) -> dict[int, list[Measure]]:
    """`drift` of several saved runs, by their numbers. Two queries, however many they are.

    They read all loads between the first and the last of the runs, so let these be near to each other.
    """
    compared = [run for run in runs if _is_compared(run)]
    first, last = min((run.pk for run in compared), default=0), max((run.pk for run in compared), default=0)
    loads = [*_loads().filter(pk__gte=first, pk__lt=last), *_loads().filter(pk__lt=first)[:BEFORE]] if compared else []
    found: dict[int, list[Measure]] = {run.pk: [] for run in runs}
    return found | {run.pk: _measured(run, [one for one in loads if one.pk < run.pk][:BEFORE]) for run in compared}


def _is_compared(run: Run) -> bool:
    return run.kind == Run.Kind.LOAD and run.status in (Run.Status.LOADED, Run.Status.UNDONE)


def _loads() -> QuerySet[Run]:
    """The loads in force, the newest first."""
    return Run.objects.filter(kind=Run.Kind.LOAD, status=Run.Status.LOADED).only(*COMPARED).order_by("-pk")


def _measured(run: Run, before: Sequence[Run]) -> list[Measure]:
    usual = [_figures(other) for other in before]
    return [
        _measure(name, unit, value, [other[name][1] for other in usual if name in other], run)
        for name, (unit, value) in _figures(run).items()
    ]


def _figures(run: Run) -> dict[str, tuple[Unit, float]]:
    """What is compared of a run, by name: shares where it has rows, a speed where it took time."""
    found = {"rows read": (Unit.ROWS, float(run.read))}
    if run.read:
        found |= {name: (Unit.SHARE, getattr(run, name) / run.read) for name in ("rejected", "duplicate")}
    if run.valid:
        found |= {f"missing {name}": (Unit.SHARE, count / run.valid) for name, count in run.missing.items()}
    found["new values"] = (Unit.VALUES, float(sum(map(len, run.new_values.values()))))
    if run.seconds:
        found["speed"] = (Unit.SPEED, run.read / run.seconds)
    return found


def _measure(name: str, unit: Unit, value: float, before: Sequence[float], run: Run) -> Measure:
    if len(before) < ENOUGH:
        return Measure(name, unit, value, None, is_far=False)
    usual = median(before)
    spread = median(abs(other - usual) for other in before)
    off = abs(value - usual)
    is_far = off > DEVIATIONS * spread and off >= _least(unit, usual, run)
    return Measure(name, unit, value, usual, is_far=is_far)


def _least(unit: Unit, usual: float, run: Run) -> float:
    """The least change that matters."""
    if unit is Unit.ROWS:
        return max(usual / 10, FEWEST_ROWS)
    if unit is Unit.SHARE:
        return max(0.001, FEWEST_ROWS / run.read)
    if unit is Unit.VALUES:
        return 3
    return usual / 2 if (run.seconds or 0) >= 1 else float("inf")
