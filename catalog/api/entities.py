"""One customer, one product, and all websites: what their orders say."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

from django.db import connection
from django.db.models import Q, QuerySet
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.api.columns import FIELDS, Shape
from catalog.api.conditional import catalogue_version
from catalog.api.dimensions import SOURCE
from catalog.api.facets import values_shown
from catalog.api.filters import AS_OF
from catalog.api.links import Links
from catalog.api.pagination import filters_of
from catalog.api.schema import answers
from catalog.api.strict import InvalidQuery, Problem
from catalog.api.views import OfOrders
from catalog.contract import BLANKS, ValueRefused, parse_code, parse_integer, shown
from catalog.engines import reader_for
from catalog.entities import STATUSES
from catalog.facets import Facet, ranked
from catalog.grouping import Dimension, Grouping, folded
from catalog.memory import Memory
from catalog.order_query import OrderQuery
from catalog.prepared import Row, rows

LATEST = 10


class OfOne(OfOrders):
    """What a person wants to know about one customer or product: how many orders, since when, of what kind."""

    column: ClassVar[str]
    others: ClassVar[str]
    """What is counted besides the orders, and the metric that counts it."""

    metric: ClassVar[str]

    def get(self, request: Request, source: str, **named: str) -> Response:
        query = self.ask()
        try:
            code, identity = parse_code(source), parse_integer(named[self.column])
        except ValueRefused:
            raise self._unknown() from None
        self._refuse_another(code, identity)
        of_one = Q((self.column, identity), source=code)
        query = replace(query, q=query.q & of_one, columns=query.columns | {SOURCE, self.column})
        with reader_for(connection).one_moment():
            return Response(self._answer(query, of_one, request, (("source", code), (self.column, identity))))

    def _answer(self, query: OrderQuery, of_one: Q, request: Request, named: Any) -> dict[str, Any]:
        metrics = ("count", self.metric, "first_order_date", "last_order_date")
        [(_, orders, others, first, last)] = Grouping(metrics=metrics).rows(query)
        if not orders and not query.base().filter(of_one).exists():
            raise self._unknown()
        links = Links(request, self.parameters, *named)
        by = (Dimension("website"), *map(Dimension, STATUSES))
        cells = Grouping(by).rows(query)
        return {
            **dict(named),
            "orders": orders,
            self.others: others,
            "first_order_date": first,
            "last_order_date": last,
            "by": {one.name: by_value(cells, place, one, links) for place, one in enumerate(by)},
            "latest": latest(query, request),
            "list": links.all(),
        }

    def _refuse_another(self, code: str, identity: int) -> None:
        """A filter that says something else than the address would leave nothing, and the links of it."""
        params = self.request.query_params
        said = {SOURCE: (parse_code, code), self.column: (parse_integer, identity)}
        others = [
            name for name, (read, value) in said.items() if name in params and read(params[name].strip(BLANKS)) != value
        ]
        if others:
            message = "No order can meet both the address and {} as they are given."
            raise InvalidQuery(*(Problem(name, message.format(name)) for name in others))

    def _unknown(self) -> NotFound:
        what, then = self.column.removesuffix("_id"), self.request.query_params.get(AS_OF)
        name = f"{shown(self.kwargs['source'])} / {shown(self.kwargs[self.column])}"
        return NotFound(f"There is no order of {what} {name}{f' at {then}' if then else ''}.")


class CustomerView(OfOne):
    """A customer's orders in figures. Customers are numbered by each source on its own."""

    name = "Customer"
    operations: ClassVar = {"get": answers.of_one("customer_id", "products")}
    column, others, metric = "customer_id", "products", "distinct_products"


class ProductView(OfOne):
    """A product's orders in figures. Products are numbered by each source on its own."""

    name = "Product"
    operations: ClassVar = {"get": answers.of_one("product_id", "customers")}
    column, others, metric = "product_id", "customers", "distinct_customers"


def by_value(cells: list[Row], place: int, by: Dimension, links: Links) -> list[dict[str, Any]]:
    """The values in one place of the cells, the most frequent first, each with its number and its list."""
    return values_shown(Facet((by,), tuple(ranked(folded(cells, place))), 0, 0), links)


def latest(query: OrderQuery, request: Request) -> list[dict[str, Any]]:
    """The latest few orders, as in a list."""
    shape = Shape(FIELDS)

    def build(q: Q) -> QuerySet[Any, Any]:
        return query.base().filter(q).order_by("-order_date", "-key").values_list(*shape.paths)[:LATEST]

    return shape.orders(rows(build, query.q, (latest.__name__, query.at)), request)


_websites: Memory[tuple[list[Row], list[Row]]] = Memory(100)


class WebsitesView(OfOrders):
    """Each website with its orders: how many, from which day to which, and of what kind. The largest first."""

    name = "Websites"
    operations: ClassVar = {"get": answers.websites()}

    def get(self, request: Request) -> Response:
        query = self.ask()
        cells, spans = _websites.get((self.version or catalogue_version(), filters_of(request)), lambda: read(query))
        days = {website: (first, last) for website, _, first, last in spans}
        results = []
        for website, orders in ranked(folded(cells, 0)):
            own = [cell for cell in cells if cell[0] == website]
            links = Links(request, self.parameters, ("website", website))
            by = {name: by_value(own, place, Dimension(name), links) for place, name in enumerate(STATUSES, 1)}
            first, last = days[website]
            results.append(
                {
                    "website": website,
                    "orders": orders,
                    "first_order_day": first,
                    "last_order_day": last,
                    "by": by,
                    "list": links.all(),
                }
            )
        return Response({"total": sum(site["orders"] for site in results), "results": results})


def read(query: OrderQuery) -> tuple[list[Row], list[Row]]:
    """Orders by website and status, and the first and last day of each website, as of one moment."""
    website = Dimension("website")
    with reader_for(connection).one_moment():
        cells = Grouping((website, *map(Dimension, STATUSES))).rows(query)
        return cells, Grouping((website,), ("count", "first_day", "last_day")).rows(query)
