"""The catalogue as it stood at a moment: current orders and superseded versions, read as one table."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from django.apps import apps
from django.db.models.sql.datastructures import BaseTable

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.models import QuerySet
    from django.db.models.sql.compiler import SQLCompiler

    Q = TypeVar("Q", bound="QuerySet[Any]")


def change_at(moment: datetime) -> int:
    """The number of the last change that was in force at a moment; 0 before the first.

    Changes are numbered in the order of their moments, so everything up to that number was in force.
    """
    changes = apps.get_model("catalog", "Change").objects
    found = changes.filter(at__lte=moment).order_by("-at", "-id").values_list("id", flat=True).first()
    return int(found or 0)


def stand_at(queryset: Q, change: int) -> Q:
    """The same query over the orders as they stood after a change."""
    query = queryset.query
    alias = query.get_initial_alias()
    query.alias_map[alias] = StateTable(str(alias), change)
    return queryset


class StateTable(BaseTable):
    """Stands where the table of orders would: each order's state that was in force after a change."""

    table_alias: str

    def __init__(self, alias: str, change: int) -> None:
        self.order = apps.get_model("catalog", "Order")
        self.version = apps.get_model("catalog", "OrderVersion")
        self.change = change
        super().__init__(self.order._meta.db_table, alias)

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, tuple[int, ...]]:
        quote = connection.ops.quote_name
        columns = ", ".join(quote(str(field.column)) for field in self.order._meta.concrete_fields)
        current, past = quote(self.order._meta.db_table), quote(self.version._meta.db_table)
        alias = compiler.quote_name_unless_alias(str(self.table_alias))
        sql = (
            f"(SELECT {columns} FROM {current} WHERE change_id <= %s UNION ALL "  # noqa: S608  names of the models
            f"SELECT {columns} FROM {past} WHERE change_id <= %s AND ended_by_id > %s) {alias}"
        )
        return sql, (self.change,) * 3

    def relabeled_clone(self, change_map: Mapping[str | None, str]) -> StateTable:
        alias = str(self.table_alias)
        return StateTable(change_map.get(alias, alias), self.change)

    @property
    def identity(self) -> tuple[Any, ...]:
        return (*super().identity, self.change)
