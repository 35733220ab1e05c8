"""Pictures of numbers, drawn as SVG by the server: no script, nothing from elsewhere, and the same numbers as a table.

A chart's colours and letters stand in `catalog/charts.css`, so that they follow the light or dark theme, and so that no
page needs a style of its own, which its Content-Security-Policy forbids.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from itertools import zip_longest
from typing import Any
from xml.etree import ElementTree

import pygal
from django.utils.safestring import SafeString, mark_safe
from pygal.style import Style

# pygal looks for its maps at every import of anything, in a way that Python warns of and has dropped since 3.12.
sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, pygal.PluginImportFixer)]

Number = int | float | None

COLOURS = 8
"""How many series can be told apart; Okabe and Ito's colours, which colour-blind people see as different."""

WIDTH = 900
STEPS = 4
"""Lines across the picture, or so."""

LABELS = 8
"""Labels of the horizontal axis that have room beside each other."""

UNWANTED = frozenset({"tooltip-overlay", "text-overlay"})
"""What pygal's own script would fill."""

XLINK = "{http://www.w3.org/1999/xlink}href"

LETTERS = Style(
    font_family="sans-serif",
    label_font_size=13,
    major_label_font_size=13,
)
"""For pygal to know how much room a text takes; how it looks is said by the style sheet."""


class Kind(StrEnum):
    """How a chart is drawn."""

    BARS = "bars"
    LINES = "lines"


KINDS: dict[Kind, Callable[..., Any]] = {Kind.BARS: pygal.StackedBar, Kind.LINES: pygal.Line}


@dataclass(frozen=True, slots=True)
class Series:
    """Some numbers with one name; None where there is no number. `links` lead to what each number counts."""

    name: str
    values: Sequence[Number]
    links: Sequence[str] = ()

    def link(self, place: int) -> str:
        """Where a number leads: what there is none of cannot be looked at."""
        return self.links[place] if self.values[place] and place < len(self.links) else ""


@dataclass(frozen=True)
class Chart:
    """Series over the same labels. `unit` is what the numbers count, `one` one of them, for whoever hears it."""

    title: str
    labels: Sequence[str]
    series: Sequence[Series]
    kind: Kind = Kind.BARS
    unit: str = ""
    one: str = ""
    height: int = 260
    links: Sequence[str] = field(default=())
    """Where each label leads."""

    def __post_init__(self) -> None:
        if len(self.series) > COLOURS:
            raise ValueError(f"{len(self.series)} series are more than can be told apart; put some together.")

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to draw."""
        return not any(value for series in self.series for value in series.values)

    @cached_property
    def svg(self) -> SafeString:
        """The picture, to be put into a page. Texts in it are escaped."""
        root = self._drawn().render_tree()
        _tidy(root)
        root.attrib.clear()
        shape = {"viewBox": f"0 0 {WIDTH} {self.height}", "class": f"chart chart-{self.kind}"}
        # What a number is can be read at each mark and in the table.
        root.attrib.update(shape | {"role": "group", "aria-label": self.title})
        return mark_safe(ElementTree.tostring(root, encoding="unicode"))  # noqa: S308

    @property
    def rows(self) -> Iterator[tuple[str, str, list[tuple[str, str]]]]:
        """The table: each label with its link, and the text and link of each series; 0 leads nowhere."""
        for number, label in enumerate(self.labels):
            cells = [(_text(each.values[number]), each.link(number)) for each in self.series]
            found = any(each.values[number] for each in self.series)
            yield label, (_at(self.links, number) or "") if found else "", cells

    def _drawn(self) -> Any:
        steps = max(1, -(-len(self.labels) // LABELS))
        chart = KINDS[self.kind](
            style=LETTERS,
            css=(),
            js=(),
            width=WIDTH,
            height=self.height,
            margin=4,
            spacing=6,
            # A page's own legend breaks its lines.
            show_legend=False,
            x_labels_major_every=steps,
            show_minor_x_labels=steps == 1,
            truncate_label=-1,
            dots_size=2.5,
            include_x_axis=True,
            formatter=_text,
            disable_xml_declaration=True,
        )
        chart.x_labels = list(self.labels)
        chart.y_labels = [{"value": step, "label": _text(step)} for step in steps_to(self._highest)]
        for each in self.series:
            chart.add(each.name, [self._value(each, place) for place in range(len(self.labels))])
        return chart

    @property
    def _highest(self) -> float:
        """The highest point of the picture."""
        columns = zip_longest(*(each.values for each in self.series), fillvalue=None)
        joined = sum if self.kind is Kind.BARS else max
        return max((joined([number or 0 for number in column]) for column in columns), default=0)

    def _value(self, series: Series, place: int) -> dict[str, Any] | None:
        """A number as pygal takes it, with what is said of it and where it leads."""
        number = series.values[place]
        # A bar of 0 is none, but a line goes down to it.
        if number is None or (number == 0 and self.kind is Kind.BARS):
            return None
        unit = self.one if number == 1 and self.one else self.unit
        said = f"{self.labels[place]}: {_text(number)} {unit}".rstrip()
        value = {"value": number, "label": f"{series.name}, {said}" if len(self.series) > 1 else said}
        link = series.link(place)
        return value | {"xlink": {"href": link, "target": "_self"}} if link else value


def steps_to(highest: float) -> range:
    """Whole, round numbers from 0 on, a few of them, the last of them no lower than `highest`."""
    wanted = max(1.0, highest / STEPS)
    magnitude = 10 ** math.floor(math.log10(wanted))
    step = math.ceil(next(times * magnitude for times in (1, 2, 5, 10) if times * magnitude >= wanted))
    return range(0, math.ceil(highest / step) * step + 1, step)


def _tidy(root: ElementTree.Element) -> None:
    """Take out what pygal puts in for its own style and script, and make its labels texts that a browser shows."""
    for parent in [*root.iter()]:
        parent.attrib.pop("id", None)
        if link := parent.attrib.pop(XLINK, None):
            # The table has the same links: hundreds of marks would be in the way of whoever goes by keys.
            parent.attrib |= {"href": link, "tabindex": "-1"}
        for child in [*parent]:
            classes = set(child.get("class", "").split())
            if _name(child) == "desc" and classes == {"label"}:
                parent.remove(child)
                title = ElementTree.Element(child.tag.replace("desc", "title"))
                title.text = child.text
                parent.insert(0, title)
            elif _name(child) in ("defs", "desc", "title") or classes & UNWANTED or not isinstance(child.tag, str):
                parent.remove(child)


def _name(element: ElementTree.Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _at(items: Sequence[Any], place: int) -> Any:
    return items[place] if place < len(items) else None


def _text(number: Number) -> str:
    """A number as people write it; nothing where there is none."""
    if number is None:
        return ""
    return f"{number:,.0f}" if float(number).is_integer() else f"{number:,.2f}"
