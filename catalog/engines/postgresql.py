"""Reading from PostgreSQL."""

from __future__ import annotations

import json
import select
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from typing import Any, cast
from weakref import WeakKeyDictionary

import psycopg
from django.db.backends.utils import CursorDebugWrapper, CursorWrapper
from django.db.models import F
from psycopg.pq import Format

from catalog.engines.base import LATEST_CHANGE, PIECE, Reader, Row

CHECKED_EVERY = 1.0
"""Seconds for which a connection that answered is taken to work, unless its socket says otherwise."""

Limit = tuple[float | None, bool]

LIMITS: WeakKeyDictionary[psycopg.Connection, Limit] = WeakKeyDictionary()
"""The limit of each connection, and whether it is sure to hold still: one set in a transaction may be rolled back."""

CHECKED: WeakKeyDictionary[psycopg.Connection, float] = WeakKeyDictionary()
"""When each connection has answered last, when asked."""

NO_LIMIT: Limit = (None, True)

READING = (
    "SELECT set_config('statement_timeout', %s, false), set_config('plan_cache_mode', 'force_generic_plan', false)"
)
"""Left alone, PostgreSQL plans a prepared statement anew each time: it takes the first rows of a range to be many."""


class LoggingCursor(CursorDebugWrapper):
    """Logs a statement with its values; of one that was prepared Django would log the places of the values."""

    def execute(self, sql: Any, params: Any = None) -> None:
        super().execute(sql, params)
        self.db.queries_log[-1]["sql"] = self.db.ops.compose_sql(sql, params)


class PlanningCursor(psycopg.Cursor[Any]):
    """Has each statement planned for its very values: the driver quotes them, as it does for Django's own cursor."""

    def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        filled = psycopg.ClientCursor(self.connection).mogrify(query, params)
        return super().execute(filled, **options | {"prepare": False})


class PreparingCursor(psycopg.Cursor[Any]):
    """Prepares each statement on the server, which plans it once, as `begin` says, and then no more."""

    def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        # Django switches off that the driver prepares anything at all, asked to or not; here it is on.
        self.connection.prepare_threshold = 0
        try:
            return super().execute(query, params, **options | {"prepare": True})
        finally:
            self.connection.prepare_threshold = None


