"""The report of a run: one object for programs, a short table for people."""

from __future__ import annotations

import json
from typing import Any

from catalog.contract import shown
from ingestion.models import Run

FIGURES = ("read", "inserted", "updated", "unchanged", "duplicate", "rejected", "removed")


def as_dict(run: Run, *, dry_run: bool) -> dict[str, Any]:
    """The run as the JSON report shows it; `run` is its number, None for a dry run."""
    status = "dry_run" if dry_run and run.status == Run.Status.LOADED else str(run.status)
    return {
        "file": run.file,
        "run": run.pk,
        "status": status,
        "reason": run.reason or None,
        "reason_code": run.reason_code or None,
        "already_loaded_in": run.same_as_id,
        **{name: getattr(run, name) for name in FIGURES},
        "caught_up": run.caught_up,
        "conflicts": run.conflicts,
        "repairs": run.repairs_id,
        "repaired": run.repaired,
        "new_values": run.new_values,
        "rejects_by_reason": run.rejects_by_reason,
        "missing": run.missing,
        "seconds": run.seconds,
        "rows_per_second": round(run.read / run.seconds) if run.seconds else None,
        "sha256": run.sha256 or None,
        "bytes": run.file_size,
        "stages": run.stages,
    }


def as_json(run: Run, *, dry_run: bool) -> str:
    """One line of JSON."""
    return json.dumps(as_dict(run, dry_run=dry_run), ensure_ascii=False)


def as_text(run: Run, *, dry_run: bool) -> str:
    """The report for people."""
    facts = as_dict(run, dry_run=dry_run)
    title = f"{shown(run.file)[1:-1]}: {facts['status'].replace('_', ' ')}"
    lines = [title + (f" (run {run.pk})" if run.pk else "")]
    if run.reason:
        lines.append(f"  {run.reason}")
    if run.read or run.status == Run.Status.LOADED:
        lines += [f"  {name:<10}{facts[name]:>14,}" for name in FIGURES if name != "removed" or facts[name]]
        lines.append(f"  in {run.seconds:.1f} s, {facts['rows_per_second'] or 0:,} rows/s")
    if run.caught_up:
        lines.append(f"  corrections retired, the source caught up: {run.caught_up:,}")
    if run.conflicts:
        lines.append(f"  corrections in conflict, the source has another value: {run.conflicts:,}")
    if run.repairs_id:
        lines.append(f"  rejected rows of run {run.repairs_id} put right: {run.repaired:,}")
    for name, values in run.new_values.items():
        lines.append(f"  new values of {name}: {_some(values)}")
    for code, count in run.rejects_by_reason.items():
        lines.append(f"  rejected, {code}: {count:,}")
    if run.rejects_by_reason and run.pk:
        lines.append(f"  The rejected rows: /api/v1/runs/{run.pk}/rejects/, or the admin.")
    if dry_run and facts["status"] == "dry_run":
        lines.append("  This was a dry run: nothing was changed.")
    return "\n".join(lines)


def _some(values: list[str]) -> str:
    most = 12
    return ", ".join(values[:most]) + (f" and {len(values) - most:,} more" if len(values) > most else "")
