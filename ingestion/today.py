"""The start page: how the data is doing, what waits for somebody, and what the last loads brought.

Everything is read from summaries, so that it costs the same however many orders there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from catalog import quality
from catalog.admin_quality import last_load, move, moved
from catalog.api.conditional import catalogue_version
from catalog.charts import COLOURS, Chart, Kind, Series
from catalog.facets import ranked
from catalog.grouping import Dimension, Grouping, folded, period
from catalog.memory import Memory
from catalog.models import Conflict
from catalog.order_query import OrderQuery
from catalog.periods import begins, local_day, next_day
from catalog.prepared import Row
from catalog.read_only import BoundedPaginator, count_within, moment, visible
from catalog.tally_models import DayTally
from ingestion.drift import Measure, drifts
from ingestion.models import RejectedRow, Run

DAYS = 60
"""How far back the pictures of orders reach, from the latest day that has any."""

RUNS_LISTED, RUNS_DRAWN = 8, 30
OTHERS = "all others"


@dataclass(frozen=True, slots=True)
class Card:
    """One number that somebody should know, and where it leads. `is_work`: it waits for somebody."""

    name: str
    number: str
    text: str
    url: str
    is_work: bool = False


@dataclass(frozen=True, slots=True)
class CheckLine:
    """A quality check: how many orders fail it, and how that moved with the last load."""

    name: str
    sentence: str
    orders: int
    move: dict[str, str]
    url: str


def cards(user: Any) -> list[Card]:
    """What waits, and how much there is of everything, as far as the person may see it."""
    found: list[Card] = []
    if user.has_perm("catalog.view_order"):
        total = Grouping().tallied(OrderQuery(Q(removed=False), None, frozenset({"removed"}), whole_days=True))
        orders = f"{total[0][-1]:,}" if total else "?"
        found.append(Card("Orders", orders, "in the catalogue", reverse("admin:catalog_order_changelist")))
    if user.has_perm("catalog.view_correction"):
        waiting = count_within(Conflict.objects.in_conflict(), BoundedPaginator.LIMIT)
        url = reverse("admin:catalog_conflict_changelist")
        found.append(Card("Conflicts", bounded(waiting), "wait for a decision", url, waiting > 0))
    if user.has_perm("ingestion.view_rejectedrow"):
        rows = count_within(RejectedRow.objects.filter(state=RejectedRow.State.OPEN), BoundedPaginator.LIMIT)
        url = f"{reverse('admin:ingestion_rejectedrow_changelist')}?state__exact=open"
        found.append(Card("Rejected rows", bounded(rows), "are open", url, rows > 0))
    return found


def bounded(number: int) -> str:
    """A number that was counted up to a limit."""
    limit = BoundedPaginator.LIMIT
    return f"more than {limit:,}" if number > limit else f"{number:,}"


def last_runs() -> list[Run]:
    """The latest runs, whatever became of them."""
    return list(Run.objects.select_related("change").order_by("-id")[:RUNS_LISTED])


def run_line(run: Run, measures: Sequence[Measure]) -> dict[str, Any]:
    """One line of the table of runs, with what of it is far off the usual."""
    return {
        "measures": measures,
        "has_usual": any(measure.usual is not None for measure in measures),
        "far": [measure for measure in measures if measure.is_far],
        "url": reverse("admin:ingestion_run_change", args=[run.pk]),
        "run": run,
        "file": visible(run.file.rpartition("/")[2]),
        "began": moment(run.started_at.replace(microsecond=0)),
        "rejects": f"{reverse('admin:ingestion_rejectedrow_changelist')}?{urlencode({'run': run.pk})}",
    }


def check_lines() -> list[CheckLine]:
    """Every check, with how its number moved with the last load."""
    load = last_load()
    moves = {} if load is None else moved(Q(change=load))
    orders = reverse("admin:catalog_order_changelist")
    numbers = quality.counts()
    found = []
    for check in quality.CHECKS:
        url = f"{orders}?quality={check.name}"
        found.append(CheckLine(check.name, check.sentence, numbers[check.name], move(moves.get(check.name)), url))
    return found


_drawn: Memory[list[Chart]] = Memory(10)


def charts(*, orders: bool, runs: bool) -> list[Chart]:
    """The pictures; drawn anew when the catalogue has changed, a run has ended or a day has passed."""
    today = local_day(timezone.now(), settings.SOURCE_TIME_ZONE)
    last_run = Run.objects.exclude(finished_at=None).order_by("-id").values_list("id", "finished_at").first()
    key = (catalogue_version(), last_run, today, orders, runs, settings.SOURCE_TIME_ZONE)
    return _drawn.get(key, lambda: [*(orders_by_day() if orders else []), *(speeds() if runs else [])])


def orders_by_day() -> list[Chart]:
    """Orders of the last days that have any, by website and by status. Dates in the future are left to the checks."""
    days, cells = cells_by_day()
    if not cells:
        return []
    about = f"{days[0]} to {days[-1]}"
    return [
        stacked(f"Orders per day by website, {about}", days, cells, 1, "website"),
        stacked(f"Orders per day by order status, {about}", days, cells, 2, "order_status"),
    ]


def cells_by_day() -> tuple[list[date], list[Row]]:
    """The days, and the number of orders of each day, website and order status; none where the summary cannot tell."""
    zone = settings.SOURCE_TIME_ZONE
    counted = DayTally.objects.filter(order_date__lte=timezone.now(), removed=False, orders__gt=0)
    latest = counted.order_by("-order_date").values_list("order_date", flat=True).first()
    if latest is None:
        return [], []
    last = local_day(latest, zone)
    days = [last - timedelta(days=age) for age in range(DAYS - 1, -1, -1)]
    within = Q(removed=False, order_date__gte=begins(days[0], zone), order_date__lt=begins(next_day(last, "day"), zone))
    query = OrderQuery(within, None, frozenset({"removed", "order_date"}), whole_days=True)
    by = (period("order_date", "day", zone), Dimension("website"), Dimension("order_status"))
    return days, Grouping(by).tallied(query) or []


def stacked(title: str, days: Sequence[date], cells: Sequence[Row], place: int, column: str) -> Chart:
    """A bar for each day, cut by the values of a column: the most frequent, and all others together."""
    values = [value for value, _ in ranked(folded(cells, place))]
    shown = values if len(values) <= COLOURS else values[: COLOURS - 1]
    numbers: dict[tuple[date, Any], int] = {}
    for cell in cells:
        key = (cell[0], cell[place] if cell[place] in shown else None)
        numbers[key] = numbers.get(key, 0) + cell[-1]
    series = [
        Series(
            visible(str(value)),
            [numbers.get((day, value), 0) for day in days],
            [order_list(day, **{column: value}) for day in days],
        )
        for value in shown
    ]
    if len(shown) < len(values):
        series.append(Series(OTHERS, [numbers.get((day, None), 0) for day in days]))
    links = [order_list(day) for day in days]
    return Chart(title, [str(day) for day in days], series, unit="orders", one="order", links=links)


def order_list(day: date, **filters: str) -> str:
    """The list of the orders of one day."""
    query = {"order_date__gte": str(day), "order_date__lte": str(day), **filters}
    return f"{reverse('admin:catalog_order_changelist')}?{urlencode(query)}"


def speeds() -> list[Chart]:
    """Rows a second of the last loads; one without rows has no speed."""
    loads = Run.objects.filter(status=Run.Status.LOADED, kind=Run.Kind.LOAD, read__gt=0, seconds__gt=0).order_by("-id")
    last = list(loads.values_list("id", "read", "seconds")[:RUNS_DRAWN])[::-1]
    if len(last) < 2:
        return []
    rates = [round(read / seconds) for _, read, seconds in last if seconds]
    links = [reverse("admin:ingestion_run_change", args=[run]) for run, _, _ in last]
    names = [f"run {run}" for run, _, _ in last]
    return [
        Chart(
            "Rows a second of the last loads",
            names,
            [Series("rows/s", rates, links)],
            Kind.LINES,
            "rows/s",
            links=links,
        )
    ]


def today(user: Any) -> dict[str, Any]:
    """All that the start page shows to a person."""
    may_see_runs = user.has_perm("ingestion.view_run")
    may_see_orders = user.has_perm("catalog.view_order")
    runs = last_runs() if may_see_runs else []
    compared = drifts(runs)
    return {
        "cards": cards(user),
        "runs": [run_line(one, compared[one.pk]) for one in runs],
        "may_see_runs": may_see_runs,
        "checks": check_lines() if may_see_orders else [],
        "charts": charts(orders=may_see_orders, runs=may_see_runs),
    }
