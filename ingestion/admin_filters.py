"""The filters beside the admin's list of rejected rows; choices come from the runs, never from the rows."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest

from catalog.contract import NAMES
from catalog.read_only import visible
from ingestion.models import LINES_PER_RUN, RejectedRow, RejectReason, Run, reject_id

RECENT = 20
LAST_RUN = (2**63 - 1) // LINES_PER_RUN - 1
WHOLE_ROW = "(whole row)"


def recent_runs(count: int) -> QuerySet[Run]:
    """The latest runs with rejects."""
    return Run.objects.filter(rejected__gt=0).order_by("-id")[:count]


def run_number(text: str) -> int | None:
    """The number of a run that may have rejects; None if the text is none."""
    is_one = text.isascii() and text.isdecimal() and len(text) <= 9
    return int(text) if is_one and int(text) <= LAST_RUN else None


class RejectRun(admin.SimpleListFilter):
    """One run: its rejects are a range of ids."""

    title = "run"
    parameter_name = "run"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        runs = {str(run.pk): f"{run}: {visible(run.file)[-40:]}" for run in recent_runs(RECENT)}
        chosen = request.GET.get(self.parameter_name, "")
        if chosen and chosen not in runs:
            runs[chosen] = f"run {visible(chosen)[:20]}"
        return list(runs.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if value is None:
            return queryset
        run = run_number(value)
        if run is None:
            return queryset.none()
        return queryset.filter(pk__gte=reject_id(run, 0), pk__lt=reject_id(run + 1, 0))


class RejectState(admin.SimpleListFilter):
    """What became of a row. Without a choice: of one run all rows, as they make up its figure; else the open ones."""

    title = "state"
    parameter_name = "state"
    ANY = "any"

    def __init__(self, request: HttpRequest, params: dict[str, Any], model: Any, model_admin: Any) -> None:
        self.usual = self.ANY if RejectRun.parameter_name in request.GET else str(RejectedRow.State.OPEN)
        super().__init__(request, params, model, model_admin)

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            *((str(value), label.capitalize()) for value, label in RejectedRow.State.choices),
            (self.ANY, "Any state"),
        ]

    def value(self) -> str:
        return super().value() or self.usual

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        yield from islice(super().choices(changelist), 1, None)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset if self.value() == self.ANY else queryset.filter(state=self.value())


class ReasonFilter(admin.SimpleListFilter):
    """A property of a reason."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if value is None:
            return queryset
        condition = {str(self.parameter_name): "" if value == WHOLE_ROW else value}
        return queryset.filter(Exists(RejectReason.objects.filter(reject=OuterRef("pk"), **condition)))


class RejectCode(ReasonFilter):
    """Reason codes that the latest runs have counted."""

    title = "reason"
    parameter_name = "code"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        counts = recent_runs(RECENT).values_list("rejects_by_reason", flat=True)
        codes = {code for count in counts for code in count} | set(request.GET.getlist(self.parameter_name))
        return [(code, code) for code in sorted(codes)]


class RejectColumn(ReasonFilter):
    """Columns of the contract."""

    title = "column"
    parameter_name = "column"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, name) for name in (*NAMES, WHOLE_ROW)]
