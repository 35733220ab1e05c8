"""The admin's pages of runs and of what they rejected."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.db.models import QuerySet
from django.db.models.functions import Left, Length
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from catalog.read_only import NOTHING, ReadOnlyAdmin, link_to, moment, visible
from ingestion.admin_filters import RejectCode, RejectColumn, RejectRun
from ingestion.models import RejectedRow, RejectReason, Run

FIGURES = ("read", "inserted", "updated", "unchanged", "duplicate", "rejected", "removed")

LISTED_CHARACTERS = 300
SHOWN_CHARACTERS = 100_000


def rejects_link(run: Run, text: str, **filters: str) -> SafeString:
    """A link to the rejects of a run."""
    query = urlencode({"run": run.pk, **filters})
    return format_html('<a href="{}?{}">{}</a>', reverse("admin:ingestion_rejectedrow_changelist"), query, text)


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
class RunAdmin(ReadOnlyAdmin):
    """Runs, the newest first."""

    list_display = (
        *("id", "state", "file_name", "began", figure("read"), figure("inserted"), figure("updated")),
        *("rejected_rows", figure("unchanged"), figure("duplicate"), figure("removed"), "seconds"),
    )
    list_filter = ("status",)
    search_fields = ("file", "sha256__startswith")
    search_help_text = "Part of the file's name, or the beginning of its SHA-256"
    ordering = ("-id",)
    sortable_by = ("id",)
    fieldsets = (
        (None, {"fields": ("state", "reason", "reason_code", "same_as", "change_made")}),
        ("Figures", {"fields": ("figures", "reasons", "found_new")}),
        ("File", {"fields": ("file_name", "file_size", "sha256", "compression", "encoding", "separator", "given")}),
        ("Work", {"fields": ("started", "finished", "seconds", "stage_seconds", "actor", "host", "process")}),
    )
    readonly_fields = (
        *("state", "change_made", "figures", "reasons", "found_new", "file_name", "separator", "given"),
        *("started", "finished", "stage_seconds"),
    )

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
        return rejects_link(run, f"{run.rejected:,}") if run.rejected else "0"

    @admin.display(description="change")
    def change_made(self, run: Run) -> SafeString | str:
        return link_to(run.change, str(run.change)) if run.change else "The catalogue is as it was."

    @admin.display(description="rows")
    def figures(self, run: Run) -> str:
        rows = [(name, f"{getattr(run, name):,}") for name in FIGURES]
        link = rejects_link(run, "Look at the rejected rows") if run.rejected else ""
        return render_to_string("admin/ingestion/run/figures.html", {"figures": rows, "link": link})

    @admin.display(description="rejected rows by reason")
    def reasons(self, run: Run) -> SafeString | str:
        lines = ((rejects_link(run, code, code=code), f"{n:,}") for code, n in run.rejects_by_reason.items())
        return format_html_join(SafeString("<br>"), "{}: {}", lines) or NOTHING

    @admin.display(description="new values")
    def found_new(self, run: Run) -> SafeString | str:
        return named_values(run.new_values)

    @admin.display(description="delimiter")
    def separator(self, run: Run) -> str:
        return {"\t": "tab", "": NOTHING}.get(run.delimiter, run.delimiter)

    @admin.display(description="options")
    def given(self, run: Run) -> SafeString | str:
        return named_values(run.options)

    @admin.display(description="seconds by stage")
    def stage_seconds(self, run: Run) -> SafeString | str:
        return named_values(run.stages)


def reason_line(reason: RejectReason) -> SafeString:
    return format_html("<strong>{}</strong>: {}", reason.code, visible(reason.message))


@admin.register(RejectedRow)
class RejectedRowAdmin(ReadOnlyAdmin):
    """Rejected rows: those of one run in the order of its file, or all with the newest run first."""

    list_display = ("position", "run", "reasons", "beginning")
    list_filter = (RejectRun, RejectCode, RejectColumn)
    list_select_related = ("run",)
    fields = ("run_page", "line", "record", "details")
    readonly_fields = ("run_page", "record", "details")

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        # The id is made of run and line, so the primary key's index gives both orders.
        return ("id",) if RejectRun.parameter_name in request.GET else ("-id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[RejectedRow]:
        """Records can be large: only what is shown of them is read."""
        rows = RejectedRow.objects.defer("raw", "raw_bytes").prefetch_related("reasons")
        return rows.annotate(
            start=Left("raw", SHOWN_CHARACTERS if self._one(request) else LISTED_CHARACTERS), length=Length("raw")
        ).order_by(*self.get_ordering(request))

    @staticmethod
    def _one(request: HttpRequest) -> bool:
        match = request.resolver_match
        return bool(match and match.kwargs)

    @admin.display(description="line")
    def position(self, row: RejectedRow) -> str:
        return str(row.line)

    def reasons(self, row: RejectedRow) -> SafeString:
        return format_html_join(SafeString("<br>"), "{}", ((reason_line(reason),) for reason in row.reasons.all()))

    @admin.display(description="row")
    def beginning(self, row: Any) -> SafeString:
        return self.record(row)

    @admin.display(description="row as it stood in the file")
    def record(self, row: Any) -> SafeString:
        left = row.length - len(row.start)
        return format_html('<pre class="raw">{}{}</pre>', visible(row.start), f"… {left:,} more" if left else "")

    @admin.display(description="run")
    def run_page(self, row: RejectedRow) -> SafeString:
        return format_html("{} of {}", link_to(row.run, str(row.run)), visible(row.run.file))

    @admin.display(description="reasons")
    def details(self, row: RejectedRow) -> str:
        reasons = [
            (r.code, r.column, visible(r.value[:LISTED_CHARACTERS]), visible(r.message)) for r in row.reasons.all()
        ]
        return render_to_string("admin/ingestion/rejectedrow/reasons.html", {"reasons": reasons})
