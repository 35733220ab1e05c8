"""Pages of orders: cut like any others, but read as plain rows."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Model, Q, QuerySet
from rest_framework.request import Request
from rest_framework.views import APIView

from catalog.api import pagination
from catalog.api.columns import PARAMETER as FIELDS
from catalog.api.columns import Shape, read_fields
from catalog.api.conditional import catalogue_version, version_named, with_version
from catalog.api.keyset import Anchor, Keys, ordered
from catalog.api.pagination import CURSOR, Asked, Counted, KeysetPagination, counted_to_bound, read_cursor
from catalog.api.strict import gather
from catalog.engines import reader_for
from catalog.grouping import Grouping
from catalog.memory import Memory
from catalog.models import Order
from catalog.order_query import OrderQuery
from catalog.prepared import rows

COUNTS_KEPT = QUESTIONS_KEPT = 1000

FEW_VALUES = frozenset({"source", "website", "voucher_status"})
"""Columns with an index of all their values and then of the date, in which a value has many orders.

Not knowing which customer or product is meant, PostgreSQL expects so few orders that it would rather sort them all; and
some have hundreds of thousands.
"""


@dataclass(frozen=True, slots=True)
class Question:
    """A list that has been read and checked; where its page starts is not a part of it."""

    query: OrderQuery
    asked: Asked
    shape: Shape


_questions: Memory[Question] = Memory(QUESTIONS_KEPT)


class OrderPagination(KeysetPagination):
    """Pages of an `OrderQuery`, as dictionaries with the fields that were asked for."""

    parameters = (*KeysetPagination.parameters, FIELDS)
    shape: Shape
    version = ""

    def read(self, request: Request, view: Any, model: type[Model]) -> None:
        params = request.query_params
        _, fields = gather(lambda: super(OrderPagination, self).read(request, view, model), lambda: read_fields(params))
        self.shape = Shape(fields)

    def recall(self, request: Request) -> OrderQuery | None:
        """What a request asks for, where the same was asked before, be it for another page. Raises `InvalidQuery`."""
        found = _questions.known(text_of(request))
        if found is None or len(request.query_params.getlist(CURSOR)) > 1:
            return None
        asked, self.shape = found.asked, found.shape
        self.asked = replace(asked, cursor=read_cursor(request.query_params, asked.binding, asked.keys, Order))
        return found.query

    def remember(self, request: Request, query: OrderQuery) -> None:
        """Keep what has been read of a request, if the same text always means the same."""
        if query.lasting:
            _questions.keep(text_of(request), Question(query, replace(self.asked, cursor=None), self.shape))

    def page(self, query: OrderQuery, request: Request, version: str) -> list[dict[str, Any]]:
        """The orders of the page that is asked for; `version` is that of the catalogue, if it is known already."""
        self.url = request.build_absolute_uri(request.path)
        self.version = version
        # Where a row is to be found again stands behind what is shown of it.
        paths = self.shape.paths
        self.paths = (*paths, *(key.name for key in self.asked.keys if key.name not in paths))
        self.places = tuple(self.paths.index(key.name) for key in self.asked.keys)
        self.cut(query)
        self.counted = count_of(query, self.asked.count, (self.version, self.asked.filters))
        return self.shape.orders(self.rows, request)

    def paginate_queryset(self, queryset: Any, request: Request, view: APIView | None = None) -> list[Any] | None:
        raise TypeError("pages of orders are cut from an OrderQuery")

    def first(self, source: OrderQuery, condition: Q, keys: Keys, limit: int) -> list[Any]:
        def build(q: Q) -> QuerySet[Any, Any]:
            return with_version(ordered(source.base().filter(q), keys), self.paths)[:limit]

        q = source.q & condition
        one_plan = source.at is None and has_one_plan(source.q, keys)

        def read() -> list[Any]:
            return rows(build, q, (self.paths, keys, limit, source.at), one_plan=one_plan)

        if self.version:
            return read()
        # What is read now or later may be of a newer version than the one that is named; never of an older one.
        found = read()
        self.version = version_named(*found[0][-2:]) if found else catalogue_version()
        # Where no row has told the version, what was there before it was asked for may no longer be all.
        return found or read()

    def anchor(self, row: Any) -> Anchor:
        return tuple(row[place] for place in self.places)


def text_of(request: Request) -> Hashable:
    """The parameters as they were sent but for the cursor, and what days are in."""
    parts = str(request.META["QUERY_STRING"]).split("&")
    return "&".join(part for part in parts if not part.startswith(f"{CURSOR}=")), settings.SOURCE_TIME_ZONE


def has_one_plan(q: Q, keys: Keys) -> bool:
    """Whether one index has what is asked for in the order asked for, however rare the value is."""
    if [key.name for key in keys] != ["order_date", "key"] or q.negated or q.connector != Q.AND:
        return False
    columns = {child[0].removesuffix("__exact") if isinstance(child, tuple) else "" for child in q.children}
    columns.discard("removed")
    return len(columns) <= 1 and columns <= FEW_VALUES


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
