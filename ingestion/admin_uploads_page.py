"""What the page of an upload says."""

from __future__ import annotations

from typing import Any

from django.template.defaultfilters import filesizeformat
from django.utils.html import format_html
from django.utils.safestring import SafeString

from catalog.read_only import link_to, moment, visible
from ingestion.admin_figures import conflicts_url, rejects_url
from ingestion.models import Run
from ingestion.rejects import by_frequency
from ingestion.report import FIGURES, as_dict
from ingestion.upload_models import Upload
from ingestion.uploads import folder
from ingestion.uploads.work import EXAMPLES

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
UNDONE = "It was loaded, and its run was undone since."
WOULD = {
    "caught_up": "Corrections that would retire, as the source says now what they said",
    "conflicts": "Corrections that would wait for somebody, as the source has another value",
}
HAS = {
    "caught_up": "Corrections that have retired, as the source says now what they said",
    "conflicts": "Corrections that the source has put in conflict, as it has another value",
}
"""What becomes of corrections: by the check, and by the load."""

ACCEPTED = ("dry_run", Run.Status.LOADED, Run.Status.UNDONE)
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


def describe(upload: Upload, *, rows: bool) -> dict[str, Any]:
    """Everything the page shows, but for what can be done; with `rows` also those that were rejected."""
    run = upload.run if upload.state == State.LOADED else None
    undone = run is not None and run.status == Run.Status.UNDONE
    return {
        "upload": upload,
        "facts": facts(upload),
        "meaning": upload.reason or (UNDONE if undone else MEANINGS.get(State(upload.state), "")),
        "is_loaded": run is not None,
        "under_way": upload.is_under_way,
        "doing": doing(upload),
        "run_link": link_to(upload.run, str(upload.run)) if upload.run else "",
        "rejects_url": rejects_url(upload.run) if rows and upload.run and upload.run.rejected else "",
        "conflicts_url": conflicts_url(run) if run is not None and run.conflicts else "",
        **(findings(upload.report, WOULD) if run is None else findings(as_dict(run, dry_run=False), HAS)),
        "examples": [
            {
                "line": row["line"],
                "raw": visible(row["raw"]),
                "reasons": [(code, visible(message)) for code, message in row["reasons"]],
            }
            for row in (upload.examples if rows else ())
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
    earlier = upload.report.get("already_loaded_in") or (upload.run and upload.run.same_as_id)
    if earlier:
        found.append(("content loaded in", link_to(Run(pk=earlier), f"run {earlier}")))
    given = [f"{name}: {value}" for name, value in upload.options(dry_run=False).differing().items()]
    return [*found, ("options", ", ".join(given))] if given else found


def findings(report: dict[str, Any], corrections: dict[str, str]) -> dict[str, Any]:
    """A report; nothing where it has not come so far as to read rows."""
    accepted = report.get("status") in ACCEPTED
    if not accepted and not report.get("read"):
        return {}
    names = FIGURES if accepted else ("read", "rejected")
    return {
        "figures": [(name, f"{report[name]:,}") for name in names if name != "removed" or report[name]],
        "adds_up": accepted,
        "no_rows": not report["read"],
        "rejected": f"{report['rejected']:,}",
        "all_shown": report["rejected"] <= EXAMPLES,
        "corrections": [f"{text}: {report[name]:,}" for name, text in corrections.items() if report[name]],
        "by_reason": [(code, f"{count:,}") for code, count in by_frequency(report["rejects_by_reason"]).items()],
        "new_values": [(name, some(values)) for name, values in report["new_values"].items()],
    }


def some(values: list[str]) -> str:
    """Values of a column, as many as one reads."""
    more = len(values) - MOST_VALUES
    return ", ".join(values[:MOST_VALUES]) + (f" and {more:,} more" if more > 0 else "")
