"""The API's views of the catalogue."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from django.db.models import Prefetch
from django.http import Http404
from rest_framework.exceptions import NotFound
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.views import APIView
from rest_framework.viewsets import ReadOnlyModelViewSet

from catalog.api.filters import FORMAT, OrderFilterSet
from catalog.api.serializers import OrderSerializer
from catalog.api.strict import InvalidQuery, Problem, check_names, nearest
from catalog.contract import shown
from catalog.models import Change, Order
from catalog.querysets import OrderQuerySet


class StrictNegotiation(DefaultContentNegotiation):
    """Refuses a `format` that does not exist like any other value, instead of with 404."""

    def filter_renderers(self, renderers: Iterable[BaseRenderer], format: str) -> list[BaseRenderer]:  # noqa: A002
        try:
            return super().filter_renderers(renderers, format)
        except Http404 as error:
            known = tuple(str(renderer.format) for renderer in renderers)
            message = f"{shown(format)} is not one of {', '.join(known)}.{nearest(format, known)}"
            raise InvalidQuery(Problem(FORMAT, message, known)) from error


class StrictMixin(APIView):
    """What every view of the API shares: no parameter passes unread."""

    content_negotiation_class = StrictNegotiation

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        # A list's parameters are checked by its filter backend, all at once.
        if getattr(self, "action", None) != "list":
            check_names(request.query_params, (FORMAT,))


class OrderViewSet(StrictMixin, ReadOnlyModelViewSet[Order]):
    """Orders with the values in force; removed ones are left out of the list unless asked for."""

    serializer_class = OrderSerializer
    filterset_class = OrderFilterSet
    queryset = Order.objects.prefetch_related(
        Prefetch("change", Change.objects.select_related("run").only("at", "kind", "run__change"))
    )
    ordering = "-order_date"
    # Each with the rest of the index that serves it.
    sorts = {
        "order_date": ("order_date",),
        "payment_date": ("payment_date",),
        "customer_id": ("customer_id", "order_date"),
        "product_id": ("product_id", "order_date"),
        "payment_id": ("payment_id",),
        "voucher_id": ("voucher_id",),
    }

    def get_object(self) -> Order:
        source, order_id = self.kwargs["source"], self.kwargs["order_id"]
        order = cast("OrderQuerySet", self.get_queryset()).named(source, order_id).first()
        if order is None:
            raise NotFound(f"There is no order {shown(source)} / {shown(order_id)}.")
        self.check_object_permissions(self.request, order)
        return order
