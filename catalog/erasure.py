"""Erasing a customer's number from orders, their history and their corrections. The orders themselves stay."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, When

from catalog.changes import keep_versions
from catalog.contract import MAX_INTEGER
from catalog.keys import order_key
from catalog.models import Change, Correction, CorrectionEvent, Order, OrderVersion, Source, ValueRule

ERASED = "[erased]"
"""What stands in a text where the number of an erased customer was."""

AT_ONCE = 500


@dataclass(frozen=True)
class Emptied:
    """How many orders, superseded versions and corrections have lost the number, and how many reasons."""

    orders: int
    versions: int
    corrections: int
    reasons: int


def standing_alone(number: int) -> re.Pattern[str]:
    """Where a number stands in a text as a whole run of digits, with or without zeros before it."""
    return re.compile(rf"(?<![0-9])0*{number}(?![0-9])")


def erase_from_catalogue(source: Source, number: int, change: Change) -> Emptied:
    """Make a customer's number a missing value wherever the catalogue has it, as a part of `change`."""
    orders = _orders_of(source, number)
    keep_versions(orders, change)
    # Read from end to end: an index by customer would cost every load something, and this is done rarely.
    versions = OrderVersion.objects.filter(
        Q(customer_id=number) | Q(source_customer_id=number), source=source.code
    ).order_by()
    corrections = Correction.objects.filter(
        Q(value_number=number) | Q(base_number=number),
        field="customer_id",
        order_id__gte=order_key(source.number, 1),
        order_id__lte=order_key(source.number, MAX_INTEGER),
    ).order_by()
    reasons = _mask_reasons(versions.values("key").union(corrections.values("order_id")), number) + _mask_rules(number)
    emptied = orders.update(**_without(number, "customer_id", "source_customer_id"), change=change)
    # Each of them has just left one more version behind.
    superseded = versions.update(**_without(number, "customer_id", "source_customer_id")) - emptied
    corrected = corrections.update(**_without(number, "value_number", "base_number"))
    return Emptied(emptied, superseded, corrected, reasons)


def _orders_of(source: Source, number: int) -> QuerySet[Order]:
    """The orders that show the number, or whose source says it below something else.

    A union of two indexed searches: for one OR over both SQLite reads every order.
    """
    shown = Order.objects.filter(customer_id=number)
    below = Order.objects.filter(overlaid__gt=0, source_customer_id=number)
    return Order.objects.filter(key__in=shown.values("key").union(below.values("key")), source=source.code)


def _without(number: int, *names: str) -> dict[str, Any]:
    return {name: Case(When(**{name: number}, then=None), default=F(name)) for name in names}


def _mask_reasons(keys: QuerySet[Any, Any], number: int) -> int:
    """Take the number out of what people wrote about changes of these orders; how many texts held it."""
    held = standing_alone(number)
    # What an undo says of itself names a run, not a customer.
    written = Change.objects.filter(reason__contains=str(number)).exclude(kind=Change.Kind.UNDO).order_by()
    found = [pk for pk, reason in written.values_list("pk", "reason") if held.search(reason)]
    count = 0
    for start in range(0, len(found), AT_ONCE):
        changes = list(_touching(keys, found[start : start + AT_ONCE]))
        for change in changes:
            change.reason = held.sub(ERASED, change.reason)
        count += Change.objects.bulk_update(changes, ["reason"])
    return count


def _touching(keys: QuerySet[Any, Any], changes: list[int]) -> QuerySet[Change]:
    """Those of the changes that had to do with these orders, all of which have versions."""
    this = OuterRef("pk")
    versions = OrderVersion.objects.filter(Q(change=this) | Q(ended_by=this), key__in=keys)
    events = CorrectionEvent.objects.filter(change=this, correction__order_id__in=keys)
    # A rule is of no one source, nor of some orders.
    return Change.objects.filter(Exists(versions) | Exists(events) | Q(rule__isnull=False), pk__in=changes)


def _mask_rules(number: int) -> int:
    """Take the number out of what people wrote about value rules; how many texts held it."""
    held = standing_alone(number)
    rules = [rule for rule in ValueRule.objects.filter(reason__contains=str(number)) if held.search(rule.reason)]
    for rule in rules:
        rule.reason = held.sub(ERASED, rule.reason)
    return ValueRule.objects.bulk_update(rules, ["reason"])
