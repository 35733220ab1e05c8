"""The filters beside the admin's list of orders; their choices never come from reading the orders."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest

from catalog.models import FIELDS, Change, Correction, KnownValue, Order
from catalog.read_only import KEY, visible

MISSING = "(missing)"
"""Stands for orders without a value; no code has parentheses."""


class KnownValueFilter(admin.SimpleListFilter):
    """One code column, with the codes that loads have brought as choices."""

    title = parameter_name = ""

    def has_output(self) -> bool:
        # The admin ignores the value of a filter that has nothing to offer.
        return True

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        values = KnownValue.objects.filter(field=self.parameter_name).values_list("value", flat=True)
        choices = [(value, value) for value in values]
        missing = [(MISSING, MISSING)] if Order._meta.get_field(self.parameter_name).null else []
        return choices + missing

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if value is None:
            return queryset
        condition = {f"{self.parameter_name}__isnull": True} if value == MISSING else {str(self.parameter_name): value}
        return queryset.filter(**condition)


def known_values(field: str) -> type[KnownValueFilter]:
    """The filter of one code column."""
    names = {"title": field.replace("_", " "), "parameter_name": field}
    return type(f"{field}Filter", (KnownValueFilter,), names)


MOST_YEARS = 40
"""Years on offer; a few orders with odd dates must not push everything else off the page."""


def years_of_orders() -> Iterator[int]:
    """The years in which any order was placed, the latest first: one look-up in the index for each."""
    dates = Order.objects.order_by("-order_date", "-key").values_list("order_date", flat=True)
    latest = dates.first()
    while latest is not None:
        yield latest.year
        latest = dates.filter(order_date__lt=datetime(latest.year, 1, 1, tzinfo=UTC)).first()


class OrderYear(admin.SimpleListFilter):
    """Years of order dates."""

    title = "order year"
    parameter_name = "year"

    def has_output(self) -> bool:
        return True

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(year), str(year)) for year in islice(years_of_orders(), MOST_YEARS)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if value is None:
            return queryset
        if value not in {choice for choice, _ in self.lookup_choices}:
            return queryset.none()
        year = int(value)
        begin = datetime(year, 1, 1, tzinfo=UTC)
        return queryset.filter(order_date__gte=begin, order_date__lte=datetime.max.replace(year=year, tzinfo=UTC))


class Removed(admin.SimpleListFilter):
    """Orders that the latest full snapshot still had, unless told otherwise."""

    title = "removed"
    parameter_name = "removed"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("true", "Removed"), ("any", "Present and removed")]

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        first, *others = super().choices(changelist)
        yield {**first, "display": "Present"}
        yield from others

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        return queryset if value == "any" else queryset.filter(removed=value == "true")


class SetRight(admin.SimpleListFilter):
    """Orders that show something else than their source says."""

    title = "values set right"
    parameter_name = "overlaid"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("true", "Some, by a rule or a correction")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if value is None:
            return queryset
        return queryset.filter(overlaid__gt=0) if value == "true" else queryset.none()


class CorrectedColumn(admin.SimpleListFilter):
    """The column of a correction."""

    title = "column"
    parameter_name = "field"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(FIELDS)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset if self.value() is None else queryset.filter(field=self.value())


class CorrectionState(admin.SimpleListFilter):
    """Whether a correction is in force, or how it ended."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        ended = [(str(value), f"Ended: {label}") for value, label in Correction.Ending.choices]
        return [("in_force", "In force"), ("conflict", "In force, in conflict"), ("ended", "Ended"), *ended]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if value is None:
            return queryset
        states: dict[str, dict[str, Any]] = {
            "in_force": {"ended_by": None},
            "conflict": {"ended_by": None, "conflict_by__isnull": False},
            "ended": {"ended_by__isnull": False},
        }
        return queryset.filter(**states.get(value, {"ended_by__isnull": False, "ending": value}))


class CorrectedBy(admin.SimpleListFilter):
    """Who made a correction: oneself, or who is named in the address, as the list's own links do."""

    title = "person"
    parameter_name = "by"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        names = {request.user.get_username(): "Me"}
        for name in request.GET.getlist(self.parameter_name):
            names.setdefault(name, visible(name)[:40])
        return list(names.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() is None:
            return queryset
        changes = Change.objects.filter(kind=Change.Kind.CORRECTION, actor=self.value())
        return queryset.filter(made_by__in=changes.order_by().values("pk"))


RECENT = 20


class ConflictRun(admin.SimpleListFilter):
    """The run that brought the third value: one of the latest, or the one in the address."""

    title = "run"
    parameter_name = "run"

    def has_output(self) -> bool:
        return True

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        changes = Change.objects.filter(run__conflicts__gt=0).order_by("-id").values_list("run", flat=True)[:RECENT]
        runs = {str(run): f"run {run}" for run in changes}
        for number in request.GET.getlist(self.parameter_name):
            runs.setdefault(number, f"run {visible(number)[:20]}")
        return list(runs.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if value is None:
            return queryset
        return queryset.filter(conflict_by__run=int(value)) if KEY.fullmatch(value) else queryset.none()
