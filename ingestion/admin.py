"""The admin's pages of runs and of what they rejected."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from catalog.read_only import NOTHING, ReadOnlyAdmin, link_to, moment, visible
from ingestion.admin_figures import picture, rejects_url
from ingestion.admin_progress import ProgressMixin, progress
from ingestion.admin_rejects import RejectedRowAdmin
from ingestion.admin_rejects_file import RejectsFileMixin, rejects_file
from ingestion.admin_undo import UndoMixin
from ingestion.admin_uploads import UploadAdmin
from ingestion.models import RejectedRow, Run
from ingestion.upload_models import Upload

LISTED_REPAIRS = 20


def figure(name: str) -> Callable[[Run], str]:
    """A column of the list: a number that a person can read."""

    @admin.display(description=name)
    def column(run: Run) -> str:
        return f"{getattr(run, name):,}"

    return column


def named_values(values: dict[str, Any]) -> SafeString | str:
    """A JSON object as lines of name and value."""
    lines = ((name, ", ".join(map(str, v)) if isinstance(v, list) else v) for name, v in values.items())
    return format_html_join(SafeString("<br>"), "<strong>{}</strong>: {}", lines) or NOTHING


@admin.register(Run)
class RunAdmin(UndoMixin, ProgressMixin, RejectsFileMixin, ReadOnlyAdmin):
    """Runs, the newest first."""

    class Media:
        css = {"all": ("catalog/charts.css", "ingestion/run.css")}

    list_display = (
        *("id", "state", "file_name", "began", figure("read"), figure("inserted"), figure("updated")),
        *("rejected_rows", figure("unchanged"), figure("duplicate"), figure("removed"), "seconds"),
    )
    list_filter = ("status", "kind")
    search_fields = ("file", "sha256__startswith")
    search_help_text = "Part of the file's name, or the beginning of its SHA-256"
    ordering = ("-id",)
    sortable_by = ("id",)
    fieldsets = (
        (None, {"fields": ("state", "reason", "reason_code", "same_as", "repairs_run", "change_made", "taken_back")}),
        ("File", {"fields": ("file_name", "size", "sha256", "compression", "encoding", "separator", "found_new")}),
        ("Work", {"fields": ("given", "started", "finished", "seconds", "stage_seconds", "actor", "host", "process")}),
    )
    readonly_fields = (
        *("state", "repairs_run", "change_made", "taken_back", "found_new"),
        *("file_name", "size", "separator", "given"),
        *("started", "finished", "stage_seconds"),
    )

    def get_fieldsets(self, request: HttpRequest, obj: Run | None = None) -> Any:
        """What became of the run is said in a few lines: those that have nothing to say of it are left out."""
        (name, first), *others = super().get_fieldsets(request, obj)
        if obj is None:
            return [(name, first), *others]
        said = {"reason": obj.reason, "reason_code": obj.reason_code, "same_as": obj.same_as_id}
        said |= {"repairs_run": self.repairs_run(obj) != NOTHING, "taken_back": self.taken_back(obj) != NOTHING}
        fields = [field for field in first["fields"] if said.get(str(field), True)]
        return [(name, {**first, "fields": fields}), *others]

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        run = kwargs.get("obj")
        if isinstance(run, Run):
            file = rejects_file(run) if request.user.has_perm("ingestion.view_rejectedrow") else ""
            context |= picture(run) | {
                "progress": progress(run),
                "file": file,
                "title": f"Run {run.pk}",
                "subtitle": None,
            }
        return super().render_change_form(request, context, *args, **kwargs)

    def view_on_site(self, run: Run) -> str:
        """The run in the API."""
        return reverse("run-detail", args=[run.pk])

    @admin.display(description="status")
    def state(self, run: Run) -> SafeString:
        return format_html('<span class="pill pill-{}">{}</span>', run.status, run.get_status_display())

    @admin.display(description="file")
    def file_name(self, run: Run) -> str:
        return visible(run.file)

    @admin.display(description="started at")
    def started(self, run: Run) -> str:
        return moment(run.started_at)

    @admin.display(description="started at")
    def began(self, run: Run) -> str:
        return moment(run.started_at.replace(microsecond=0))

    @admin.display(description="finished at")
    def finished(self, run: Run) -> str:
        return moment(run.finished_at)

    @admin.display(description="rejected")
    def rejected_rows(self, run: Run) -> SafeString | str:
        return format_html('<a href="{}">{}</a>', rejects_url(run), f"{run.rejected:,}") if run.rejected else "0"

    @admin.display(description="change")
    def change_made(self, run: Run) -> SafeString | str:
        return link_to(run.change, str(run.change)) if run.change else "The catalogue is as it was."

    @admin.display(description="repairs and repaired by")
    def repairs_run(self, run: Run) -> SafeString | str:
        repaired = format_html("rejected rows of {}", link_to(run.repairs, str(run.repairs))) if run.repairs else ""
        repairs = run.repair_runs.filter(status=Run.Status.LOADED).order_by("-id")[:LISTED_REPAIRS]
        by = format_html_join(", ", "{}", ((link_to(other, str(other)),) for other in repairs))
        return repaired or by or NOTHING

    @admin.display(description="new values")
    def found_new(self, run: Run) -> SafeString | str:
        return named_values(run.new_values)

    @admin.display(description="size")
    def size(self, run: Run) -> str:
        return NOTHING if run.file_size is None else f"{run.file_size:,} bytes"

    @admin.display(description="delimiter")
    def separator(self, run: Run) -> str:
        return {"\t": "tab", "": NOTHING}.get(run.delimiter, run.delimiter)

    @admin.display(description="options")
    def given(self, run: Run) -> SafeString | str:
        return named_values(run.options)

    @admin.display(description="seconds by stage")
    def stage_seconds(self, run: Run) -> SafeString | str:
        return named_values(run.stages)


admin.site.register(RejectedRow, RejectedRowAdmin)
admin.site.register(Upload, UploadAdmin)
