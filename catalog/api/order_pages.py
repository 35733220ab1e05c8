"""Pages of orders: cut like any others, but read as plain rows."""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.db.models import Model, Q, QuerySet
from rest_framework.request import Request
from rest_framework.views import APIView

from catalog.api import pagination
from catalog.api.columns import PARAMETER as FIELDS
from catalog.api.columns import Shape, read_fields
from catalog.api.conditional import catalogue_version, version_named, with_version
from catalog.api.keyset import Anchor, Keys, ordered
from catalog.api.memory import Memory
from catalog.api.pagination import Counted, KeysetPagination, counted_to_bound, filters_of
from catalog.api.strict import gather
from catalog.engines import reader_for
from catalog.grouping import Grouping
from catalog.order_query import OrderQuery
from catalog.prepared import rows

COUNTS_KEPT = 1000

INDEXED = frozenset({"source", "website", "voucher_status", "customer_id", "product_id", "removed"})
"""Columns with an index of all their values: it is the way to each of them, be it rare or not."""


class OrderPagination(KeysetPagination):
    """Pages of an `OrderQuery`, as dictionaries with the fields that were asked for."""

    parameters = (*KeysetPagination.parameters, FIELDS)
    shape: Shape
    version = ""

    def read(self, request: Request, view: Any, model: type[Model]) -> None:
        params = request.query_params
        gather(lambda: super(OrderPagination, self).read(request, view, model), lambda: read_fields(params))
        self.shape = Shape(read_fields(params))

    def page(self, query: OrderQuery, request: Request, version: str) -> list[dict[str, Any]]:
        """The orders of the page that is asked for; `version` is that of the catalogue, if it is known already."""
        self.url = request.build_absolute_uri()
        self.version = version
        # Where a row is to be found again stands behind what is shown of it.
        paths = self.shape.paths
        self.paths = (*paths, *(key.name for key in self.asked.keys if key.name not in paths))
        self.places = tuple(self.paths.index(key.name) for key in self.asked.keys)
        self.cut(query)
        self.version = self.version or catalogue_version()
        self.counted = count_of(query, self.asked.count, (self.version, filters_of(request)))
        return self.shape.orders(self.rows, request)

    def paginate_queryset(self, queryset: Any, request: Request, view: APIView | None = None) -> list[Any] | None:
        raise TypeError("pages of orders are cut from an OrderQuery")

    def first(self, source: OrderQuery, condition: Q, keys: Keys, limit: int) -> list[Any]:
        def build(q: Q) -> QuerySet[Any, Any]:
            return with_version(ordered(source.base().filter(q), keys), self.paths)[:limit]

        q = source.q & condition
        one_plan = source.at is None and source.columns <= INDEXED
        found = rows(build, q, (self.paths, keys, limit, source.at), one_plan=one_plan)
        if found and not self.version:
            # Of two statements the first is the one whose version holds for both.
            self.version = version_named(*found[0][-2:])
        return found

    def anchor(self, row: Any) -> Anchor:
        return tuple(row[place] for place in self.places)


_counts: Memory[Counted] = Memory(COUNTS_KEPT)


def count_of(query: OrderQuery, how: str | None, key: Any) -> Counted | None:
    """The number of orders; `key` names the question and the version of the catalogue, in which it stays the same."""
    if how == "none":
        return None
    return _counts.get((how, *key), lambda: _count(query, how))


def _count(query: OrderQuery, how: str | None) -> Counted:
    found = Grouping().tallied(query)
    if found is not None:
        return Counted(found[0][-1], "exact")
    if how != "exact":
        bounded = counted_to_bound(query.orders())
        if how != "estimated" or bounded.number is not None:
            return bounded
        estimated = estimate_of(query)
        if estimated is not None:
            # That there are more than could be counted is known for sure.
            return Counted(max(estimated, pagination.COUNTED + 1), "estimated")
    return Counted(query.orders().order_by().count(), "exact")


def estimate_of(query: OrderQuery) -> int | None:
    """About how many orders there are, if the database has an idea."""
    sql, params = query.orders().order_by().values_list("key").query.sql_with_params()
    return reader_for(connection).estimate(sql, params)
