"""The orders of a customer or product over time: bars by month or by year, stacked by status.

Months and years are those of UTC, as are all times in the admin, so that a bar and the list behind it agree.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, date, timedelta
from typing import Any

from catalog.admin_links import orders_of
from catalog.charts import COLOURS, Chart, Series
from catalog.entities import Orders
from catalog.periods import begins, first_day, next_day

UNITS = {"month": 24, "year": 10}
"""What a bar may stand for, and from how many empty ones in a row a gap takes their place.

One order dated decades away would otherwise leave no room for all the others.
"""

FEWEST_BARS, MOST_BARS = 8, 40
GAP = "…"
OTHERS = "others"

Bars = list[date | None]
"""The first day of each bar's period; None for a gap."""

Numbers = Counter[tuple[date, str]]
"""How many orders there are of each period and status."""


def chart(orders: Orders, everywhere: Collection[Any]) -> tuple[Chart, int]:
    """The picture, and how many orders are older than its first bar.

    `everywhere` has the statuses of all orders, the most frequent first: each has the same colour on most pages.
    """
    unit, bars = spread({order.order_date.date() for order in orders.present})
    kept = bars[-MOST_BARS:]
    # A gap in front would say nothing.
    kept = kept[1:] if kept[:1] == [None] else kept
    counts = Counter((first_day(o.order_date.date(), unit), o.order_status) for o in orders.present)
    periods = {*kept}
    picture = Chart(
        f"Orders by {unit} and status",
        [GAP if bar is None else _label(bar, unit) for bar in kept],
        _series(orders, kept, unit, counts, everywhere),
        unit="orders",
        one="order",
        links=_links(orders, kept, unit),
    )
    return picture, sum(number for (day, _), number in counts.items() if day not in periods)


def _series(orders: Orders, bars: Bars, unit: str, counts: Numbers, everywhere: Collection[Any]) -> list[Series]:
    """The numbers of each status; of those for which there is no colour left, together."""
    found = [status for status, _ in orders.by("order_status")]
    statuses = [status for status in everywhere if status in found]
    statuses += [status for status in found if status not in statuses]
    own = len(statuses) if len(statuses) <= COLOURS else COLOURS - 1
    series = [Series(s, _values(bars, counts, [s]), _links(orders, bars, unit, s)) for s in statuses[:own]]
    return series + [Series(OTHERS, _values(bars, counts, statuses[own:]))] * (own < len(statuses))


def spread(days: Collection[date]) -> tuple[str, Bars]:
    """What a bar stands for, so that there are few enough; and all bars, from the first to the last."""
    found: Bars = []
    for unit, gap in UNITS.items():
        periods = sorted({first_day(day, unit) for day in days})
        found = _padded(list(_bars(periods, unit, gap)), unit)
        if len(found) <= MOST_BARS:
            return unit, found
    return "year", found


def _bars(periods: Sequence[date], unit: str, gap: int) -> Iterator[date | None]:
    """The periods with all those between them, or one gap for many."""
    last: date | None = None
    for period in periods:
        if last is not None:
            empty = _distance(last, period, unit) - 1
            if empty > gap:
                yield None
            else:
                between = next_day(last, unit)
                while between is not None and between < period:
                    yield between
                    between = next_day(between, unit)
        yield period
        last = period


def _padded(bars: Bars, unit: str) -> Bars:
    """Empty periods in front where there are few bars: one alone would fill the whole picture."""
    while bars and len(bars) < FEWEST_BARS and bars[0] and bars[0] > date.min:
        bars = [first_day(bars[0] - timedelta(days=1), unit), *bars]
    return bars


def _distance(first: date, last: date, unit: str) -> int:
    years = last.year - first.year
    return years if unit == "year" else years * 12 + last.month - first.month


def _label(day: date, unit: str) -> str:
    return f"{day.year:04}" if unit == "year" else f"{day.year:04}-{day.month:02}"


def _values(bars: Bars, counts: Numbers, statuses: Sequence[str]) -> list[int | None]:
    """Nothing where there is none: neither a gap nor an empty period has anything to lead to."""
    return [sum(counts[bar, status] for status in statuses) or None if bar else None for bar in bars]


def _links(orders: Orders, bars: Bars, unit: str, status: str | None = None) -> list[str]:
    """The list of the orders of each bar."""
    more = {} if status is None else {"order_status": status}
    return ["" if bar is None else orders_of(orders.entity, **during(bar, unit), **more) for bar in bars]


def during(first: date, unit: str) -> dict[str, Any]:
    """The condition that an order is of a period."""
    following = next_day(first, unit)
    conditions: dict[str, Any] = {"order_date__gte": begins(first, UTC)}
    return conditions if following is None else conditions | {"order_date__lt": begins(following, UTC)}
