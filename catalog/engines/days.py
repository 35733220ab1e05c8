"""The day to which a moment belongs, as each database finds it."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import DateTimeField, Func
from django.db.models.sql.compiler import SQLCompiler

MIDNIGHT = time()


def day_begins(text: str, zone: str) -> str:
    """The moment at which a moment's day begins in a zone; both as SQLite stores them, in UTC."""
    moment = datetime.fromisoformat(text).replace(tzinfo=UTC)
    try:
        begin = datetime.combine(moment.astimezone(ZoneInfo(zone)), MIDNIGHT, ZoneInfo(zone)).astimezone(UTC)
    except OverflowError:
        # On the first and the last day of the calendar.
        begin = datetime.combine(moment, MIDNIGHT, UTC)
    return begin.replace(tzinfo=None).isoformat(" ")


class DayBegins(Func):
    """The moment at which the day of a timestamp begins in a time zone."""

    output_field = DateTimeField()

    def __init__(self, column: str, zone: str) -> None:
        super().__init__(column)
        self.zone = zone

    def as_postgresql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any) -> Any:
        column, params = compiler.compile(self.source_expressions[0])
        # Where the calendar begins, the day may have begun before it.
        first = "TIMESTAMPTZ '0001-01-01 00:00:00+00'"
        return f"GREATEST(date_trunc('day', {column}, %s), {first})", [*params, self.zone]

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any) -> Any:
        column, params = compiler.compile(self.source_expressions[0])
        if self.zone == "UTC":
            # Fifty times cheaper than a function in Python, and exact: that is how SQLite stores them.
            return f"substr({column}, 1, 10) || ' 00:00:00'", params
        connection.ensure_connection()
        connection.connection.create_function("catalog_day_begins", 2, day_begins, deterministic=True)
        return f"catalog_day_begins({column}, %s)", [*params, self.zone]
