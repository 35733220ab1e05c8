"""What an undo means beyond its orders: for corrections, for what waits for somebody, and for what later loads read."""

from __future__ import annotations

from collections.abc import Callable

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from catalog.models import Correction
from ingestion.errors import option
from ingestion.models import RejectedRow, Run

NAMED = 3
"""Later loads that are named, the latest first; of all others their number is said."""

Numbers = dict[str, int]

WORDS = {
    "retired": ("correction", "in force again", "retired again"),
    "conflicts": ("conflict", "gone, as brought by this run", "back"),
    "older conflicts": ("conflict", "settled again", "back, as it was before this run"),
    "rejects": ("open rejected row", "dismissed, as nothing of the file is loaded then", ""),
    "repaired rejects": ("open rejected row", "repaired again", ""),
}
"""What is counted, and what it means when there is less of it afterwards, or more."""


def numbers(undone: Run) -> Numbers:
    """How much there is of what the undo of a run may change besides orders; exact with the catalogue locked."""
    loaded = undone
    while loaded.undoes is not None:
        loaded = loaded.undoes
    conflicts = Correction.objects.in_conflict()
    open_rows = RejectedRow.objects.filter(state=RejectedRow.State.OPEN)
    return {
        "retired": Correction.objects.filter(ended_by__gte=undone.change_id).count(),
        "conflicts": conflicts.filter(conflict_by=loaded.change_id).count(),
        "older conflicts": conflicts.exclude(conflict_by=loaded.change_id).count(),
        "rejects": open_rows.filter(run=loaded).count(),
        "repaired rejects": open_rows.filter(run=loaded.repairs_id).count() if loaded.repairs_id else 0,
    }


def said(before: Numbers, after: Numbers) -> list[tuple[str, str]]:
    """What an undo has done to these numbers: how many of what, and what became of them."""
    found = []
    for name, (noun, fewer, more) in WORDS.items():
        moved = after[name] - before[name]
        if moved:
            thing = "rejected row" if moved > 0 and "reject" in name else noun
            words = fewer if moved < 0 else more or "open again"
            found.append((f"{abs(moved):,} {thing}{'' if abs(moved) == 1 else 's'}", words))
    return found


def warning(undo: Run, show: Callable[[Run], str] = str) -> SafeString | str:
    """That later loads may have confirmed what an undo takes back, and what to do then; empty where none can have.

    A load leaves no trace at an order that it finds unchanged, so nobody can tell which orders these are.
    """
    if not (undo.inserted or undo.updated or undo.removed) or undo.undoes is None:
        return ""
    loads = Run.objects.filter(
        kind=Run.Kind.LOAD, status=Run.Status.LOADED, change__gt=undo.undoes.change_id, unchanged__gt=0
    ).order_by("-id")
    count = loads.count()
    if not count:
        return ""
    named = format_html_join(", ", "{}", ((show(run),) for run in loads[:NAMED]))
    return format_html(
        "{} in force ({}{}) found orders unchanged, perhaps some of these. Nothing tells which, so the undo may give "
        "them older values than the latest file has. Load that file again afterwards, with {}.",
        "1 later load" if count == 1 else f"{count:,} later loads",
        named,
        f" and {count - NAMED:,} more" if count > NAMED else "",
        option("force", "Load again"),
    )
