"""The filters of orders, and the backend that lets no parameter pass unread."""

from __future__ import annotations

from typing import Any, cast

from django.db.models import QuerySet
from django.http import QueryDict
from django.template import loader
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.request import Request
from rest_framework.settings import api_settings
from rest_framework.views import APIView

from catalog.api.lookups import (
    CODE_LOOKUPS,
    NUMBER_LOOKUPS,
    RANGE,
    ChoiceFilter,
    NumberFilter,
    StrictFilter,
    StrictFilterSet,
)
from catalog.api.ordering import PARAMETER as ORDERING
from catalog.api.ordering import ordering_of
from catalog.api.pagination import COUNT, PAGE_SIZE, KeysetPagination, binding, read_count, read_cursor, read_page_size
from catalog.api.strict import check_names, gather
from catalog.contract import COLUMNS, MAX_INTEGER, Column, Kind
from catalog.models import Change, Order, field_of
from catalog.querysets import OrderQuerySet

FORMAT = str(api_settings.URL_FORMAT_OVERRIDE)


class StrictFilterBackend(DjangoFilterBackend):  # type: ignore[misc]  # django-filter publishes no types
    """Filters a list; first checks every parameter of the request, whoever is to read it."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: APIView) -> QuerySet[Any]:
        filterset = self.get_filterset(request, queryset, view)
        params = request.query_params
        gather(
            lambda: check_names(params, known_names(filterset)),
            filterset.check,
            lambda: check_order_and_cursor(request, view, queryset),
            lambda: read_page_size(params),
            lambda: read_count(params),
        )
        return cast("QuerySet[Any]", filterset.qs)

    def to_html(self, request: Request, queryset: QuerySet[Any], view: APIView) -> str:
        """One line for each column, with an input for each lookup: nothing here is read from the orders."""
        filterset = self.get_filterset(request, queryset, view)
        return loader.render_to_string("catalog/api/filters.html", form_context(filterset, request.query_params))


def known_names(filterset: StrictFilterSet) -> tuple[str, ...]:
    """Every parameter that a list understands."""
    return (*filterset.filters, ORDERING, *KeysetPagination.parameters, FORMAT)


def check_order_and_cursor(request: Request, view: APIView, queryset: QuerySet[Any]) -> None:
    """Both in one step: a cursor can be judged only when the ordering is known. Raises `InvalidQuery`."""
    keys = ordering_of(request.query_params, view, queryset.model)
    read_cursor(request.query_params, keys, queryset.model, binding(request, keys))


FORM_LOOKUPS = ("exact", "in", "startswith", "icontains", "gte", "gt", "lte", "lt", "isnull")


def form_context(filterset: StrictFilterSet, params: QueryDict) -> dict[str, Any]:
    """What the form's template shows: a table of columns by lookups, and what else is in force."""
    lookups = [name for name in FORM_LOOKUPS if any(f.lookup_expr == name for f in filterset.filters.values())]
    rows: dict[str, dict[str, dict[str, str]]] = {}
    for name, filter_ in filterset.filters.items():
        field = name.removesuffix(f"__{filter_.lookup_expr}")
        rows.setdefault(field, {})[filter_.lookup_expr] = {
            "name": name,
            "value": str(params.get(name, "")),
            "hint": filter_.hint,
            "allowed": ", ".join(filter_.allowed),
        }
    kept = [(name, params[name]) for name in (ORDERING, PAGE_SIZE, COUNT) if name in params]
    table = [(field, [cells.get(lookup) for lookup in lookups]) for field, cells in rows.items()]
    return {"lookups": lookups, "rows": table, "kept": kept}


LOOKUPS = {Kind.INTEGER: NUMBER_LOOKUPS, Kind.CODE: CODE_LOOKUPS, Kind.TIMESTAMP: NUMBER_LOOKUPS}


def lookups_of(column: Column) -> tuple[str, ...]:
    """The lookups that a column of the contract offers."""
    can_be_missing = field_of(Order, column.name).null
    return (*LOOKUPS[column.kind], "isnull") if can_be_missing else LOOKUPS[column.kind]


class SearchFilter(NumberFilter):
    """Any id of an order."""

    def filter(self, queryset: QuerySet[Any], value: int | None) -> QuerySet[Any]:
        return queryset if value is None else cast("OrderQuerySet", queryset).with_any_id(value)


class RunFilter(NumberFilter):
    """Orders that were last changed by a run."""

    def filter(self, queryset: QuerySet[Any], value: int | None) -> QuerySet[Any]:
        if value is None:
            return queryset
        # Looked up first, so that the orders are searched by a plain value.
        return queryset.filter(change__in=list(Change.objects.filter(run=value).values_list("pk", flat=True)))


class RemovedFilter(ChoiceFilter):
    """Present orders only, unless told otherwise."""

    def filter(self, queryset: QuerySet[Any], value: str | None) -> QuerySet[Any]:
        return queryset if value == "any" else queryset.filter(removed=value == "true")


class OrderNumberFilter(NumberFilter):
    """The order's own number: `OrderFilterSet` takes both ends of a range together."""

    def filter(self, queryset: QuerySet[Any], value: Any) -> QuerySet[Any]:
        if value is None or self.lookup_expr in RANGE:
            return queryset
        numbers = value if self.lookup_expr == "in" else [value]
        return cast("OrderQuerySet", queryset).numbered(numbers)


class OrderFilterSet(StrictFilterSet):
    """Every column of the contract, and what the catalogue knows besides."""

    search = SearchFilter()
    run = RunFilter()
    removed = RemovedFilter(choices=("true", "false", "any"))

    class Meta:
        model = Order
        fields = {column.name: lookups_of(column) for column in COLUMNS}

    @classmethod
    def filter_for_field(cls, field: Any, field_name: str, lookup_expr: str | None = None) -> StrictFilter:
        if field_name == "order_id":
            return OrderNumberFilter(field_name, lookup_expr or "exact")
        return cast("StrictFilter", super().filter_for_field(field, field_name, lookup_expr))

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        orders = cast("OrderQuerySet", super().filter_queryset(queryset))
        given = self.form.cleaned_data
        ends = {lookup: given[f"order_id__{lookup}"] for lookup in RANGE}
        if not any(ends.values()):
            return orders
        low = max(ends["gte"] or 1, (ends["gt"] or 0) + 1)
        high = min(ends["lte"] or MAX_INTEGER, (ends["lt"] or MAX_INTEGER + 1) - 1)
        return orders.numbered_between(low, high)
