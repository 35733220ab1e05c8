"""Cutting pages out of an ordering by value instead of by position: exact at any depth, with ties and gaps.

An ordering is a sequence of keys that ends with the primary key, so no two rows are equal. Missing values
come last when ascending and first when descending, as PostgreSQL's own order has it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from django.db.models import F, Model, Q, QuerySet
from django.db.models.expressions import OrderBy

M = TypeVar("M", bound=Model)
R = TypeVar("R")

NEVER = Q(pk__in=())


@dataclass(frozen=True, slots=True)
class Key:
    """One field of an ordering; `common`: many rows have the same value."""

    name: str
    descending: bool = False
    nullable: bool = False
    common: bool = False

    def __str__(self) -> str:
        return f"-{self.name}" if self.descending else self.name

    def reversed(self) -> Key:
        return replace(self, descending=not self.descending)

    def expression(self) -> OrderBy:
        """For `order_by`. Only where a value can be missing is its place said: an index serves the rest as is."""
        nulls = {"nulls_first" if self.descending else "nulls_last": True} if self.nullable else {}
        return OrderBy(F(self.name), descending=self.descending, **nulls)

    def beyond(self, value: Any) -> Q:
        """Rows that come after those with `value`."""
        if value is None:
            return Q(**{f"{self.name}__isnull": False}) if self.descending else NEVER
        if self.descending:
            return Q(**{f"{self.name}__lt": value})
        after = Q(**{f"{self.name}__gt": value})
        return after | Q(**{f"{self.name}__isnull": True}) if self.nullable else after

    def not_before(self, value: Any) -> Q:
        """Rows with `value` and those that come after."""
        if value is None:
            return Q() if self.descending else Q(**{f"{self.name}__isnull": True})
        if self.descending:
            return Q(**{f"{self.name}__lte": value})
        after = Q(**{f"{self.name}__gte": value})
        return after | Q(**{f"{self.name}__isnull": True}) if self.nullable else after


Keys = tuple[Key, ...]
Anchor = tuple[Any, ...]
"""The values of an ordering's keys in the row after which a page starts."""


def after(keys: Sequence[Key], anchor: Sequence[Any]) -> Q:
    """The rows that come after the anchor.

    `a >= x AND NOT (a = x AND NOT key > k)`: the first half is a range that an index can start from, which databases
    do not find in the shorter `a > x OR (a = x AND key > k)`; and in `a >= x AND (a > x OR key > k)` PostgreSQL takes
    the range for a small part of what it is, and looks for a way around it.
    """
    first, rest = keys[0], keys[1:]
    if not rest:
        return first.beyond(anchor[0])
    if any(key.nullable for key in keys):
        return first.not_before(anchor[0]) & (first.beyond(anchor[0]) | after(rest, anchor[1:]))
    return first.not_before(anchor[0]) & ~(Q(**{first.name: anchor[0]}) & ~after(rest, anchor[1:]))


def ordered(queryset: QuerySet[M], keys: Keys) -> QuerySet[M]:
    return queryset.order_by(*(key.expression() for key in keys))


def parts(keys: Keys, anchor: Anchor | None) -> Iterator[tuple[Q, Keys]]:
    """Conditions and orderings under which rows, one part after the other, are the rows after the anchor, in order.

    Two when the first key can be missing: the rows with a value and the rows without one are each a range
    of an index, while a condition on both at once is not.
    """
    first = keys[0]
    if not first.nullable:
        yield from ranges(keys, anchor)
        return
    for missing in (True, False) if first.descending else (False, True):
        part = Q(**{f"{first.name}__isnull": missing})
        present = keys[1:] if missing else (replace(first, nullable=False), *keys[1:])
        if anchor is None:
            yield part, present
        elif missing == (anchor[0] is None):
            yield from ((part & condition, order) for condition, order in ranges(present, anchor[-len(present) :]))
            anchor = None


def ranges(keys: Keys, anchor: Anchor | None) -> Iterator[tuple[Q, Keys]]:
    """The rows after the anchor, in order, in as many parts as it takes for each to be found without looking at others.

    From the anchor on, an index is read by its first column only. Where many rows have the anchor's value there, those
    of that value are a part of their own, in which the next column says where to begin.
    """
    if anchor is None:
        yield Q(), keys
    elif not keys[0].common:
        yield after(keys, anchor), keys
    else:
        yield Q(**{keys[0].name: anchor[0]}) & after(keys[1:], anchor[1:]), keys
        yield keys[0].beyond(anchor[0]), keys


Fetch = Callable[[Q, Keys, int], list[R]]
"""What reads the first rows that meet a condition, in an order."""


def fetch(read: Fetch[R], keys: Keys, anchor: Anchor | None, limit: int) -> list[R]:
    """The first `limit` rows after the anchor, or from the start."""
    rows: list[R] = []
    for condition, order in parts(keys, anchor):
        rows += read(condition, order, limit - len(rows))
        if len(rows) >= limit:
            break
    return rows
