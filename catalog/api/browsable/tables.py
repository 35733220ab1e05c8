"""The results of a list as a table: heads that sort, rows that lead on, values that were set right marked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict
from rest_framework.request import Request

from catalog.api.browsable.addresses import address
from catalog.api.browsable.pieces import Piece, cell
from catalog.api.browsable.places import row_url
from catalog.api.columns import FIELDS
from catalog.api.columns import PARAMETER as FIELDS_PARAMETER
from catalog.api.ordering import PARAMETER as ORDERING

Row = Mapping[str, Any]

HIDDEN = ("url", "source_values")
"""What is seen in other columns: one is their link, the other their marks."""


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a column; `url` sorts by it, `sorted` says which way it is sorted now."""

    name: str
    url: str = ""
    sorted: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """A column that can be shown or hidden."""

    name: str
    shown: bool
    url: str


def results_table(results: Sequence[Row], request: Request, view: Any) -> dict[str, Any]:
    """What the template shows of the results of a list."""
    names = [name for name in dict.fromkeys(name for row in results for name in row) if name not in HIDDEN]
    if FIELDS_PARAMETER not in request.query_params and all(row.get("removed") is False for row in results):
        names.remove("removed")
    site = site_of(request)
    return {
        "heads": heads(names, request, view),
        "rows": [cells(row, names, request, site) for row in results],
        "choices": choices(request) if FIELDS_PARAMETER in view.parameters else [],
    }


def heads(names: Sequence[str], request: Request, view: Any) -> list[Head]:
    """The heads of the columns; those that a list can be ordered by lead to it, first one way, then the other."""
    params = request.query_params
    keys = [key.strip() for key in str(params.get(ORDERING, view.ordering)).split(",")]
    found = []
    for name in names:
        if name not in view.sorts:
            found.append(Head(name))
            continue
        way = "descending" if f"-{name}" in keys else "ascending" if name in keys else ""
        # What one looks for in a list are mostly the latest and the largest.
        other = name if way == "descending" else f"-{name}"
        found.append(Head(name, address(request.path, params, {ORDERING: other}), way))
    return found


def cells(row: Row, names: Sequence[str], request: Request, site: str) -> list[Piece]:
    """The values of a row; the first one leads to what the row shows."""
    first, *others = (cell(row, name, site) for name in names)
    return [first.linked(row_url(row, request)), *others]


def site_of(request: Request) -> str:
    """What the addresses of this site begin with."""
    return str(request.build_absolute_uri("/")).rstrip("/")


def choices(request: Request) -> list[Choice]:
    """Every column, with the address of the same query with it, or without it."""
    params: QueryDict = request.query_params
    chosen = [name.strip() for name in str(params.get(FIELDS_PARAMETER, ",".join(FIELDS))).split(",")]
    found = []
    for name in FIELDS:
        then = [other for other in FIELDS if (other in chosen) != (other == name)]
        given = {FIELDS_PARAMETER: ",".join(then)}
        # A table without any column is no table.
        url = address(request.path, params, given) if then else ""
        if len(then) == len(FIELDS):
            url = address(request.path, params, without=(FIELDS_PARAMETER,))
        found.append(Choice(name, name in chosen, url))
    return found
