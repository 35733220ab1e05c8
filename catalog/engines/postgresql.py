"""Reading from PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
from django.db.backends.utils import CursorDebugWrapper, CursorWrapper
from psycopg.pq import Format

from catalog.engines.base import Reader, Row


class LoggingCursor(CursorDebugWrapper):
    """Logs a statement with its values; of one that was prepared Django would log the places of the values."""

    def execute(self, sql: Any, params: Any = None) -> None:
        super().execute(sql, params)
        self.db.queries_log[-1]["sql"] = self.db.ops.compose_sql(sql, params)


class PreparingCursor(psycopg.Cursor[Any]):
    """Prepares each statement on the server, which plans it a few times and then no more."""

    def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        return super().execute(query, params, **options | {"prepare": True})


class PostgreSQL(Reader):
    """See `Reader`."""

    def fetch(self, sql: str, params: Sequence[Any], *, one_plan: bool) -> list[Row]:
        self.connection.close_if_health_check_failed()
        self.connection.ensure_connection()
        # Django's own cursor asks for text, which takes several times longer to read than values in binary form.
        cursor: Any = (PreparingCursor if one_plan else psycopg.Cursor)(self.connection.connection)
        cursor.format = Format.BINARY
        wrapper = LoggingCursor if self.connection.queries_logged else CursorWrapper
        with wrapper(cursor, self.connection) as wrapped:
            wrapped.execute(sql, params)
            return list(wrapped.fetchall())
