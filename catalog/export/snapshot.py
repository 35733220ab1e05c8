"""The catalogue at one moment, read through a connection of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import QuerySet

from catalog.engines import reader_for
from catalog.export.columns import Column
from catalog.models import Change
from catalog.querysets import OrderQuerySet


class Snapshot:
    """All that is read here is of one moment, however long it takes and whatever is loaded meanwhile.

    The thread's own connection stays as it is. `close` ends whatever is still being read.
    """

    def __init__(self) -> None:
        self._open = ExitStack()
        self.connection = connections[DEFAULT_DB_ALIAS].copy()
        # Whoever ends it may be another thread than who began it.
        self.connection.inc_thread_sharing()
        self._open.callback(self.connection.close)
        self.reader = reader_for(self.connection)
        try:
            self.reader.begin_snapshot(settings.EXPORT_TIMEOUT)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self._open.close()

    def change(self, at: int | None) -> tuple[int, datetime | None]:
        """The latest change, up to `at` if that is given, and its moment; 0 and none before the first."""
        changes = Change.objects.order_by("-id").values_list("id", "at")
        if at is not None:
            changes = changes.filter(id__lte=at)
        found = next(changes[:1].query.get_compiler(connection=self.connection).results_iter(), None)
        return (0, None) if found is None else (int(found[0]), found[1])

    def has_more_than(self, limit: int, orders: OrderQuerySet) -> bool:
        sql, params = self._compiled(orders.order_by().values_list("key")[: limit + 1])
        [(found,)] = self.reader.fetch(f"SELECT COUNT(*) FROM ({sql}) AS counted", params, one_plan=False)  # noqa: S608  Django's own
        return bool(found > limit)

    def rows(self, orders: OrderQuerySet, columns: Sequence[Column], *, raw: bool) -> Iterator[bytes]:
        """The orders as lines of CSV without a header, some at a time."""
        selected = orders.values_list(*(column.expression(self.reader, raw=raw) for column in columns))
        lines = self.reader.csv(*self._compiled(selected))
        self._open.enter_context(closing(lines))  # type: ignore[type-var]  # all are generators
        return lines

    def _compiled(self, queryset: QuerySet[Any, Any]) -> tuple[str, Sequence[Any]]:
        # A query that cannot find anything is asked like any other.
        compiler = queryset.query.get_compiler(connection=self.connection, elide_empty=False)
        sql, params = compiler.as_sql()
        return sql, tuple(params)
