"""`/orders/facets/`: how many of the orders have which value."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import connection
from django.http import QueryDict
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.api.conditional import catalogue_version
from catalog.api.dimensions import DIMENSIONS, STATE, TZ, dimension, read_names, read_size, read_zone, with_sources
from catalog.api.links import Links
from catalog.api.pagination import filters_of
from catalog.api.schema import answers
from catalog.api.strict import gather
from catalog.api.views import OfOrders
from catalog.engines import reader_for
from catalog.facets import FEW, Dimensions, Facet, facets
from catalog.memory import Memory
from catalog.order_query import OrderQuery

FACET, FACET_SIZE = "facet", "facet_size"
USUAL_SIZE, MOST_SIZE = 20, 500

Counted = tuple[int, list[Facet]]

_counted: Memory[Counted] = Memory(200)


class FacetsView(OfOrders):
    """How many of the orders have which value, column by column, the most frequent first.

    All filters hold for all facets, so the numbers of a facet add up to `total`. Whoever wants the other values of a
    column beside a filtered one leaves that filter out.
    """

    name = "Facets of orders"
    operations: ClassVar = {"get": answers.facets(DIMENSIONS, USUAL_SIZE, MOST_SIZE)}
    parameters = (FACET, FACET_SIZE, TZ)
    repeatable = (FACET,)
    asked: tuple[Dimensions, ...]

    def read_parameters(self, params: QueryDict) -> None:
        gather(
            lambda: read_names(params, FACET, DIMENSIONS),
            lambda: read_size(params, FACET_SIZE, USUAL_SIZE, MOST_SIZE),
            lambda: read_zone(params),
        )
        zone = read_zone(params)
        names = read_names(params, FACET, DIMENSIONS, STATE)
        # An id is counted together with its source.
        self.asked = tuple(tuple(dimension(part, zone) for part in with_sources([name])) for name in names)
        self.size = read_size(params, FACET_SIZE, USUAL_SIZE, MOST_SIZE)

    def get(self, request: Request) -> Response:
        query = self.ask()
        total, found = count(query, self.asked, self.size, (self.version or catalogue_version(), filters_of(request)))
        links = Links(request, self.parameters)
        return Response({"total": total, "facets": {facet.by[-1].name: shown(facet, links) for facet in found}})


def count(query: OrderQuery, asked: tuple[Dimensions, ...], size: int, key: Any) -> Counted:
    """Facets as of one moment; `key` names the question and the version of the catalogue."""

    def find() -> Counted:
        if all(one.column in FEW for by in asked for one in by):
            return facets(query, asked, size)
        with reader_for(connection).one_moment():
            return facets(query, asked, size)

    return _counted.get((key, asked, size), find)


def shown(facet: Facet, links: Links) -> dict[str, Any]:
    """A facet as JSON, each value with the list of its orders."""
    return {
        "complete": not facet.other_values,
        "values": values_shown(facet, links),
        "other": {"values": facet.other_values, "count": facet.other_orders},
    }


def values_shown(facet: Facet, links: Links) -> list[dict[str, Any]]:
    """The values of a facet; an id has its source beside it."""
    names = (*(by.name for by in facet.by[:-1]), "value", "count")
    urls = links.to(facet.by, facet.values)
    return [{**dict(zip(names, value, strict=True)), "url": url} for value, url in zip(facet.values, urls, strict=True)]
