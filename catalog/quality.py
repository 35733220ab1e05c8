"""Checks of quality: how many orders fail each, now or after any earlier change, and which."""

from __future__ import annotations

from collections import Counter
from functools import reduce
from operator import add
from typing import Any

from django.db.models import Case, Count, F, Min, Q, QuerySet, Sum, When
from django.db.models.expressions import Combinable

from catalog.checks import BY_NAME, CHECKS, Check
from catalog.models import Change, Order, OrderVersion
from catalog.tallies import made_all
from catalog.tally_models import QualityCount

__all__ = ["CHECKS", "Check", "condition", "count", "counts", "failed", "failed_by", "named", "rebuild"]

MOST_CHANGES = 200
"""Changes that a condition names one by one; databases take no condition of any length."""


def counts(change: int | None = None) -> dict[str, int]:
    """How many orders fail each check; those marked as removed do not count. Now, or as it was after a change."""
    known = QualityCount.objects.all() if change is None else QualityCount.objects.filter(change__lte=change)
    found = dict(known.order_by().values_list("name").annotate(n=Sum(F("added") - F("gone"))))
    return {check.name: int(found.get(check.name, 0)) for check in CHECKS}


def condition(name: str) -> Q:
    """The condition of a check, so that databases find the orders, removed ones too, by an index.

    Raises `KeyError` for a check that does not exist.
    """
    check = BY_NAME[name]
    return check.condition if check.in_row else _by_change(check)


def _by_change(check: Check) -> Q:
    """`ordered_in_future`, sought only among what was made by changes that have brought such orders."""
    changes = Change.objects.filter(pk__in=QualityCount.objects.filter(name=check.name, added__gt=0).values("change"))
    if changes.count() > MOST_CHANGES:
        first = changes.aggregate(at=Min("at"))["at"]
        return check.condition & Q(order_date__gt=first)
    found = Q(pk__in=())
    for number, at in changes.order_by("pk").values_list("pk", "at"):
        found |= Q(change=number, order_date__gt=at)
    return found


def failed() -> Combinable:
    """The checks that an order fails, as a number with a bit for each; `named` reads it."""
    bits = (Case(When(check.condition, then=1 << place), default=0) for place, check in enumerate(CHECKS))
    return reduce(add, bits)


def named(bits: int) -> list[Check]:
    """The checks that `failed` has found."""
    return [check for place, check in enumerate(CHECKS) if bits >> place & 1]


def failed_by(order: Order) -> list[Check]:
    """The checks that an order fails, removed or not."""
    return named(Order.objects.filter(pk=order.pk).values_list(failed(), flat=True).first() or 0)


def count(change: Change) -> None:
    """Count what a change has brought and ended, in its transaction: all that it has written is there."""
    orders = Order.objects.present()
    if made_all(change):
        # Each by its own index: the table itself is large.
        added = {check.name: orders.filter(_within(check, change)).count() for check in CHECKS}
    else:
        failing = {check.name: Count("key", filter=_within(check, change)) for check in CHECKS}
        added = orders.filter(change=change).aggregate(**failing)
    gone = OrderVersion.objects.filter(ended_by=change, removed=False).aggregate(**_failing())
    _store(*(Counter({(change.pk, name): number for name, number in found.items()}) for found in (added, gone)))


def rebuild() -> None:
    """Count all changes anew. The catalogue must be locked."""
    QualityCount.objects.all().delete()
    orders, versions = Order.objects.present(), OrderVersion.objects.filter(removed=False)
    added = _per_change(orders, "change_id") + _per_change(versions, "change_id")
    _store(added, _per_change(versions, "ended_by_id"))


def _within(check: Check, change: Change) -> Q:
    """The condition of a check on orders that a change has made."""
    return check.condition if check.in_row else Q(order_date__gt=change.at)


def _failing() -> dict[str, Count]:
    return {check.name: Count("key", filter=check.condition) for check in CHECKS}


Numbers = Counter[tuple[int, str]]
"""Numbers of orders by change and check."""


def _per_change(states: QuerySet[Any, Any], column: str) -> Numbers:
    found: Numbers = Counter()
    for change, *numbers in states.order_by().values_list(column).annotate(**_failing()):
        found.update({(change, name): number for name, number in zip(BY_NAME, numbers, strict=True)})
    return found


def _store(added: Numbers, gone: Numbers) -> None:
    QualityCount.objects.bulk_create(
        (
            QualityCount(name=name, change_id=change, added=added[change, name], gone=gone[change, name])
            for change, name in sorted((+added).keys() | (+gone).keys())
        ),
        batch_size=1000,
    )
