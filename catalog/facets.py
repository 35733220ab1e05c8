"""Facets: how many orders there are of each value of a column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from catalog.grouping import Dimension, Grouping, folded
from catalog.order_query import OrderQuery

FEW = frozenset({"source", "website", "order_status", "voucher_status", "payment_status", "removed"})
"""Columns with so few values that all of them are counted together, in one statement."""

Dimensions = tuple[Dimension, ...]


@dataclass(frozen=True, slots=True)
class Facet:
    """The most frequent values, each with its number of orders last, and what there is besides."""

    by: Dimensions
    values: tuple[tuple[Any, ...], ...]
    other_values: int
    other_orders: int


def facets(query: OrderQuery, asked: Sequence[Dimensions], size: int) -> tuple[int, list[Facet]]:
    """The number of all orders, and facets of up to `size` values; the orders are those of one moment."""
    few = [by for by in asked if all(dimension.column in FEW for dimension in by)]
    cells = Grouping(tuple(dimension for by in few for dimension in by)).rows(query)
    total = sum(cell[-1] for cell in cells)
    return total, [
        _folded(cells, few.index(by), by, size) if by in few else _counted(query, by, size, total) for by in asked
    ]


def ranked(numbers: Mapping[Any, int]) -> list[tuple[Any, int]]:
    """Values with their numbers, the most frequent first; a missing one last of its equals."""
    # There is but one that is missing, so that it is never compared.
    return sorted(numbers.items(), key=lambda item: (-item[1], item[0] is None, item[0]))


def _folded(cells: Sequence[Any], place: int, by: Dimensions, size: int) -> Facet:
    values = ranked(folded(cells, place))
    return Facet(by, tuple(values[:size]), max(0, len(values) - size), sum(number for _, number in values[size:]))


def _counted(query: OrderQuery, by: Dimensions, size: int, total: int) -> Facet:
    found = Grouping(by, order=("-count",), limit=size).rows(query)
    values = tuple(tuple(row[: len(by) + 1]) for row in found)
    return Facet(by, values, found[0][-1] - len(found) if found else 0, total - sum(value[-1] for value in values))
