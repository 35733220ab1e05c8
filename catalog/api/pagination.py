"""Pages by opaque cursor, and a count that never reads everything unless told to."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.core import signing
from django.db.models import Model, Q, QuerySet
from django.http import QueryDict
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from catalog.api.keyset import Anchor, Keys, fetch, ordered
from catalog.api.ordering import PARAMETER as ORDERING
from catalog.api.ordering import ordering_of
from catalog.api.strict import InvalidQuery, Problem, gather, one_of
from catalog.contract import shown

CURSOR, PAGE_SIZE, COUNT = "cursor", "page_size", "count"
COUNTS = ("exact", "estimated", "none")

COUNTED = 10_000
"""Rows are counted up to here unless told otherwise; beyond it the count is null."""

DEFAULT_PAGE_SIZE = 50
MAX_PAGE_SIZE = 1000


COUNT_HEADER = "X-Count"


class Counted(NamedTuple):
    """A number of rows, and whether it is `exact` or `estimated`, or there are `more` than were counted."""

    number: int | None
    is_what: str


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page starts: just beyond `anchor`, forwards or backwards."""

    anchor: Anchor
    backwards: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """Which list a request asks for, and which page of it.

    `filters` says what it is a list of, `binding` what its cursors belong to, and `rest` is what the links to its other
    pages have besides the cursor.
    """

    keys: Keys
    filters: str
    binding: str
    rest: str
    cursor: Cursor | None
    size: int
    count: str | None


class KeysetPagination(BasePagination):
    """`{count, next, previous, results}`, page by page along any ordering that the view allows."""

    parameters: tuple[str, ...] = (ORDERING, PAGE_SIZE, COUNT, CURSOR)
    asked: Asked
    counted: Counted | None

    def read(self, request: Request, view: Any, model: type[Model]) -> None:
        """Read which page is asked for. Raises `InvalidQuery` with everything that is wrong."""
        params, filters = request.query_params, filters_of(request)

        def place() -> tuple[Keys, str, Cursor | None]:
            keys = ordering_of(params, view, model)
            bound_to = binding(filters, keys)
            return keys, bound_to, read_cursor(params, bound_to, keys, model)

        (keys, bound_to, cursor), size, count = gather(
            place, lambda: read_page_size(params), lambda: read_count(params)
        )
        self.asked = Asked(keys, filters, bound_to, rest_of(params), cursor, size, count)

    def paginate_queryset(
        self, queryset: QuerySet[Any] | Sequence[Any], request: Request, view: APIView | None = None
    ) -> list[Any] | None:
        if not isinstance(queryset, QuerySet):
            raise TypeError("pages are cut from querysets only")
        self.url = request.build_absolute_uri(request.path)
        self.counted = counted(queryset, self.asked.count)
        self.cut(queryset)
        return self.rows

    def cut(self, source: Any) -> None:
        """Fetch one row more than the page holds: it tells whether the walk goes on."""
        cursor, size = self.asked.cursor, self.asked.size
        backwards = cursor is not None and cursor.backwards
        keys = tuple(key.reversed() for key in self.asked.keys) if backwards else self.asked.keys

        def read(condition: Q, order: Keys, limit: int) -> list[Any]:
            return self.first(source, condition, order, limit)

        rows = fetch(read, keys, cursor.anchor if cursor else None, size + 1)
        more = len(rows) > size
        self.rows = rows[:size][::-1] if backwards else rows[:size]
        self.has_next = backwards or more
        self.has_previous = more if backwards else cursor is not None

    def first(self, source: Any, condition: Q, keys: Keys, limit: int) -> list[Any]:
        """The first rows that meet a condition."""
        return list(ordered(source.filter(condition), keys)[:limit])

    def anchor(self, row: Any) -> Anchor:
        """The values of the ordering's keys in a row."""
        return tuple(getattr(row, key.name) for key in self.asked.keys)

    def get_next_link(self) -> str | None:
        return self._link(self.rows[-1], backwards=False) if self.rows and self.has_next else None

    def get_previous_link(self) -> str | None:
        return self._link(self.rows[0], backwards=True) if self.rows and self.has_previous else None

    def _link(self, row: Any, *, backwards: bool) -> str:
        text = write_cursor(Cursor(self.anchor(row), backwards), self.asked.binding)
        return f"{self.url}?{self.asked.rest}{'&' if self.asked.rest else ''}{CURSOR}={text}"

    def get_paginated_response(self, data: Any) -> Response:
        page = {
            "count": self.counted.number if self.counted else None,
            "next": self.get_next_link(),
            "previous": self.get_previous_link(),
            "results": data,
        }
        return Response(page, headers={COUNT_HEADER: self.counted.is_what} if self.counted else None)

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        link = {"type": ["string", "null"], "format": "uri", "description": "a page further on or back; null: none"}
        figure = {"type": ["integer", "null"], "description": "rows on all pages; null: not counted"}
        properties = {"count": figure, "next": link, "previous": link, "results": schema}
        return {"type": "object", "properties": properties, "required": [*properties], "additionalProperties": False}

    def get_results(self, data: Any) -> Any:
        return data["results"]


