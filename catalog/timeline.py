"""The history of one order: who or what set which value, when and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from catalog.contract import CORRECTABLE
from catalog.models import Change, Correction, CorrectionEvent, Order, OrderVersion

FIELDS = tuple(column.name for column in CORRECTABLE)


@dataclass(frozen=True)
class Difference:
    """One value before and after a change; `below` are the source's own values where it is overlaid, else the same."""

    name: str
    before: Any
    after: Any
    below_before: Any
    below_after: Any


@dataclass
class Entry:
    """What one change did to one order. `first`: it brought the order; `gone`: it took the order out of the catalogue.

    `state`: the order's state from then on is another one, until `ended_by` or, when that is None, until now.
    """

    change: Change
    first: bool = False
    gone: bool = False
    state: bool = False
    ended_by: Change | None = None
    removed: bool | None = None
    differences: list[Difference] = field(default_factory=list)
    events: list[str] = field(default_factory=list)


def timeline(order: Order | OrderVersion, limit: int | None = None) -> list[Entry]:
    """The changes of an order, the newest first; all of them, or the newest `limit`.

    Of an order that an undo has taken out of the catalogue, any version will do.
    """
    versions = OrderVersion.objects.filter(key=order.key).select_related("change__run", "ended_by__run")
    # The last of them only says what the one after it has changed.
    older = list(versions.order_by("-change_id")[:limit])
    states: list[Order | OrderVersion] = [order, *older] if isinstance(order, Order) else [*older]
    entries = {}
    for after, before in zip(states, [*states[1:], None], strict=True):
        entries[after.change_id] = _entry(after, before)
    followers = [None, *(state.change_id for state in states)]
    for state, follower in zip(states, followers, strict=False):
        if isinstance(state, OrderVersion) and state.ended_by_id != follower:
            entries[state.ended_by_id] = Entry(state.ended_by, gone=True)
    for change, sentence in _events(order.key):
        entries.setdefault(change.pk, Entry(change)).events.append(sentence)
    return [entries[number] for number in sorted(entries, reverse=True)][:limit]


def _entry(after: Order | OrderVersion, before: Order | OrderVersion | None) -> Entry:
    ended_by = after.ended_by if isinstance(after, OrderVersion) else None
    entry = Entry(after.change, first=before is None, state=True, ended_by=ended_by)
    if before is None:
        return entry
    if after.removed != before.removed:
        entry.removed = after.removed
    for name in FIELDS:
        difference = Difference(
            name, getattr(before, name), getattr(after, name), before.source_value(name), after.source_value(name)
        )
        if (difference.before, difference.below_before) != (difference.after, difference.below_after):
            entry.differences.append(difference)
    return entry


def _events(key: int) -> Iterator[tuple[Change, str]]:
    """What became of the order's corrections, each as the change that did it and a sentence."""
    corrections = Correction.objects.filter(order=key).select_related("made_by__run", "ended_by__run")
    for correction in corrections.order_by("id"):
        yield correction.made_by, f"{correction.field} corrected"
        # That the source caught up is one of the events below: an undo may have brought the correction back since.
        if correction.ended_by is not None and correction.ending != Correction.Ending.CAUGHT_UP:
            yield correction.ended_by, f"correction of {correction.field} {correction.get_ending_display()}"
    events = CorrectionEvent.objects.filter(correction__order=key).select_related("change__run", "correction")
    for event in events.order_by("id"):
        yield event.change, f"correction of {event.correction.field}: {event.get_kind_display()}"
