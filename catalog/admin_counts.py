"""How many orders each choice beside the admin's list would leave, as far as the summary can tell.

Its cells, read once for each state of the catalogue, tell all the numbers, whichever values are chosen. Where the
summary cannot tell there are no numbers; the orders are never read for them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db.models import Model
from django.http import QueryDict

from catalog.admin_query import YEAR, Asked
from catalog.api.browsable.facets import MOST_CELLS, own_filters
from catalog.api.browsable.facets import asked as said
from catalog.api.conditional import catalogue_version
from catalog.api.dimensions import STATE
from catalog.api.filters import OrderFilterSet
from catalog.grouping import ORDER_DATE, Dimension, Grouping
from catalog.memory import Memory
from catalog.read_only import count_within

REMOVED = "removed"
COUNTED = (*STATE, REMOVED, YEAR)
"""What the choices of the side bar that have numbers are about."""

Test = Callable[[Any], bool]
Values = dict[Any, int]


@dataclass(frozen=True, slots=True)
class Cells:
    """Numbers of orders by some of `COUNTED`, each row with its number last; no columns where nobody can tell."""

    columns: tuple[str, ...] = ()
    rows: tuple[tuple[Any, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Counts:
    """How many orders each value would leave, and how many all that is chosen leaves; none where nobody can tell."""

    total: int | None = None
    of: dict[str, Values] = field(default_factory=dict)


_cells: Memory[Cells] = Memory(20)


def counts_of(asked: Asked) -> Counts:
    """The numbers of the side bar for what an address asks."""
    if asked.query is None:
        return Counts()
    rest = asked.params.copy()
    for name in {name for column in STATE for name in own_filters(column)} | {REMOVED, YEAR}:
        rest.pop(name, None)
    rest[REMOVED] = "any"
    key = (catalogue_version(), settings.SOURCE_TIME_ZONE.key, *said(rest))
    return counted(_cells.get(key, lambda: cells_of(rest)), asked)


def cells_of(rest: QueryDict) -> Cells:
    """The cells of the summary under all that the side bar does not count by; by year too unless that takes long."""
    query = OrderFilterSet(rest).query
    state = tuple(Dimension(column) for column in (*STATE, REMOVED))
    for by in ((*state, Dimension(ORDER_DATE, "year", settings.SOURCE_TIME_ZONE.key)), state):
        grouping = Grouping(by)
        tally: type[Model] | None = grouping.tally(query)
        if tally is not None and count_within(tally._default_manager.filter(query.q), MOST_CELLS) <= MOST_CELLS:
            rows = (tuple(getattr(value, "year", value) for value in row) for row in grouping.rows(query))
            return Cells(COUNTED[: len(by)], tuple(rows))
    return Cells()


def counted(cells: Cells, asked: Asked) -> Counts:
    """Each cell counts for what is found, or for the values of the one column that keeps it from being found."""
    if not cells.columns or (YEAR in asked.given and YEAR not in cells.columns):
        return Counts()
    tests = [(column, place, test) for place, column in enumerate(cells.columns) for test in tests_of(column, asked)]
    of: dict[str, Values] = {column: {} for column in cells.columns}
    total = 0
    for *values, number in cells.rows:
        failing = {column for column, place, test in tests if not test(values[place])}
        total += 0 if failing else number
        for column, value in zip(cells.columns, values, strict=True):
            counts_here = not failing or failing == {column}
            of[column][value] = of[column].get(value, 0) + (number if counts_here else 0)
    return Counts(total, of)


def tests_of(column: str, asked: Asked) -> Iterator[Test]:
    """What the side bar's own filters of a column ask of its values."""
    given = asked.given
    if column == REMOVED:
        wanted = given.get(REMOVED, "false")
        if wanted != "any":
            yield lambda value: value == (wanted == "true")
    elif column == YEAR:
        if YEAR in given:
            year = int(str(asked.params[YEAR]))
            yield lambda value: value == year
    else:
        one, several, missing = own_filters(column)
        if one in given:
            yield lambda value: value == given[one]
        if several in given:
            yield lambda value: value in given[several]
        if missing in given:
            yield lambda value: (value is None) == given[missing]
