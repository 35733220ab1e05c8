"""Reading from SQLite."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from catalog.engines.base import Reader, Row

STEPS_BETWEEN_LOOKS = 10_000
"""Steps of SQLite's virtual machine between two looks at the clock: a fraction of a millisecond."""


class SQLite(Reader):
    """See `Reader`. The limit is on all statements of a request together."""

    def fetch(self, sql: str, params: Sequence[Any], *, one_plan: bool) -> list[Row]:
        with self.connection.cursor() as cursor:
            return list(cursor.execute(sql, params).fetchall())

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
