"""The period to which a moment belongs, as each database finds it."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import DateField, DateTimeField, Func
from django.db.models.sql.compiler import SQLCompiler

from catalog.periods import first_day, local_day

SQLITE_NAME = "catalog_period"
HOUR = len("2018-07-12 17")


class Period(Func):
    """The first day of a timestamp's year, quarter, month, week or day in a time zone; or the moment its hour begins.

    Days outside of the calendar, as the first and the last have in some zones, count as the first or last of it.
    """

    def __init__(self, column: str, unit: str, zone: str) -> None:
        super().__init__(column, output_field=DateTimeField() if unit == "hour" else DateField())
        self.unit = unit
        self.zone = zone

    def as_postgresql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any) -> Any:
        column, params = compiler.compile(self.source_expressions[0])
        if self.unit == "hour":
            return f"date_trunc('hour', {column}, 'UTC')", params
        local = f"LEAST(GREATEST({column} AT TIME ZONE %s, TIMESTAMP '0001-01-01'), TIMESTAMP '9999-12-31')"
        # LEAST and GREATEST pass a missing value by.
        found = f"CASE WHEN {column} IS NOT NULL THEN date_trunc('{self.unit}', {local})::date END"
        return found, [*params, *params, self.zone]

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any) -> Any:
        column, params = compiler.compile(self.source_expressions[0])
        if self.unit == "hour":
            return f"substr({column}, 1, {HOUR}) || ':00:00'", params
        return f"{SQLITE_NAME}({column}, %s, %s)", [*params, self.unit, self.zone]


def register(driver: sqlite3.Connection) -> None:
    """Teach SQLite's connection the function that `Period` calls."""
    driver.create_function(SQLITE_NAME, 3, period, deterministic=True)


def period(text: str | None, unit: str, zone: str) -> str | None:
    """What `Period` is of a timestamp as SQLite stores it."""
    if text is None:
        return None
    return _of_hour(text[:HOUR], unit, zone) or _of(datetime.fromisoformat(text).replace(tzinfo=UTC), unit, zone)


@lru_cache(maxsize=100_000)
def _of_hour(hour: str, unit: str, zone: str) -> str | None:
    """The period of a whole hour: orders are many and hours are few. None where it ends within the hour."""
    start = datetime.fromisoformat(f"{hour}:00:00").replace(tzinfo=UTC)
    first, last = (_of(moment, unit, zone) for moment in (start, start + timedelta(minutes=59, seconds=59)))
    return first if first == last else None


def _of(moment: datetime, unit: str, zone: str) -> str:
    return first_day(local_day(moment, ZoneInfo(zone)), unit).isoformat()
