"""Reading from SQLite."""

from __future__ import annotations

import csv
import io
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from zoneinfo import available_timezones

from django.db.models import F, Func, TextField

from catalog.engines.base import LATEST_CHANGE, Reader, Row
from catalog.engines.periods import register

STEPS_BETWEEN_LOOKS = 10_000
"""Steps of SQLite's virtual machine between two looks at the clock: a fraction of a millisecond."""

ROWS = 2000
"""Rows that are fetched at a time."""


class SQLite(Reader):
    """See `Reader`. The limit is on all statements of a request together."""

    BEGIN = "BEGIN DEFERRED"

    def fetch(self, sql: str, params: Sequence[Any], *, one_plan: bool) -> list[Row]:
        self._teach()
        with self.connection.cursor() as cursor:
            return list(cursor.execute(sql, params).fetchall())

    def latest_change(self) -> tuple[int, datetime] | None:
        with self.connection.cursor() as cursor:
            found = cursor.execute(LATEST_CHANGE).fetchone()
        return None if found is None else (found[0], found[1].replace(tzinfo=UTC))

    def begin(self, seconds: float | None) -> None:
        if seconds is None:
            self.end()
            return
        self.connection.ensure_connection()
        deadline = time.monotonic() + seconds
        self.connection.connection.set_progress_handler(lambda: time.monotonic() > deadline, STEPS_BETWEEN_LOOKS)

    def end(self) -> None:
        if self.connection.connection is not None:
            self.connection.connection.set_progress_handler(None, 0)

    def was_too_long(self, error: BaseException) -> bool:
        return getattr(error.__cause__, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT

    @contextmanager
    def without_waiting(self) -> Iterator[None]:
        with self.connection.cursor() as cursor:
            [patience] = cursor.execute("PRAGMA busy_timeout").fetchone()
            cursor.execute("PRAGMA busy_timeout = 0")
            try:
                yield
            finally:
                cursor.execute(f"PRAGMA busy_timeout = {patience:d}")

    def begin_snapshot(self, seconds: int) -> None:
        end = time.monotonic() + seconds
        with self.connection.cursor() as cursor:
            # Django's own transactions would lock writers out.
            cursor.execute("BEGIN DEFERRED")
        driver = self.connection.connection
        driver.set_progress_handler(lambda: time.monotonic() > end, STEPS_BETWEEN_LOOKS)

    def csv(self, sql: str, params: Sequence[Any]) -> Iterator[bytes]:
        with self.connection.cursor() as cursor:
            cursor.execute(sql, params)
            while rows := cursor.fetchmany(ROWS):
                text = written(rows)
                # Python's writer leaves this one unquoted where it is no line end of its own.
                yield (written(rows, csv.QUOTE_ALL) if "\r" in text else text).encode()

    def moment(self, name: F) -> Func:
        return ZonedText(name)

    def estimate(self, sql: str, params: Sequence[Any]) -> int | None:
        return None

    def zones(self) -> frozenset[str]:
        # Its times are told by functions of our own.
        return frozenset(available_timezones())

    def _teach(self) -> None:
        """Make our functions known to the driver's connection, once for each."""
        wrapper: Any = self.connection
        wrapper.ensure_connection()
        if getattr(wrapper, "taught", None) is not wrapper.connection:
            register(wrapper.connection)
            wrapper.taught = wrapper.connection


def written(rows: Iterable[Row], quoting: int = csv.QUOTE_MINIMAL) -> str:
    """Rows as lines of CSV."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n", quoting=quoting).writerows(rows)  # type: ignore[arg-type]
    return text.getvalue()


class ZonedText(Func):
    """A timestamp, which is stored as text in UTC with six decimals or none, with no more decimals than it needs."""

    # 19 characters are whole seconds.
    template = (
        "CASE WHEN length(%(expressions)s) = 19 THEN %(expressions)s ELSE rtrim(%(expressions)s, '0') END || '+00'"
    )
    output_field = TextField()
