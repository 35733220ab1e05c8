"""Conditions on one column that no order can meet together: a slip that is better named than answered with nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from catalog.api.lookups import StrictFilter
from catalog.api.strict import Problem
from catalog.api.values import Span
from catalog.contract import NAMES

LOWER, UPPER = ("gt", "gte", "range"), ("lt", "lte", "range")
VALUES = ("exact", "in", "date", "year")


@dataclass(frozen=True, slots=True)
class Given:
    """One condition as it was asked: its parameter, its filter, and its value."""

    name: str
    filter: StrictFilter
    value: Any

    @property
    def column(self) -> str:
        """The column that it is about; none where it is about something else."""
        return str(self.filter.field_name) if self.filter.field_name in NAMES else ""

    @property
    def lookup(self) -> str:
        return str(self.filter.lookup_expr)


def contradictions(conditions: Iterable[Given], parameter: str = "") -> list[Problem]:
    """What is wrong with conditions that must all hold; `parameter` names them all where they stand in a group."""
    columns: dict[str, list[Given]] = {}
    for given in conditions:
        if given.column:
            columns.setdefault(given.column, []).append(given)
    problems = []
    for column in columns.values():
        if clash := _clash(column):
            first, second = clash
            message = f"No order can meet both {first.name} and {second.name} as they are given."
            problems.append(Problem(parameter or second.name, message))
    return problems


def _clash(column: Sequence[Given]) -> tuple[Given, Given] | None:
    """Two conditions on one column that exclude each other."""
    for position, first in enumerate(column):
        for second in column[position + 1 :]:
            if _exclude(first, second):
                return first, second
    return None


def _exclude(first: Given, second: Given) -> bool:
    for one, other in ((first, second), (second, first)):
        if one.lookup == "isnull" and one.value and not (other.lookup == "ne" or _asks_missing(other)):
            return True
        if one.lookup == other.lookup == "isnull" and one.value != other.value:
            return True
        if one.lookup in VALUES and not any(_can_meet(value, other) for value in _values(one)):
            return True
        if one.lookup in LOWER and other.lookup in UPPER and _is_beyond(one, other):
            return True
    return False


def _asks_missing(given: Given) -> bool:
    return given.lookup == "isnull" and bool(given.value)


def _values(given: Given) -> list[Any]:
    return list(given.value) if given.lookup == "in" else [given.value]


def _can_meet(value: Any, given: Given) -> bool:
    """Whether an order with a value can meet a condition on the same column."""
    start, end = _ends(value)
    if given.lookup in VALUES:
        return any(_ends(other)[0] < end and start < _ends(other)[1] for other in _values(given))
    if given.lookup == "ne":
        return bool(given.value != value)
    if given.lookup == "startswith":
        return str(value).startswith(given.value)
    if given.lookup == "contains":
        return str(given.value) in str(value)
    low, high = _low(given), _high(given)
    return (low is None or end > low) and (high is None or start < high)


def _is_beyond(lower: Given, upper: Given) -> bool:
    low, high = _low(lower), _high(upper)
    return low is not None and high is not None and bool(low >= high)


def _ends(value: Any) -> tuple[Any, Any]:
    """A value as the range from its first up to, but not including, its second."""
    if isinstance(value, Span):
        return value.start, value.end
    return (value, value + 1) if isinstance(value, int) else (value, f"{value}\0")


def _low(given: Given) -> Any:
    """From where on values meet a condition; none where it says nothing of that."""
    if given.lookup == "range":
        return _ends(given.value[0])[0]
    return {"gt": _ends(given.value)[1], "gte": _ends(given.value)[0]}.get(given.lookup)


def _high(given: Given) -> Any:
    """Before what values meet a condition; none where it says nothing of that."""
    if given.lookup == "range":
        return _ends(given.value[1])[1]
    return {"lt": _ends(given.value)[0], "lte": _ends(given.value)[1]}.get(given.lookup)
