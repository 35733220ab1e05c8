"""What one would write with Django REST framework and django-filter in ten minutes, and two views that do nothing."""

from __future__ import annotations

import os

from django.http import HttpRequest, HttpResponse, JsonResponse
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.pagination import CursorPagination, PageNumberPagination
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import ModelSerializer
from rest_framework.views import APIView
from rest_framework.viewsets import ModelViewSet

from catalog.contract import NAMES
from catalog.models import Order

PAGE = 50


class OrderSerializer(ModelSerializer[Order]):
    """The contract's fields and the record's own; it leaves out what would cost a join, as the run and its time."""

    class Meta:
        model = Order
        fields = ("key", *NAMES, "removed", "line", "change")


class ByCursor(CursorPagination):
    """Pages by cursor; nothing is counted."""

    page_size = PAGE
    ordering = "-order_date"


class ByNumber(PageNumberPagination):
    """Pages by number, with a count of all rows in each."""

    page_size = PAGE


class OrderViewSet(ModelViewSet[Order]):
    """Orders, newest first."""

    queryset = Order.objects.order_by("-order_date")
    serializer_class = OrderSerializer
    filter_backends = (DjangoFilterBackend,)
    filterset_fields = NAMES
    pagination_class = ByCursor
    permission_classes = (AllowAny,)
    throttle_classes = ()


class NumberedOrderViewSet(OrderViewSet):
    """The same by number."""

    pagination_class = ByNumber  # type: ignore[assignment]


class EmptyView(APIView):
    """What the framework takes by itself."""

    permission_classes = (AllowAny,)
    throttle_classes = ()

    def get(self, request: Request) -> Response:
        return Response({})


def empty_django(request: HttpRequest) -> JsonResponse:
    """What Django, its middleware and gunicorn take by themselves."""
    return JsonResponse({})


def worker(request: HttpRequest) -> HttpResponse:
    """Which process answers on this connection."""
    return HttpResponse(str(os.getpid()))
