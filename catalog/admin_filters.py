"""The filters beside the admin's lists of corrections and conflicts; choices never come from reading the orders."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from catalog.models import FIELDS, Change, Correction
from catalog.read_only import KEY, visible


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
