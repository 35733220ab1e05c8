"""The rejected rows of a run as a file to put right, for whoever may look at them."""

from __future__ import annotations

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_safe

from catalog.changes import NotPossible
from ingestion.models import Run
from ingestion.repair import as_csv, exported


def rejects_file(run: Run) -> str:
    """Where the file is; empty for a run without rejects, or whose rejects cannot be repaired."""
    return reverse("admin:ingestion_run_rejects", args=[run.pk]) if run.rejected and not run.why_not_repairable else ""


class RejectsFileMixin(admin.ModelAdmin):
    """The file's address, below the page of the run."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_safe(self.rejects_view))
        return [path("<int:pk>/rejects.csv", view, name="ingestion_run_rejects"), *super().get_urls()]

    def rejects_view(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """What `export_rejects` writes: the open rows, for `ingest_csv --repairs`."""
        if not request.user.has_perm("ingestion.view_rejectedrow"):
            raise PermissionDenied
        try:
            rows = exported(pk)
        except NotPossible as refused:
            if refused.code == "no_such_run":
                raise Http404(refused.message) from refused
            messages.error(request, refused.message)
            return redirect("admin:ingestion_run_change", pk)
        headers = {
            "Content-Disposition": f'attachment; filename="rejects-of-run-{pk}.csv"',
            # Pieces go on to the client as they are made.
            "X-Accel-Buffering": "no",
        }
        return StreamingHttpResponse(as_csv(rows), content_type="text/csv; charset=utf-8", headers=headers)
