"""The tallies: kept current by adding what each change has made and subtracting what it has ended."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Min, Model, QuerySet, Value

from catalog.engines.days import DayBegins
from catalog.models import Change, Order, OrderVersion
from catalog.tally_models import DayTally, StateTally, TallyZone

STATE = ("source", "website", "order_status", "voucher_status", "payment_status", "removed")
"""The dimensions of `StateTally`."""

DAY = ("order_date", *STATE)
"""The dimensions of `DayTally`."""

Tally = type[StateTally] | type[DayTally]


def table_for(columns: Collection[str], *, whole_days: bool) -> Tally | None:
    """The smallest tally that can answer a question which reads these columns of orders; None where only rows can.

    `whole_days`: whatever the question says of `order_date`, it says of whole days in `settings.SOURCE_TIME_ZONE`.
    """
    wanted = set(columns)
    if not wanted <= {*DAY} or not (whole_days or wanted <= {*STATE}):
        return None
    zone = counted_in()
    if wanted <= {*STATE}:
        return StateTally if zone else None
    return DayTally if zone == settings.SOURCE_TIME_ZONE.key else None


def counted_in() -> str | None:
    """The zone by whose days orders are counted; None while nothing has been counted."""
    return TallyZone.objects.values_list("name", flat=True).first()


def add(change: Change) -> None:
    """Bring the tallies up to a change, in its transaction: all that it has written is there."""
    zone = counted_in()
    if zone is None or made_all(change):
        rebuild()
        return
    made, ended = Order.objects.filter(change=change), OrderVersion.objects.filter(ended_by=change)
    _merge(DayTally, DAY, _weighed(made, zone), _weighed(ended, zone, weight=-1))
    _merge(StateTally, STATE, _weighed(made), _weighed(ended, weight=-1))


def made_all(change: Change) -> bool:
    """Whether all orders that there are were made by the latest change, as after a first load."""
    return Order.objects.aggregate(first=Min("change"))["first"] in (None, change.pk)


def rebuild() -> None:
    """Count all orders anew, by the days of the zone that is set now. The catalogue must be locked."""
    zone = settings.SOURCE_TIME_ZONE.key
    for tally in (DayTally, StateTally):
        tally.objects.all().delete()
    TallyZone.objects.update_or_create(pk=1, defaults={"name": zone})
    _merge(DayTally, DAY, _weighed(Order.objects.all(), zone))
    # The days are many fewer than the orders.
    _merge(StateTally, STATE, DayTally.objects.order_by().values_list(*STATE, "orders"))


def _weighed(states: QuerySet[Any, Any], zone: str | None = None, *, weight: int = 1) -> QuerySet[Any, Any]:
    """The dimensions of each order, by days too if a zone is given, and what it counts for."""
    by: tuple[str, ...] = STATE
    if zone:
        states, by = states.annotate(day=DayBegins("order_date", zone)), ("day", *STATE)
    rows: QuerySet[Any, Any] = states.order_by().annotate(weight=Value(weight)).values_list(*by, "weight")
    return rows


def _merge(tally: type[Model], dimensions: tuple[str, ...], *deltas: QuerySet[Any, Any]) -> None:
    """Add numbers to a tally, and leave out what there is none of any more. The same statement on every database."""
    queries = [delta.query.sql_with_params() for delta in deltas]
    names = ", ".join((*dimensions, "orders"))
    cell = " || '|' || ".join(f"COALESCE(CAST({name} AS text), '')" for name in dimensions)
    table = connection.ops.quote_name(tally._meta.db_table)
    with connection.cursor() as cursor:
        # Tables and columns are the models' own; all values are parameters.
        cursor.execute(
            f"WITH delta ({names}) AS ({' UNION ALL '.join(sql for sql, _ in queries)}) "  # noqa: S608
            f"INSERT INTO {table} AS t (cell, {names}) "
            f"SELECT {cell}, {', '.join(dimensions)}, SUM(orders) FROM delta "
            # In this order: days differ most, so SQLite compares few columns when it sorts.
            f"GROUP BY {', '.join(dimensions)} HAVING SUM(orders) <> 0 "
            "ON CONFLICT (cell) DO UPDATE SET orders = t.orders + excluded.orders",
            [param for _, params in queries for param in params],
        )
        cursor.execute(f"DELETE FROM {table} WHERE orders = 0")  # noqa: S608
