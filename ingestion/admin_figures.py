"""The figures of a run as pictures: what became of its rows, why rows were rejected, and what has drifted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from ingestion.drift import BEFORE, ENOUGH, Unit, drift
from ingestion.models import Run
from ingestion.rejects import by_frequency

WIDTH = 1000
LEAST_WIDTH = 6
"""Width of the bar, and of the smallest part that can still be seen."""

COLOURS = {"inserted": 2, "updated": 0, "unchanged": 7, "duplicate": 4, "rejected": 5, "not loaded": 1}
"""What becomes of a row, each with its colour in catalog/charts.css."""

OF_A_LOAD = {name: name for name in ("inserted", "updated", "unchanged", "duplicate", "rejected")}
OF_AN_UNDO = {"inserted": "brought back", "updated": "former values again", "unchanged": "left, as touched since"}
"""The figures that make up what was read, in the order of the bar, and what they are called."""

BESIDES = {
    "removed": "orders marked as removed",
    "caught_up": "corrections retired, as the source caught up",
    "conflicts": "corrections in conflict with the source",
    "repaired": "rejected rows put right",
}


@dataclass(frozen=True, slots=True)
class Part:
    """Some of the rows of a run, as a part of the bar that all of them make."""

    name: str
    rows: str
    share: str
    colour: int
    link: str
    x: str
    width: str
    """Empty for a part without rows."""

    thing: str

    @property
    def said(self) -> str:
        """All of it in words."""
        return f"{self.rows} {self.thing if self.rows == '1' else self.thing + 's'} {self.name}, {self.share}"


def rejects_url(run: Run, **filters: str) -> str:
    """The list of the rows that a run has rejected."""
    return f"{reverse('admin:ingestion_rejectedrow_changelist')}?{urlencode({'run': run.pk, **filters})}"


def conflicts_url(run: Run) -> str:
    """The list of the conflicts that a run has brought, as far as they wait for a decision."""
    return f"{reverse('admin:catalog_conflict_changelist')}?{urlencode({'run': run.pk})}"


def parts(run: Run) -> list[Part]:
    """What became of the rows that a run has read; together they are all of them, and together as wide as the bar."""
    if not run.read:
        return []
    names = OF_AN_UNDO if run.kind == Run.Kind.UNDO else OF_A_LOAD
    rows = {name: int(getattr(run, name)) for name in names}
    if rest := run.read - sum(rows.values()):
        # Of a file that is refused, valid rows were read, too.
        rows["not loaded"] = rest
    found, x = [], 0.0
    for (name, count), width in zip(rows.items(), widths_of(list(rows.values())), strict=True):
        part = Part(
            name=names.get(name, name),
            rows=f"{count:,}",
            share=Unit.SHARE.text(count / run.read),
            colour=COLOURS[name],
            link=rejects_url(run) if name == "rejected" and count else "",
            x=f"{x:.1f}",
            width=f"{width:.1f}" if width else "",
            thing=thing(run),
        )
        found.append(part)
        x += width
    return found


def thing(run: Run) -> str:
    """What a run counts."""
    return "order" if run.kind == Run.Kind.UNDO else "row"


def widths_of(counts: Sequence[int]) -> list[float]:
    """Widths that add up to the bar's: in proportion, but for what would be too small to be seen."""
    rest = WIDTH - LEAST_WIDTH * sum(count > 0 for count in counts)
    return [LEAST_WIDTH + rest * count / sum(counts) if count else 0.0 for count in counts]


def reasons(run: Run) -> Iterator[dict[str, Any]]:
    """The reasons for which rows were rejected, with a bar each, the longest for the most frequent."""
    most = max(run.rejects_by_reason.values(), default=0)
    for code, count in by_frequency(run.rejects_by_reason).items():
        link = rejects_url(run, code=code)
        yield {"code": code, "rows": f"{count:,}", "link": link, "width": f"{100 * count / most:.1f}"}


def picture(run: Run) -> dict[str, Any]:
    """What `admin/ingestion/run/figures.html` needs of a run."""
    measures = drift(run)
    gone = {"removed": "orders gone, as brought by the undone run"} if run.kind == Run.Kind.UNDO else {}
    in_run = urlencode({"run": run.pk})
    besides = [(words, getattr(run, name)) for name, words in (BESIDES | gone).items()]
    return {
        "read": f"{run.read:,}",
        "thing": thing(run),
        "bar": parts(run),
        "bar_width": WIDTH,
        "rejects": rejects_url(run) if run.rejected else "",
        "conflicts": conflicts_url(run) if run.conflicts else "",
        "orders": f"{reverse('admin:catalog_order_changelist')}?{in_run}" if run.change_id else "",
        "orders_in_api": f"{reverse('order-list')}?{in_run}",
        "besides": [(words, f"{count:,}") for words, count in besides if count],
        "reasons": list(reasons(run)),
        "several_reasons": sum(run.rejects_by_reason.values()) > run.rejected,
        "measures": measures,
        "has_usual": any(measure.usual is not None for measure in measures),
        "far": sum(measure.is_far for measure in measures),
        "before": BEFORE,
        "enough": ENOUGH,
    }
