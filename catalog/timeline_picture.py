"""The history of one order as a picture: a lane for the order and for each column that changed, from left to right.

Every change gets the same room. In real time a typical history (a load years ago, then a few changes within minutes of
one day) would be one long bar with everything that matters crowded into its last pixel; here each change can be read,
and how long it had been quiet before is said in words.

This module knows where things stand, in pixels; a template draws them, and so escapes what they say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from catalog.models import Change, Order
from catalog.read_only import cell_text, moment, visible
from catalog.timeline import FIELDS, Difference, Entry

MOST = 12
"""Changes in the picture, the newest; the table below it has more."""

BEFORE = -1
"""Stands for a time before the first change that is shown."""

STEP, LEAD, MARGIN = 168, 84, 8
"""Room for a change, for what was before the first of them, and for its mark where nothing was."""

SIGHT = 900
"""How much of the picture can be seen at once on a desk; on a phone it is hardly more than a change."""

HEAD, LANE, BAR = 84, 46, 36
"""Heights of what is said of a change, of a lane, and of the bar in it."""

LETTER = 7.2
"""Width of a letter, for the texts that must not be wider than their bars."""

SHAPES = {
    Change.Kind.LOAD: "M-6,-6 H6 L0,6 Z",
    Change.Kind.CORRECTION: "M-5,-5 H5 V5 H-5 Z",
    Change.Kind.RULE: "M0,-7 L7,0 L0,7 L-7,0 Z",
    Change.Kind.UNDO: "M6,-6 V6 L-6,0 Z",
    Change.Kind.REPAIR: "M-2,-6 H2 V-2 H6 V2 H2 V6 H-2 V2 H-6 V-2 H-2 Z",
    Change.Kind.ERASURE: "M-6,-4 L-4,-6 L0,-2 L4,-6 L6,-4 L2,0 L6,4 L4,6 L0,2 L-4,6 L-6,4 L-2,0 Z",
}
"""Each kind of change has a shape of its own, and its name beside it."""

THERE, REMOVED = "in the catalogue", "removed"


@dataclass(frozen=True, slots=True)
class Span:
    """A value from one change until another, given by their places; the last one ends behind the last change.

    `below` is what the source says, where that is something else.
    """

    start: int
    end: int
    value: str
    below: str = ""


@dataclass(frozen=True, slots=True)
class Lane:
    """A column, or the order itself, and its values in the order of time; there is none while the order was gone."""

    name: str
    spans: tuple[Span, ...]


State = tuple[str, str]
"""A value, and what the source says where that is something else."""


def lanes(entries: Sequence[Entry], order: Order) -> list[Lane]:
    """What the picture is about: the whole history that the entries tell, the oldest first."""
    names = [name for name in FIELDS if any(_of(entry, name) for entry in entries)]
    return [_presence(entries, order), *(_column(entries, name) for name in names)]


def _of(entry: Entry, name: str) -> Difference | None:
    return next((difference for difference in entry.differences if difference.name == name), None)


def _column(entries: Sequence[Entry], name: str) -> Lane:
    def after(entry: Entry) -> State | None:
        difference = _of(entry, name)
        return _state(difference.after, difference.below_after) if difference else None

    first = next(found for entry in entries if (found := _of(entry, name)))
    return Lane(name, tuple(_spans(entries, _state(first.before, first.below_before), after)))


def _presence(entries: Sequence[Entry], order: Order) -> Lane:
    def after(entry: Entry) -> State | None:
        return None if entry.removed is None else (REMOVED if entry.removed else THERE, "")

    turns = [entry.removed for entry in entries if entry.removed is not None]
    was_removed = not turns[0] if turns else order.removed
    return Lane("order", tuple(_spans(entries, (REMOVED if was_removed else THERE, ""), after)))


def _state(value: Any, below: Any) -> State:
    return cell_text(value), cell_text(below) if below != value else ""


def _spans(entries: Sequence[Entry], state: State, after: Callable[[Entry], State | None]) -> Iterator[Span]:
    """From the first change, or before it, to now; `after` is what a change has made of the value, if anything."""
    start = None if entries[0].first else BEFORE
    for place, entry in enumerate(entries):
        changed = after(entry)
        if start is not None and (changed is not None or entry.gone):
            yield Span(start, place, *state)
            start = None
        state = changed or state
        if start is None and entry.state:
            start = place
    if start is not None:
        yield Span(start, len(entries), *state)


def newest(lanes: Sequence[Lane], entries: Sequence[Entry], most: int) -> tuple[list[Lane], list[Entry]]:
    """The newest changes only, and of the lanes what is left of them; columns that do not change any more go."""
    cut = max(0, len(entries) - most)
    kept = list(entries[cut:])
    left = []
    for lane in lanes:
        spans = tuple(
            Span(max(span.start - cut, BEFORE), span.end - cut, span.value, span.below)
            for span in lane.spans
            if span.end >= cut
        )
        if lane is lanes[0] or any(_of(entry, lane.name) for entry in kept):
            left.append(Lane(lane.name, spans))
    return left, kept


class TimelinePicture:
    """Where everything stands. `entries` are those of a timeline, the newest first; `whole`: there are no others."""

    def __init__(self, entries: Sequence[Entry], order: Order, *, whole: bool = True) -> None:
        history = [*reversed(entries)]
        self.lanes, self.entries = newest(lanes(history, order), history, MOST)
        self.is_cut = not whole or len(self.entries) < len(history)
        self.lead = MARGIN if self.entries[0].first else LEAD
        self.width = self.lead + STEP * len(self.entries)
        self.height = HEAD + LANE * len(self.lanes)

    @property
    def is_worth_drawing(self) -> bool:
        """Whether there was more than the order's coming."""
        return len(self.entries) > 1

    @property
    def names(self) -> list[dict[str, Any]]:
        """What the lanes are called, and where."""
        return [{"text": lane.name, "y": self._top(row) + BAR // 2 + 4} for row, lane in enumerate(self.lanes)]

    @property
    def marks(self) -> list[dict[str, Any]]:
        """What is said of each change, and the shapes in the lanes that it has changed."""
        return [self._mark(place, entry) for place, entry in enumerate(self.entries)]

    def _mark(self, place: int, entry: Entry) -> dict[str, Any]:
        change, run = entry.change, getattr(entry.change, "run", None)
        who = f"{run}, {visible(change.actor)}" if run else visible(change.actor)
        at, kind = moment(change.at), change.get_kind_display()
        return {
            "number": change.pk,
            "kind": change.kind,
            "shape": SHAPES[Change.Kind(change.kind)],
            "x": self._x(place),
            "at": at[:16],
            "what": change.kind,
            "who": fitting(who, STEP - 26),
            "quiet": f"{elapsed(change.at - self.entries[place - 1].change.at)} later" if place else "",
            "title": f"{at}, {kind}, {who}",
            "lanes": [self._top(row) + BAR // 2 for row, lane in enumerate(self.lanes) if self._touches(entry, lane)],
        }

    def _touches(self, entry: Entry, lane: Lane) -> bool:
        if lane is self.lanes[0]:
            return entry.first or entry.gone or entry.removed is not None
        return _of(entry, lane.name) is not None

    @property
    def bars(self) -> list[dict[str, Any]]:
        """Every span, with what fits into it and all that it says."""
        return [self._bar(row, lane, span) for row, lane in enumerate(self.lanes) for span in lane.spans]

    def _bar(self, row: int, lane: Lane, span: Span) -> dict[str, Any]:
        x, end = self._x(span.start), self._x(span.end)
        room = end - x - 20
        since = "from before" if span.start == BEFORE else f"from {self._at(span.start)}"
        until = "until now" if span.end == len(self.entries) else f"until {self._at(span.end)}"
        says = f"; the source says {span.below}" if span.below else ""
        again = f"still {span.value}"
        both = len(span.value) + len(again) + 2
        kind = "overlaid" if span.below else "removed" if lane is self.lanes[0] and span.value == REMOVED else "plain"
        return {
            "x": x,
            "y": self._top(row),
            "width": end - x,
            "height": BAR,
            "text_x": x + 12,
            "text_y": self._top(row) + (15 if span.below else BAR // 2 + 4),
            "below_y": self._top(row) + 30,
            "kind": kind,
            # Where the beginning may be out of sight, the end says that it is still so.
            "again": again if span.end == len(self.entries) and end - x > STEP and room > both * LETTER else "",
            "again_x": end - 8,
            "is_far": end - x > SIGHT,
            "value": fitting(span.value, room),
            "below": fitting(f"source: {span.below}", room) if span.below else "",
            "title": f"{lane.name}: {span.value}, {since} {until}{says}",
        }

    def _at(self, place: int) -> str:
        return moment(self.entries[place].change.at)

    def _x(self, place: int) -> int:
        return 0 if place == BEFORE else self.lead + STEP * place

    def _top(self, row: int) -> int:
        return HEAD + LANE * row + (LANE - BAR) // 2


def fitting(text: str, room: float) -> str:
    """As much of a text as there is room for."""
    letters = max(1, int(room / LETTER))
    return text if len(text) <= letters else f"{text[: letters - 1]}…"


UNITS = (("year", 365 * 86400), ("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1))


def elapsed(time: timedelta) -> str:
    """A length of time in one word of it."""
    seconds = time.total_seconds()
    for name, size in UNITS:
        number = int(seconds // size)
        if number:
            return f"{number:,} {name}{'' if number == 1 else 's'}"
    return "a moment"
