"""The filters of runs and of the rows that they rejected."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Exists, OuterRef, QuerySet

from catalog.api.lookups import NUMBER_LOOKUPS, RANGE, ChoiceFilter, FigureFilter, StrictFilterSet
from catalog.contract import NAMES
from ingestion.codes import REASONS, REFUSALS
from ingestion.models import RejectedRow, RejectReason, Run

MOMENT_LOOKUPS = ("exact", *RANGE, "isnull")


class RunFilterSet(StrictFilterSet):
    """What a run was given, what became of it, and its figures."""

    FILTER_DEFAULTS = StrictFilterSet.FILTER_DEFAULTS | {models.BigIntegerField: {"filter_class": FigureFilter}}

    reason_code = ChoiceFilter(choices=REFUSALS)
    reason_code__in = ChoiceFilter("reason_code", "in", choices=REFUSALS)

    class Meta:
        model = Run
        fields = {
            "status": ("exact", "in"),
            "file": ("exact", "icontains"),
            "sha256": ("exact", "in"),
            "actor": ("exact",),
            "started_at": ("exact", *RANGE),
            "finished_at": MOMENT_LOOKUPS,
            "rejected": ("exact", *RANGE),
            "removed": ("exact", *RANGE),
        }


class ReasonFilter(ChoiceFilter):
    """A property of a reason: `RejectFilterSet` looks for one reason that has them all."""

    def filter(self, queryset: QuerySet[Any], value: Any) -> QuerySet[Any]:
        return queryset


class RejectFilterSet(StrictFilterSet):
    """Where a rejected row stood, and why it was rejected."""

    code = ReasonFilter(choices=REASONS)
    code__in = ReasonFilter("code", "in", choices=REASONS)
    column = ReasonFilter(choices=NAMES)
    column__in = ReasonFilter("column", "in", choices=NAMES)

    class Meta:
        model = RejectedRow
        fields = {"line": NUMBER_LOOKUPS, "state": ("exact", "in")}

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        rejects: QuerySet[Any] = super().filter_queryset(queryset)
        wanted = {name: self.given[name] for name in ("code", "code__in", "column", "column__in") if name in self.given}
        if not wanted:
            return rejects
        return rejects.filter(Exists(RejectReason.objects.filter(reject=OuterRef("pk"), **wanted)))
