"""The API's views of the catalogue."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from django.db.models import BigIntegerField, ExpressionWrapper, F, Q, QuerySet, Subquery, Value
from django.http import Http404, QueryDict
from rest_framework.exceptions import NotFound
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import ReadOnlyModelViewSet

from catalog.api.columns import PARAMETER as FIELDS
from catalog.api.columns import Shape, read_fields
from catalog.api.conditional import Conditional, version_named, with_version
from catalog.api.filters import AS_OF, FORMAT, OrderFilterSet, StrictFilterBackend, read_as_of
from catalog.api.order_pages import FEW_VALUES, OrderPagination
from catalog.api.pagination import KeysetPagination
from catalog.api.schema.operations import Operation
from catalog.api.serializers import OrderSerializer
from catalog.api.strict import InvalidQuery, Problem, check_names, gather, nearest
from catalog.as_of import change_at
from catalog.contract import NAMES, ValueRefused, parse_code, parse_integer, shown
from catalog.keys import ORDERS_PER_SOURCE
from catalog.models import Order, Source
from catalog.order_query import OrderQuery
from catalog.prepared import rows


class StrictNegotiation(DefaultContentNegotiation):
    """Refuses a `format` that does not exist like any other value, instead of with 404; also one that is empty."""

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        if request.query_params.get(FORMAT) == "":
            self.filter_renderers(renderers, "")
        return super().select_renderer(request, renderers, format_suffix)

    def filter_renderers(self, renderers: Iterable[BaseRenderer], format: str) -> list[BaseRenderer]:  # noqa: A002
        try:
            return super().filter_renderers(renderers, format)
        except Http404 as error:
            known = tuple(str(renderer.format) for renderer in renderers)
            message = f"{shown(format)} is not one of {', '.join(known)}.{nearest(format, known)}"
            raise InvalidQuery(Problem(FORMAT, message, known)) from error


class StrictMixin(APIView):
    """What every view of the API shares: no parameter passes unread.

    `parameters` are those that the view reads besides its filters, and `repeatable` those of them that can be given
    more than once.
    """

    content_negotiation_class = StrictNegotiation
    parameters: tuple[str, ...] = ()
    repeatable: tuple[str, ...] = ()
    filterset_class: Any = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        # The parameters of what is filtered are checked by its filter backend, all at once.
        if not self.is_filtered:
            params = request.query_params
            gather(
                lambda: check_names(params, (*self.parameters, FORMAT), self.repeatable),
                lambda: self.read_parameters(params),
            )

    @property
    def is_filtered(self) -> bool:
        """Whether the request goes through a filter backend."""
        return getattr(self, "action", None) == "list"

    def read_parameters(self, params: QueryDict) -> None:
        """Read the view's own parameters. Raises `InvalidQuery` with everything that is wrong."""


class ListMixin(StrictMixin):
    """A view set with a list, in pages."""

    queryset: Any
    paginator: KeysetPagination

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        if self.is_filtered:
            self.parameters = self.paginator.parameters
        super().initial(request, *args, **kwargs)

    def read_parameters(self, params: QueryDict) -> None:
        if self.is_filtered:
            self.paginator.read(self.request, self, self.queryset.model)


class OfOrders(Conditional, StrictMixin):
    """A view that answers about the orders that the filters leave."""

    filterset_class = OrderFilterSet

    @property
    def is_filtered(self) -> bool:
        return True

    def ask(self) -> OrderQuery:
        """What the request asks of the orders. Raises `InvalidQuery` with everything that is wrong in it."""
        query: OrderQuery = StrictFilterBackend().checked(self.request, Order.objects.all(), self).query
        return query


class OrderViewSet(OfOrders, ListMixin, ReadOnlyModelViewSet[Order]):
    """Orders with the values in force; removed ones are left out of the list unless asked for."""

    operations = {
        "list": Operation(),
        "retrieve": Operation(
            description="One order with the values in force, also a removed one.", parameters=(FIELDS, AS_OF)
        ),
    }
    serializer_class = OrderSerializer
    queryset = Order.objects.all()
    pagination_class = OrderPagination
    paginator: OrderPagination
    ordering = "-order_date"
    common = FEW_VALUES
    # Each with the rest of the index that serves it, where there is one.
    sorts = {name: (name,) for name in NAMES} | {
        name: (name, "order_date") for name in ("source", "website", "voucher_status", "customer_id", "product_id")
    }

    @property
    def is_filtered(self) -> bool:
        return self.action == "list"

    @property
    def learns_version(self) -> bool:
        return True

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        query = self.paginator.recall(request)
        if query is None:
            query = self.ask()
            self.paginator.remember(request, query)
        page = self.paginator.page(query, request, self.version)
        self.learn(self.paginator.version)
        return self.paginator.get_paginated_response(page)

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        source, order_id = self.kwargs["source"], self.kwargs["order_id"]
        params = request.query_params
        moment, shape = read_as_of(params), Shape(read_fields(params))
        found = one_order(source, order_id, shape, None if moment is None else change_at(moment))
        if not found:
            then = "" if moment is None else f" at {params[AS_OF]}"
            raise NotFound(f"There is no order {shown(source)} / {shown(order_id)}{then}.")
        self.learn(self.version or version_named(*found[0][-2:]))
        return Response(shape.orders(found, request)[0])

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        if self.action == "retrieve":
            self.parameters = (FIELDS, AS_OF)
        super().initial(request, *args, **kwargs)

    def read_parameters(self, params: QueryDict) -> None:
        super().read_parameters(params)
        if self.action == "retrieve":
            gather(lambda: read_as_of(params), lambda: read_fields(params))


def one_order(source: str, order_id: str, shape: Shape, at: int | None) -> list[Any]:
    """The row of the order that a URL names, with the version, or none; what is no code or number names nothing."""
    try:
        asked = Q(("code", parse_code(source)), ("order_id", parse_integer(order_id)))
    except ValueRefused:
        return []

    def build(q: Q) -> QuerySet[Any, Any]:
        # The key follows from the two, so that the order is found by it in one statement.
        code, number = (value for _, value in cast("list[tuple[str, Any]]", q.children))
        wide = BigIntegerField()
        key = ExpressionWrapper(F("number") * Value(ORDERS_PER_SOURCE, wide) + Value(number, wide), wide)
        named = Subquery(Source.objects.filter(code=code).values_list(key))
        orders = OrderQuery(Q(key=named), at, frozenset(), whole_days=True).orders()
        return with_version(orders, shape.paths)

    return rows(build, asked, (one_order.__name__, shape, at), one_plan=True)
