"""Reading from SQLite."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from catalog.engines.base import Reader, Row


class SQLite(Reader):
    """See `Reader`."""

    def fetch(self, sql: str, params: Sequence[Any], *, one_plan: bool) -> list[Row]:
        with self.connection.cursor() as cursor:
            return list(cursor.execute(sql, params).fetchall())
