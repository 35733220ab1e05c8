"""What the page of an upload says."""

from __future__ import annotations

from typing import Any

from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from catalog.read_only import link_to, moment, visible
from ingestion.models import Run
from ingestion.report import FIGURES
from ingestion.upload_models import Upload
from ingestion.uploads import folder

State = Upload.State

MEANINGS = {
    State.WAITING: "It is checked as soon as the worker takes it up.",
    State.CHECKING: "It is being checked, which changes nothing.",
    State.CHECKED: "Nothing is changed yet. This is what loading the file would do:",
    State.CONFIRMED: "It is loaded as soon as the worker takes it up.",
    State.LOADING: "It is being loaded.",
    State.LOADED: "It is loaded.",
    State.DISCARDED: "It was thrown away; nothing of it was loaded.",
}
NO_WORKER = (
    "No worker is running, so nothing happens with the file. Whoever runs the server has to start one: "
    "python manage.py load_uploads"
)
CORRECTIONS = {
    "caught_up": "Corrections that retire, as the source says now what they said",
    "conflicts": "Corrections that will wait for somebody, as the source has another value",
}
MOST_VALUES = 50


def pill(upload: Upload) -> SafeString:
    """The state, with its colour."""
    return format_html('<span class="pill pill-{}">{}</span>', upload.state, upload.get_state_display())


def doing(upload: Upload) -> str:
    """What happens with it at this moment; empty when nothing does."""
    if not upload.is_under_way:
        return ""
    if not folder.has_worker():
        return NO_WORKER
    if upload.state in Upload.AT_WORK:
        return visible(folder.told(upload.stored_as))
    busy = Upload.objects.filter(state__in=Upload.AT_WORK).first()
    return f"The worker is at work on {busy}." if busy else ""


def describe(upload: Upload) -> dict[str, Any]:
    """Everything the page shows, but for what can be done."""
    return {
        "upload": upload,
        "facts": facts(upload),
        "meaning": upload.reason or MEANINGS.get(State(upload.state), ""),
        "under_way": upload.is_under_way,
        "doing": doing(upload),
        "run_link": link_to(upload.run, str(upload.run)) if upload.run else "",
        "rejects_url": rejects_url(upload.run),
        **findings(upload.report),
        "examples": [
            {
                "line": row["line"],
                "raw": visible(row["raw"]),
                "reasons": [(code, visible(message)) for code, message in row["reasons"]],
            }
            for row in upload.examples
        ],
    }


def facts(upload: Upload) -> list[tuple[str, SafeString | str]]:
    """Name and value of what was handed in."""
    found: list[tuple[str, SafeString | str]] = [
        ("state", pill(upload)),
        ("file", visible(upload.file)),
        ("size", filesizeformat(upload.size)),
        ("uploaded", f"by {upload.uploaded_by}, {moment(upload.uploaded_at.replace(microsecond=0))}"),
    ]
    if upload.confirmed_at:
        found.append(("confirmed", f"by {upload.confirmed_by}, {moment(upload.confirmed_at.replace(microsecond=0))}"))
    given = [f"{name}: {value}" for name, value in upload.options(dry_run=False).differing().items()]
    return [*found, ("options", ", ".join(given))] if given else found


def rejects_url(run: Run | None) -> str:
    """The rejected rows of a load that has some."""
    if run is None or not run.rejected:
        return ""
    return f"{reverse('admin:ingestion_rejectedrow_changelist')}?run={run.pk}"


def findings(report: dict[str, Any]) -> dict[str, Any]:
    """The report of the dry run; nothing where it has not come so far as to read rows."""
    if not report.get("read"):
        return {}
    loadable = report["status"] == "dry_run"
    names = FIGURES if loadable else ("read", "rejected")
    return {
        "figures": [(name, f"{report[name]:,}") for name in names if name != "removed" or report[name]],
        "adds_up": loadable,
        "corrections": [f"{text}: {report[name]:,}" for name, text in CORRECTIONS.items() if report[name]],
        "by_reason": [(code, f"{count:,}") for code, count in report["rejects_by_reason"].items()],
        "new_values": [(name, some(values)) for name, values in report["new_values"].items()],
    }


def some(values: list[str]) -> str:
    """Values of a column, as many as one reads."""
    more = len(values) - MOST_VALUES
    return ", ".join(values[:MOST_VALUES]) + (f" and {more:,} more" if more > 0 else "")
