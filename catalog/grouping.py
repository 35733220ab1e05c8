"""Numbers of orders by dimensions: from the summary where it can answer, from the rows otherwise."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, cast
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import (
    BigIntegerField,
    Count,
    Expression,
    ExpressionWrapper,
    F,
    Max,
    Min,
    Model,
    Q,
    QuerySet,
    Sum,
    Value,
    Window,
)
from django.db.models.expressions import Combinable, OrderBy
from django.db.models.functions import Cast, Coalesce

from catalog.engines.periods import Period
from catalog.order_query import OrderQuery
from catalog.periods import DAYS
from catalog.prepared import Row, rows
from catalog.tallies import table_for

ORDER_DATE = "order_date"


@dataclass(frozen=True, slots=True)
class Dimension:
    """A column, or the periods of a column in a time zone."""

    column: str
    unit: str = ""
    zone: str = ""

    @property
    def name(self) -> str:
        """What it is called in queries and answers."""
        return f"{self.column}__{self.unit}" if self.unit else self.column

    @property
    def expression(self) -> Combinable:
        return Period(self.column, self.unit, self.zone) if self.unit else F(self.column)

    @property
    def is_of_days(self) -> bool:
        """Whether all orders of a day of the sources' zone have the same value, as far as their date says it."""
        return self.column != ORDER_DATE or (self.unit in DAYS and self.zone == settings.SOURCE_TIME_ZONE.key)


def period(column: str, unit: str, zone: ZoneInfo) -> Dimension:
    """The periods of a timestamp."""
    return Dimension(column, unit, zone.key)


def numbered(column: str) -> Expression:
    """A number together with the source that has given it out: each source numbers things on its own.

    An order's key is its source's number with twelve digits behind it, which are the order's own number.
    """
    return ExpressionWrapper(F("key") - F("order_id") + F(column), BigIntegerField())


def _day() -> Period:
    return Period(ORDER_DATE, "day", settings.SOURCE_TIME_ZONE.key)


METRICS: dict[str, Callable[[], Expression]] = {
    "count": lambda: Count("*"),
    "distinct_customers": lambda: Count(numbered("customer_id"), distinct=True),
    "distinct_products": lambda: Count(numbered("product_id"), distinct=True),
    "distinct_payments": lambda: Count(numbered("payment_id"), distinct=True),
    "distinct_vouchers": lambda: Count(numbered("voucher_id"), distinct=True),
    "with_payment": lambda: Count("payment_id"),
    "with_payment_date": lambda: Count("payment_date"),
    "with_voucher": lambda: Count("voucher_id"),
    "with_product": lambda: Count("product_id"),
    "first_order_date": lambda: Min(ORDER_DATE),
    "last_order_date": lambda: Max(ORDER_DATE),
    "first_payment_date": lambda: Min("payment_date"),
    "last_payment_date": lambda: Max("payment_date"),
    "first_day": lambda: Min(_day()),
    "last_day": lambda: Max(_day()),
}
"""What can be told of a group of orders."""

TALLIED: dict[str, Callable[[], Expression]] = {
    # There is nothing to add up where there are no cells.
    "count": lambda: Cast(Coalesce(Sum("orders"), 0), BigIntegerField()),
    "first_day": METRICS["first_day"],
    "last_day": METRICS["last_day"],
}
"""The same of cells of the summary, as far as it knows."""

OF_DAYS = frozenset({"first_day", "last_day"})

GROUPS = "groups"
"""The last column of a grouping with a limit: the number of groups in all."""


@dataclass(frozen=True, slots=True)
class Grouping:
    """What is asked of groups of orders. `order` names dimensions and metrics; one with `-` before it is descending."""

    by: tuple[Dimension, ...] = ()
    metrics: tuple[str, ...] = ("count",)
    having: Q = field(default_factory=Q)
    having_of: frozenset[str] = frozenset()
    order: tuple[str, ...] = ()
    limit: int | None = None

    def rows(self, query: OrderQuery) -> list[Row]:
        """A row for each group: the values of its dimensions, then of its metrics, then of what else is needed."""
        return self._rows(query, self.tally(query))

    def tallied(self, query: OrderQuery) -> list[Row] | None:
        """The same where the summary can tell; otherwise None, without a look at the orders."""
        tally = self.tally(query)
        return None if tally is None else self._rows(query, tally)

    def _rows(self, query: OrderQuery, tally: type[Model] | None) -> list[Row]:
        key = (self, tally, query.at)
        found = rows(lambda q: self._build(query, tally, q), query.q, key, one_plan=tally is not None)
        if found or self.by or self.having:
            return found
        # Django does not ask at all where a condition cannot be met; but of nothing there are figures as well.
        nothing = (None if name.startswith(("first_", "last_")) else 0 for name in self._needed)
        return [(0, *nothing)] if self.limit is None else [(0, *nothing, 1)]

    def tally(self, query: OrderQuery) -> type[Model] | None:
        """The table of the summary that can answer; none where only the rows can."""
        if query.at is not None or not {*self._needed} <= {*TALLIED}:
            return None
        columns = {*query.columns, *(by.column for by in self.by)}
        if OF_DAYS & {*self._needed}:
            columns.add(ORDER_DATE)
        return table_for(columns, whole_days=query.whole_days and all(by.is_of_days for by in self.by))

    @property
    def _needed(self) -> tuple[str, ...]:
        """All metrics, those that are asked for first."""
        ordered_by = (name.lstrip("-") for name in self.order)
        others = sorted(self.having_of) + [name for name in ordered_by if name in METRICS]
        return tuple(dict.fromkeys([*self.metrics, *others]))

    def _build(self, query: OrderQuery, tally: type[Model] | None, q: Q) -> QuerySet[Any, Any]:
        source: QuerySet[Any, Any] = query.base() if tally is None else tally._default_manager.all()
        known: Mapping[str, Callable[[], Expression]] = METRICS if tally is None else TALLIED
        names = {by.name: f"group_{place}" for place, by in enumerate(self.by)}
        groups = {names[by.name]: by.expression for by in self.by} or {"group_0": Value(0)}
        grouped = source.filter(q).order_by().annotate(**groups).values_list(*groups)
        grouped = grouped.annotate(**{name: known[name]() for name in self._needed}).filter(self.having)
        if self.limit is not None:
            grouped = grouped.annotate(**{GROUPS: Window(Count("*"))})
            grouped = grouped.order_by(*self._order(names))[: self.limit]
        return cast("QuerySet[Any, Any]", grouped)

    def _order(self, names: Mapping[str, str]) -> list[OrderBy]:
        """Missing values come last ascending and first descending; ties are broken by the dimensions in their order."""
        said = {key.lstrip("-") for key in self.order}
        keys = (*self.order, *(name for name in names if name not in said))
        return [
            OrderBy(F(names.get(name, name)), descending=True, nulls_first=True)
            if descending
            else OrderBy(F(names.get(name, name)), nulls_last=True)
            for name, descending in ((key.lstrip("-"), key.startswith("-")) for key in keys)
        ]


def folded(cells: Collection[Row], place: int) -> dict[Any, int]:
    """Numbers by the value in one place of rows, whose last value is a number."""
    numbers: dict[Any, int] = {}
    for cell in cells:
        value = cell[place]
        numbers[value] = numbers.get(value, 0) + cell[-1]
    return numbers
