"""`/orders/histogram/`: orders over time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta, tzinfo
from itertools import islice
from typing import Any, ClassVar

from django.http import QueryDict
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.api.dimensions import MOMENTS, TZ, read_zone
from catalog.api.schema import answers
from catalog.api.strict import InvalidQuery, Problem, gather, one_of
from catalog.api.views import OfOrders
from catalog.grouping import Grouping, period
from catalog.order_query import OrderQuery
from catalog.periods import END, UNITS, begins, next_day

FIELD, INTERVAL = "field", "interval"
USUAL_INTERVAL = "month"

MOST_BUCKETS = 10_000
"""As many as the calendar has years."""

LENGTH = {"year": 365, "quarter": 90, "month": 28, "week": 7, "day": 1, "hour": 1 / 24}
"""The days that a period has at least."""


class HistogramView(OfOrders):
    """How many orders there are in each year, quarter, month, week, day or hour, from the first to the last."""

    name = "Histogram of orders"
    operations: ClassVar = {"get": answers.histogram(MOMENTS, UNITS)}
    parameters = (FIELD, INTERVAL, TZ)

    def read_parameters(self, params: QueryDict) -> None:
        self.field = str(params.get(FIELD, MOMENTS[0]))
        self.interval = str(params.get(INTERVAL, USUAL_INTERVAL))
        gather(
            lambda: one_of(FIELD, self.field, MOMENTS),
            lambda: one_of(INTERVAL, self.interval, UNITS),
            lambda: read_zone(params),
        )
        self.zone = read_zone(params)

    def get(self, request: Request) -> Response:
        query = self.ask()
        by = (period(self.field, self.interval, self.zone),)
        found = Grouping(by, order=(by[0].name,), limit=MOST_BUCKETS + 2).rows(query)
        numbers = {row[0]: row[1] for row in found}
        total, missing = sum(numbers.values()), numbers.pop(None, 0)
        spans = list(islice(self.spans(numbers), MOST_BUCKETS + 1))
        if len(spans) > MOST_BUCKETS:
            raise InvalidQuery(self._too_many(query))
        return Response(
            {
                "field": self.field,
                "interval": self.interval,
                "tz": self.zone.key,
                "total": total,
                "missing": missing,
                "buckets": [
                    {"start": local(start, self.zone), "end": local(end, self.zone), "count": numbers.get(key, 0)}
                    for key, start, end in spans
                ],
            }
        )

    def spans(self, keys: Any) -> Iterator[tuple[Any, datetime, datetime]]:
        """All periods from the first to the last: what the database calls them, and from when to when they are."""
        if not keys:
            return
        if self.interval == "hour":
            yield from _hours(min(keys), max(keys))
            return
        first: date | None = min(keys)
        last = max(keys)
        while first is not None and first <= last:
            following = next_day(first, self.interval)
            yield first, begins(first, self.zone), begins(following, self.zone)
            first = following

    def _too_many(self, query: OrderQuery) -> Problem:
        """What to do instead: the finest interval that would do."""
        [(_, first, last)] = Grouping(metrics=(f"first_{self.field}", f"last_{self.field}")).rows(query)
        days = (last - first).days + 2
        fine = [unit for unit in reversed(UNITS) if days / LENGTH[unit] <= MOST_BUCKETS]
        message = (
            f"From {first:%Y-%m-%d} to {last:%Y-%m-%d} there are more than {MOST_BUCKETS} buckets of one "
            f"{self.interval}. Take interval={fine[0] if fine else 'year'}, or narrow the orders with "
            f"{self.field}__gte and {self.field}__lt."
        )
        return Problem(INTERVAL, message, tuple(fine))


def _hours(first: datetime, last: datetime) -> Iterator[tuple[datetime, datetime, datetime]]:
    hour = timedelta(hours=1)
    for _ in range((last - first) // hour + 1):
        end = first + hour if END - first >= hour else END
        yield first, first, end
        first = end


def local(moment: datetime, zone: tzinfo) -> datetime:
    """A moment as the clocks of a zone show it, as far as the calendar goes."""
    try:
        return moment.astimezone(zone)
    except OverflowError:
        return moment