def read_page_size(params: QueryDict) -> int:
    """The number of rows on a page. Raises `InvalidQuery`."""
    text = str(params.get(PAGE_SIZE, DEFAULT_PAGE_SIZE))
    if not re.fullmatch("[0-9]{1,4}", text) or not 1 <= int(text) <= MAX_PAGE_SIZE:
        allowed = f"a whole number from 1 to {MAX_PAGE_SIZE}"
        raise InvalidQuery(Problem(PAGE_SIZE, f"{shown(text)} is not {allowed}.", (allowed,)))
    return int(text)


def read_count(params: QueryDict) -> str | None:
    """How to count: one of `COUNTS`, or None for up to `COUNTED`. Raises `InvalidQuery`."""
    return one_of(COUNT, str(params[COUNT]), COUNTS) if COUNT in params else None


def counted(queryset: QuerySet[Any], how: str | None) -> Counted | None:
    """The number of rows, as far as it may be counted; None where nobody wants to know."""
    if how == "none":
        return None
    if how in ("exact", "estimated"):
        return Counted(queryset.order_by().count(), "exact")
    return counted_to_bound(queryset)


def counted_to_bound(queryset: QuerySet[Any]) -> Counted:
    """The number of rows up to `COUNTED`."""
    count = queryset.order_by()[: COUNTED + 1].count()
    return Counted(count, "exact") if count <= COUNTED else Counted(None, "more")


FREE = {CURSOR, PAGE_SIZE, COUNT, ORDERING, "format", "fields"}
"""What may change from one page to the next."""


def filters_of(request: Request) -> str:
    """What a list is of: the resource and the filters, in one text."""
    filters = sorted((name, values) for name, values in request.query_params.lists() if name not in FREE)
    return json.dumps([request.path, filters])


def rest_of(params: QueryDict) -> str:
    """All parameters but the cursor, as a link has them."""
    kept = sorted((name, values) for name, values in params.lists() if name != CURSOR)
    # A list of numbers is far shorter with its commas as they are.
    return urlencode(kept, doseq=True, safe=",")


def binding(filters: str, keys: Keys) -> str:
    """A digest of what a cursor belongs to: the resource, the filters and the ordering."""
    text = f"{filters} {','.join(map(str, keys))}"
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _signer() -> signing.Signer:
    # Nothing in a cursor has to be escaped in an address.
    return signing.Signer(salt="catalog.api.pagination", sep=".")


def write_cursor(cursor: Cursor, bound_to: str) -> str:
    values = [value.isoformat() if isinstance(value, datetime) else value for value in cursor.anchor]
    return _signer().sign_object([bound_to, cursor.backwards, values])


def read_cursor(params: QueryDict, bound_to: str, keys: Keys, model: type[Model]) -> Cursor | None:
    """Where the page starts; none for the first. Raises `InvalidQuery`."""
    if CURSOR not in params:
        return None
    allowed = ("the cursor of a 'next' or 'previous' link of the same query",)
    try:
        belongs_to, backwards, values = _signer().unsign_object(str(params[CURSOR]))
    except signing.BadSignature as error:
        raise InvalidQuery(Problem(CURSOR, "This is no cursor that was given out here.", allowed)) from error
    if belongs_to != bound_to:
        message = "This cursor belongs to another query; the filters and the ordering must stay as they were."
        raise InvalidQuery(Problem(CURSOR, message, allowed))
    return Cursor(_anchor(values, keys, model), backwards)


def _anchor(values: Sequence[Any], keys: Keys, model: type[Model]) -> Anchor:
    columns = {column.attname: column for column in model._meta.concrete_fields}
    fields = (columns[key.name] for key in keys)
    return tuple(field.to_python(value) for field, value in zip(fields, values, strict=True))
