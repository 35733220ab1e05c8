"""The catalogue as it stood at a moment: current orders and superseded versions, read as one table."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from django.apps import apps
from django.db.models import BigIntegerField
from django.db.models.expressions import Col
from django.db.models.lookups import GreaterThan, IsNull, LessThanOrEqual
from django.db.models.sql.datastructures import BaseTable
from django.db.models.sql.where import AND, OR, WhereNode

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
    alias = str(query.get_initial_alias())
    table = StateTable(alias)
    query.alias_map[alias] = table
    query.where.add(table.in_force(change), AND)
    return queryset


class StateTable(BaseTable):
    """Stands where the table of orders would: every state of every order, with the change that ended it."""

    table_alias: str

    def __init__(self, alias: str) -> None:
        self.order = apps.get_model("catalog", "Order")
        self.version = apps.get_model("catalog", "OrderVersion")
        super().__init__(self.order._meta.db_table, alias)

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, tuple[()]]:
        quote = connection.ops.quote_name
        columns = ", ".join(quote(str(field.column)) for field in self.order._meta.concrete_fields)
        current, past = quote(self.order._meta.db_table), quote(self.version._meta.db_table)
        alias = compiler.quote_name_unless_alias(str(self.table_alias))
        # Without conditions of their own the two can be read by their indexes, and merged in the order asked for.
        sql = (
            f"(SELECT {columns}, CAST(NULL AS bigint) AS ended_by_id FROM {current} UNION ALL "  # noqa: S608  models'
            f"SELECT {columns}, ended_by_id FROM {past}) {alias}"
        )
        return sql, ()

    def in_force(self, change: int) -> WhereNode:
        """The condition that a state was in force after a change."""
        began = Col(self.table_alias, self.order._meta.get_field("change"), BigIntegerField())
        ended = Col(self.table_alias, self.version._meta.get_field("ended_by"), BigIntegerField())
        # The stubs know of nodes below a node only.
        not_ended: Any = [IsNull(ended, True), GreaterThan(ended, change)]
        conditions: Any = [LessThanOrEqual(began, change), WhereNode(not_ended, OR)]
        return WhereNode(conditions, AND)

    def relabeled_clone(self, change_map: Mapping[str | None, str]) -> StateTable:
        alias = str(self.table_alias)
        return StateTable(change_map.get(alias, alias))

    @property
    def identity(self) -> tuple[Any, ...]:
        return (*super().identity, "states")