class PostgreSQL(Reader):
    """See `Reader`."""

    BEGIN = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"

    def fetch(self, sql: str, params: Sequence[Any], *, one_plan: bool) -> list[Row]:
        self.connection.close_if_health_check_failed()
        self.connection.ensure_connection()
        # Django's own cursor asks for text, which takes several times longer to read than values in binary form.
        cursor: Any = (PreparingCursor if one_plan else PlanningCursor)(self.connection.connection)
        cursor.format = Format.BINARY
        wrapper = LoggingCursor if self.connection.queries_logged else CursorWrapper
        with wrapper(cursor, self.connection) as wrapped:
            wrapped.execute(sql, params)
            return list(wrapped.fetchall())

    def latest_change(self) -> tuple[int, datetime] | None:
        wrapper: Any = self.connection
        if wrapper.queries_logged:
            # By a way on which the log sees it.
            found = self.fetch(LATEST_CHANGE, (), one_plan=True)
            return cast("tuple[int, datetime]", found[0]) if found else None
        # Of so small a question, getting ready for it is most of the time: the cursor is kept with its connection.
        wrapper.ensure_connection()
        cursor = getattr(wrapper, "asking_for_the_latest", None)
        with wrapper.wrap_database_errors:
            if cursor is None or cursor.connection is not wrapper.connection:
                cursor = wrapper.asking_for_the_latest = PreparingCursor(wrapper.connection)
                cursor.format = Format.BINARY
            cursor.execute(LATEST_CHANGE)
            return cast("tuple[int, datetime] | None", cursor.fetchone())

    def begin(self, seconds: float | None) -> None:
        check(self.connection)
        if seconds is None and self.connection.connection is None:
            return
        self.connection.ensure_connection()
        driver = self.connection.connection
        # Sent only when it changes: reads mostly follow reads. It stays in force when the request is over.
        if LIMITS.get(driver, NO_LIMIT) == (seconds, True):
            return
        with self.connection.wrap_database_errors:
            if seconds is None:
                driver.execute("RESET statement_timeout")
            else:
                driver.execute(READING, [f"{max(1, seconds * 1000):.0f}"])
        LIMITS[driver] = (seconds, not self.connection.in_atomic_block)

    def end(self) -> None:
        # Whatever writes is a request of its own, or a process of its own.
        return

    def was_too_long(self, error: BaseException) -> bool:
        limited = LIMITS.get(self.connection.connection, NO_LIMIT)[0] is not None
        return limited and isinstance(error.__cause__, psycopg.errors.QueryCanceled)

    def without_waiting(self) -> AbstractContextManager[None]:
        # Loads lock no rows but their own.
        return nullcontext()

    def begin_snapshot(self, seconds: int) -> None:
        settings = {
            "statement_timeout": f"{seconds}s",
            # COPY writes timestamps as these say.
            "timezone": "UTC",
            "datestyle": "ISO",
            # When this process dies, the server notices even while it sorts.
            "client_connection_check_interval": "2s",
        }
        with self.connection.cursor() as cursor:
            cursor.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            for name, value in settings.items():
                cursor.execute("SELECT set_config(%s, %s, true)", [name, value])

    def csv(self, sql: str, params: Sequence[Any]) -> Iterator[bytes]:
        self.connection.ensure_connection()
        copy_out = f"COPY ({sql}) TO STDOUT (FORMAT csv)"
        with (
            self.connection.wrap_database_errors,
            psycopg.Cursor(self.connection.connection) as cursor,
            cursor.copy(copy_out, params) as copy,
        ):
            alone = cursor.pgresult is not None and cursor.pgresult.nfields == 1
            yield from joined(visible(copy) if alone else copy)

    def moment(self, name: F) -> F:
        return name

    def estimate(self, sql: str, params: Sequence[Any]) -> int | None:
        with self.connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", params)
            [plan] = cursor.fetchone()
        # The driver reads JSON by itself, unless Django has told it otherwise.
        [explained] = json.loads(plan) if isinstance(plan, str) else plan
        return int(explained["Plan"]["Plan Rows"])

    def zones(self) -> frozenset[str]:
        with self.connection.cursor() as cursor:
            cursor.execute("SELECT name FROM pg_timezone_names")
            return frozenset(name for (name,) in cursor.fetchall())


def check(connection: Any) -> None:
    """Replace a connection that has gone, as Django does, without asking the server for each request.

    A server that has ended has closed its sockets, which shows without a question; what does not show, such as a
    network that drops packets, is found within `CHECKED_EVERY` seconds.
    """
    driver, now = connection.connection, time.monotonic()
    if driver is None:
        return
    if not connection.health_check_done and now - CHECKED.get(driver, 0.0) < CHECKED_EVERY and is_quiet(driver):
        connection.health_check_done = True
        return
    connection.close_if_health_check_failed()
    if connection.connection is not None:
        CHECKED[driver] = now


def is_quiet(driver: psycopg.Connection) -> bool:
    """Whether nothing has arrived that nobody asked for: the last words of a server, or the end of the stream."""
    if driver.closed:
        return False
    waiting = select.poll()
    waiting.register(driver.fileno(), select.POLLIN)
    return not waiting.poll(0)


def visible(lines: Iterable[Any]) -> Iterator[Any]:
    """Lines of one column, none of them empty: readers of CSV skip empty lines."""
    for line in lines:
        yield b'""\n' if line == b"\n" else line


def joined(lines: Iterable[Any]) -> Iterator[bytes]:
    """Lines, many at a time: the driver gives them out one by one."""
    piece = bytearray()
    for line in lines:
        piece += line
        if len(piece) >= PIECE:
            yield bytes(piece)
            piece.clear()
    if piece:
        yield bytes(piece)
