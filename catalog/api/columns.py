"""`fields=`: what is shown of an order, the columns that this is read from, and how it is put together.

`OrderSerializer` says the same for one order as Django has it; lists are made of plain rows, as that is several times
faster, and a test holds the two against each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from django.http import QueryDict
from django.urls import get_script_prefix, reverse
from rest_framework.request import Request

from catalog.api.strict import InvalidQuery, Problem, nearest
from catalog.contract import BLANKS, CORRECTABLE, NAMES, shown
from catalog.models import BIT, Change

PARAMETER = "fields"

LAYER = ("overlaid", *(f"source_{column.name}" for column in CORRECTABLE))
PATHS: dict[str, tuple[str, ...]] = {name: (name,) for name in NAMES} | {
    "source_values": LAYER,
    "url": ("key", "source", "order_id"),
    "removed": ("removed",),
    "run": ("change__run",),
    "line": ("line", "change__kind"),
    "since": ("change__at",),
}
"""What can be shown, in the order in which it is, and what each is read from; no two begin with the same."""

FIELDS = tuple(PATHS)
FROM_FILES = frozenset({Change.Kind.LOAD, Change.Kind.REPAIR})
assert all(Change(kind=kind).reads_a_file == (kind in FROM_FILES) for kind in Change.Kind)  # noqa: S101


def read_fields(params: QueryDict, usual: Sequence[str] = FIELDS) -> tuple[str, ...]:
    """The names of what is to be shown, in the usual order. Raises `InvalidQuery`."""
    if PARAMETER not in params:
        return tuple(usual)
    names = [name.strip(BLANKS) for name in str(params[PARAMETER]).split(",")]
    messages = [
        f"There is no field {shown(name)}; there are {', '.join(FIELDS)}.{nearest(name, FIELDS)}"
        for name in names
        if name not in FIELDS
    ]
    messages += [f"'{name}' is given twice." for name in FIELDS if names.count(name) > 1]
    if messages:
        raise InvalidQuery(*(Problem(PARAMETER, message, FIELDS) for message in messages))
    return tuple(name for name in FIELDS if name in names)


@cache
def path_of_orders(prefix: str) -> str:
    """Where the list of orders is, in a site that begins there."""
    return reverse("order-list")


@dataclass(frozen=True, slots=True)
class Shape:
    """How rows of some columns become orders with some fields."""

    fields: tuple[str, ...]

    @property
    def paths(self) -> tuple[str, ...]:
        """The columns to read: first one for each field, then what the others need besides."""
        return paths_of(self.fields)

    def orders(self, rows: Iterable[Sequence[Any]], request: Request) -> list[dict[str, Any]]:
        """The rows, which begin with `paths`, as they are shown."""
        place = {path: position for position, path in enumerate(self.paths)}
        # A row is longer; what is not shown as it is takes its place below.
        orders: list[dict[str, Any]] = [dict(zip(self.fields, row)) for row in rows]  # noqa: B905
        if "source_values" in self.fields:
            _add_source_values(orders, rows, place)
        if "url" in self.fields:
            start = request.build_absolute_uri(path_of_orders(get_script_prefix()))
            source, number = place["source"], place["order_id"]
            for order, row in zip(orders, rows, strict=True):
                order["url"] = f"{start}{row[source]}/{row[number]}/"
        if "line" in self.fields:
            line, kind = place["line"], place["change__kind"]
            for order, row in zip(orders, rows, strict=True):
                order["line"] = row[line] if row[kind] in FROM_FILES else None
        return orders


@lru_cache(maxsize=1000)
def paths_of(fields: tuple[str, ...]) -> tuple[str, ...]:
    """See `Shape.paths`."""
    first = [PATHS[name][0] for name in fields]
    return tuple(dict.fromkeys([*first, *(path for name in fields for path in PATHS[name])]))


def _add_source_values(orders: list[dict[str, Any]], rows: Iterable[Sequence[Any]], place: dict[str, int]) -> None:
    overlaid = place["overlaid"]
    for order, row in zip(orders, rows, strict=True):
        bits = row[overlaid]
        order["source_values"] = _source_values(row, bits, place) if bits else {}


def _source_values(row: Sequence[Any], bits: int, place: dict[str, int]) -> dict[str, Any]:
    """What the source says where something else is shown."""
    return {name: row[place[f"source_{name}"]] for name, bit in BIT.items() if bits & bit}
