"""The history of one order as the admin shows it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from catalog.models import Change
from catalog.read_only import cell_text, moment, one_line, run_link, second, visible
from catalog.timeline import Difference, Entry

SHOWN = 100
"""Entries on the page of an order."""


def change_facts(change: Change) -> dict[str, Any]:
    """When, by what, by whom and why."""
    return {
        "at": second(change.at),
        "kind": change.get_kind_display(),
        "run": run_link(change) if getattr(change, "run", None) else "",
        "actor": visible(change.actor),
        "reason": one_line(change.reason),
    }


def history_rows(entries: list[Entry]) -> list[dict[str, Any]]:
    """The entries of a timeline, the newest first, each with its values from when to when."""
    # When the value that an entry has set was replaced by another one.
    replaced: dict[str, datetime] = {}
    rows = []
    for entry in entries:
        values = [value_row(d, entry, replaced.get(d.name)) for d in entry.differences]
        replaced |= {d.name: entry.change.at for d in entry.differences if d.before != d.after}
        rows.append(
            {
                **change_facts(entry.change),
                "at": moment(entry.change.at),
                "number": entry.change.pk,
                "first": entry.first,
                "gone": entry.gone,
                "removed": entry.removed,
                "state": entry.state,
                "until": moment(entry.ended_by.at) if entry.ended_by else "",
                "values": values,
                "events": entry.events,
            }
        )
    return rows


def value_row(difference: Difference, entry: Entry, replaced: datetime | None) -> dict[str, Any]:
    """One value before and after a change."""
    d = difference
    state_ended = entry.ended_by.at if entry.ended_by else None
    return {
        "name": d.name,
        "before": cell_text(d.before),
        "after": cell_text(d.after),
        "changed": d.before != d.after,
        # Where it is the end of the whole state, that is said once.
        "until": moment(replaced) if replaced and replaced != state_ended else "",
        "source": cell_text(d.below_after) if d.below_after != d.after else "",
        "source_before": cell_text(d.below_before) if d.below_before != d.below_after else "",
    }
