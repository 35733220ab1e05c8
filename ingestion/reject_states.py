"""What becomes of rejected rows when a run is undone, or is in force again.

Their state follows from the runs, in whatever order these were undone: a row is repaired by the latest of its repairs
that is in force. Without any, it is dismissed if its customer was erased or a person has dismissed it, or if its own
run was undone, and open otherwise.
"""

from __future__ import annotations

from typing import Any

from django.db.models import Case, Exists, OuterRef, Q, QuerySet, Subquery, Value, When

from ingestion.masking import NOTE
from ingestion.models import RejectedRow, RejectRepair, Run

State = RejectedRow.State
UNSETTLED: dict[str, Any] = {"settled_by": "", "settled_at": None}


def settle_rejects_of(run: Run, by: Run) -> None:
    """Bring the rejected rows that depend on a run in line with its new status; `by` is the undo that set it."""
    _settle(RejectedRow.objects.filter(run=run), run, by)
    if run.repairs is not None:
        accepted = RejectRepair.objects.filter(run=run)
        _settle(RejectedRow.objects.filter(pk__in=accepted.values("reject")), run.repairs, by)


def _settle(rows: QuerySet[RejectedRow], run: Run, by: Run) -> None:
    """The same for some rejected rows of one run."""
    in_force = RejectRepair.objects.filter(reject=OuterRef("pk"), run__status=Run.Status.LOADED).order_by("-run")
    repaired = Exists(in_force)
    latest = Subquery(in_force.values("run")[:1])
    rows.filter(repaired).exclude(state=State.REPAIRED, repaired_by=latest).update(
        state=State.REPAIRED,
        repaired_by=latest,
        settled_by=by.actor,
        settled_at=by.started_at,
        # Once the customer was erased, the row is never open again.
        note=Case(When(note=NOTE, then=Value(NOTE)), default=Value("")),
    )
    rows = rows.exclude(repaired)
    rows.filter(state=State.REPAIRED, note=NOTE).update(state=State.DISMISSED, **UNSETTLED)
    rows.filter(Q(state=State.REPAIRED) | by_its_run(run)).update(state=State.OPEN, note="", **UNSETTLED)
    if run.status != Run.Status.LOADED:
        rows.filter(state=State.OPEN).update(state=State.DISMISSED, note=note_of(run))


def by_its_run(run: Run) -> Q:
    """The rows of a run that are dismissed for nothing but its undo."""
    return Q(state=State.DISMISSED, note=note_of(run), settled_at=None)


def note_of(undone: Run) -> str:
    """Why a rejected row of a run that was undone waits for nobody."""
    return f"{undone} was undone"
