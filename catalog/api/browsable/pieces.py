"""What an answer is made of, as a page shows it. Everything is text here; the templates escape it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.html import format_html

from catalog.api.browsable.places import value_url
from catalog.read_only import moment, visible

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")

PARTED = frozenset({"facts", "table", "list"})
"""Kinds of what has parts; templates show them."""

URL, VALUE = "url", "value"
ROOMY = 30
FEW = 6


@dataclass(frozen=True, slots=True)
class Piece:
    """One value: `kind` says how it looks.

    `rows` of a table hold one piece for each of its `heads`; of facts, a name and a piece each; of a list, one piece.
    """

    kind: str
    text: str = ""
    url: str = ""
    heads: tuple[str, ...] = ()
    rows: tuple[tuple[Any, ...], ...] = ()
    source: Piece | None = None
    """What the source itself says, where something else is shown."""

    @property
    def long(self) -> bool:
        """Whether a column of a table must leave it some room."""
        return len(self.text) > ROOMY

    @property
    def many(self) -> bool:
        """Whether its parts are better not all shown within something else."""
        return len(self.rows) > FEW

    @property
    def empty(self) -> bool:
        """Whether there is nothing to be seen of it."""
        return self.kind == "missing" or not (self.text or self.rows)

    @property
    def html(self) -> str:
        """It as it is shown, if it has no parts: a page has thousands, and a template for each would take seconds."""
        if self.kind in PARTED:
            return ""
        if self.kind == "link":
            shown = format_html('<a href="{}">{}</a>', self.url, self.text)
        else:
            shown = format_html('<span class="{}{}">{}</span>', self.kind, " long" * self.long, self.text)
        if self.source is None:
            return shown
        return format_html('{} <small class="source">source: {}</small>', shown, self.source.text)

    def linked(self, url: str) -> Piece:
        """The same value as a link."""
        return replace(self, kind="link", url=url) if url else self


MISSING = Piece("missing", "missing")


def piece(value: Any, site: str) -> Piece:
    """A value of an answer; an address below `site` is a link."""
    if value is None:
        return MISSING
    if isinstance(value, str):
        return text_piece(value, site)
    if isinstance(value, Mapping):
        return Piece("facts", rows=tuple((visible(str(name)), cell(value, name, site)) for name in value))
    if isinstance(value, Sequence):
        if value and all(isinstance(item, Mapping) for item in value):
            return table(value, site)
        return Piece("list", rows=tuple((piece(item, site),) for item in value))
    return plain(value)


def plain(value: Any) -> Piece:
    """A value without parts."""
    if isinstance(value, bool):
        return Piece("flag", "yes" if value else "no")
    if isinstance(value, datetime):
        return Piece("moment", moment(value))
    return Piece("number" if isinstance(value, int | float) else "text", visible(str(value)))


def text_piece(value: str, site: str) -> Piece:
    """A text, a link where it is an address of this site, or a time."""
    if value.startswith(f"{site}/"):
        return Piece("link", visible(value.removeprefix(site)), value)
    if MOMENT.fullmatch(value) and (at := parse_datetime(value)):
        return Piece("moment", moment(at))
    return Piece("text", visible(value))


def cell(row: Mapping[str, Any], name: str, site: str) -> Piece:
    """One value of an object: where it leads, and what the source says where that is something else."""
    shown = piece(row.get(name), site).linked(value_url(row, name))
    source_values = row.get("source_values")
    if isinstance(source_values, Mapping) and name in source_values:
        return replace(shown, source=piece(source_values[name], site))
    return shown


def table(items: Sequence[Mapping[str, Any]], site: str) -> Piece:
    """Objects, one below the other; one that lacks a name has nothing there. The address of each is its link."""
    names = tuple(dict.fromkeys(str(name) for item in items for name in item if name != URL))
    place = names.index(VALUE) if VALUE in names else 0
    rows = []
    for item in items:
        row = [cell(item, name, site) for name in names]
        if isinstance(item.get(URL), str) and row:
            row[place] = row[place].linked(item[URL])
        rows.append(tuple(row))
    return Piece("table", heads=tuple(map(visible, names)), rows=tuple(rows))
