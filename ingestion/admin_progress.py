"""The page of a running load shows where it is, and follows it."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.urls import URLPattern, path
from django.views.decorators.http import require_safe

from ingestion.live import STILL, Position, position_of
from ingestion.models import Run
from ingestion.staging import engine_for

STAGES = {
    "read": "Reading and checking the rows",
    "settle": "Looking for rows that the file has more than once",
    "overlay": "Laying corrections and rules over the rows",
    "write": "Comparing with the catalogue, and writing",
    "index": "Building indexes",
    "repairs": "Settling the rejected rows that it repairs",
}
BEGINS = "Beginning"

NOTHING_YET = "It has told nothing yet. A load tells every second where it is; if this stays, its process has died."


class ProgressMixin(admin.ModelAdmin):
    """The address that the page asks again and again, below the page of the run."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_safe(self.progress_view))
        return [path("<int:pk>/progress/", view, name="ingestion_run_progress"), *super().get_urls()]

    def progress_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Where the load is, in words; when it is over, only that."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        run = Run.objects.filter(pk=pk).only("status").first()
        if run is None:
            raise Http404(f"There is no run {pk}.")
        return JsonResponse({"over": run.status != Run.Status.RUNNING, **(progress(run) or {})})


def progress(run: Run) -> dict[str, Any] | None:
    """Where a running load is, in words for a person; None for a run that is over."""
    if run.status != Run.Status.RUNNING:
        return None
    found = position_of(run.pk, engine_for(connection))
    if found is None:
        return in_words(Position(run.pk)) | {"still": NOTHING_YET}
    position, age = found
    return in_words(position) | {"still": stillness(age) if age > STILL else ""}


def in_words(position: Position) -> dict[str, Any]:
    """A position; what nobody knows of it is a dash, and a share that nobody knows is None."""
    share, rate, left = position.share, position.rate, position.left
    return {
        "stage": STAGES.get(position.stage, position.stage) or BEGINS,
        "rows": f"{position.rows:,}",
        "rate": "-" if rate is None else f"{rate:,.0f} rows/s",
        "left": "-" if left is None else f"about {duration(left)}",
        "share": None if share is None else round(100 * share),
    }


def stillness(seconds: float) -> str:
    """What it means that a load has not told where it is for so long."""
    return (
        f"It has not moved for {duration(seconds)}. Its process has probably died; then nothing of the file is loaded, "
        "and the next load marks this run as crashed."
    )


def duration(seconds: float) -> str:
    """So many seconds, as people say it."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.0f} h"
