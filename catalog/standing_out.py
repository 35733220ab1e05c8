"""What stands out among the orders of one customer or product: sentences with numbers, each with its orders."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import sqrt
from typing import Any

from catalog.entities import STATUSES, Kind, Orders, Placed
from catalog.models import BIT, Correction
from catalog.quality import CHECKS
from catalog.read_only import orders_in_words

FEW = 10
"""Orders that are named with a sentence."""

FEW_DAYS = 3

SEVERAL, TIMES, DEVIATIONS = 2, 2, 3
"""A value is far more frequent than elsewhere when it is there several times, has so many times the share that it has
of all orders, and is so many standard deviations from what that share lets one expect: a customer with one canceled
order of one is no news."""

ASKED = 1000
"""Orders of which it is asked whether a person or a rule has set their values right."""


@dataclass(frozen=True, slots=True)
class Remark:
    """A sentence, the newest of the orders that it is about, and the filters under which the list has them all."""

    sentence: str
    orders: tuple[Placed, ...] = ()
    more: int = 0
    filters: Mapping[str, Any] = field(default_factory=dict)


def remarks(orders: Orders, everywhere: Mapping[str, Mapping[Any, int]]) -> list[Remark]:
    """All there is to say, the most suspect first; `everywhere` has the numbers of all orders by status."""
    found = [*suspects(orders), *unusual_shares(orders, everywhere)]
    if orders.entity.kind is Kind.CUSTOMER:
        found += crowded_days(orders)
    return [*found, *set_right(orders), *removed(orders)]


def about(sentence: str, orders: list[Placed], **filters: Any) -> Remark:
    return Remark(sentence, tuple(orders[:FEW]), max(0, len(orders) - FEW), filters)


def suspects(orders: Orders) -> Iterator[Remark]:
    """Each check of quality that some of them fail."""
    for place, check in enumerate(CHECKS):
        failing = [order for order in orders.present if order.failed >> place & 1]
        if failing:
            verb = "is" if len(failing) == 1 else "are"
            yield about(
                f"{orders_in_words(len(failing))} {verb} suspect: {check.sentence}", failing, quality=check.name
            )


def unusual_shares(orders: Orders, everywhere: Mapping[str, Mapping[Any, int]]) -> Iterator[Remark]:
    """Each status that is far more frequent than among all orders, with both shares."""
    total = len(orders.present)
    for column in STATUSES:
        known = everywhere.get(column, {})
        whole = sum(known.values())
        for value, number in orders.by(column):
            share = known.get(value, 0) / whole if whole else 1.0
            if is_unusual(number, total, share):
                said = f"no {column}" if value is None else f"{column} {value}"
                shares = f"{number:,} of {orders_in_words(total)} ({number / total:.1%}) have {said}"
                yield Remark(f"{shares}; of all orders it is {share:.1%}.", filters={column: value})


def is_unusual(number: int, total: int, share: float) -> bool:
    """Whether a share of all orders makes so many of so few surprising."""
    expected = total * share
    return (
        number >= SEVERAL
        and number >= TIMES * expected
        and number - expected >= DEVIATIONS * sqrt(expected * (1 - share))
    )


def crowded_days(orders: Orders) -> Iterator[Remark]:
    """Several orders on one day; the days are those of UTC."""
    days = Counter(order.order_date.date() for order in orders.present)
    crowded = {day: number for day, number in days.items() if number > 1}
    if not crowded:
        return
    top = sorted(crowded.items(), key=lambda item: (-item[1], -item[0].toordinal()))[:FEW_DAYS]
    said = ", ".join(f"{number:,} on {day}" for day, number in top)
    days_in_words = "On 1 day" if len(crowded) == 1 else f"On {len(crowded):,} days"
    most = "" if len(crowded) <= FEW_DAYS else "most of all "
    chosen = {day for day, _ in top}
    yield about(
        f"{days_in_words} there are several orders: {most}{said}.",
        [order for order in orders.present if order.order_date.date() in chosen],
    )


def set_right(orders: Orders) -> Iterator[Remark]:
    """The orders that show something else than their source says, by hand or by a rule."""
    found = [order for order in orders.present if order.overlaid]
    if not found:
        return
    columns = Counter(name for order in found for name, bit in BIT.items() if order.overlaid & bit)
    said = ", ".join(f"{name} {number:,}" for name, number in columns.most_common())
    hand = ""
    if len(found) <= ASKED:
        keys = [order.key for order in found]
        by_hand = Correction.objects.in_force().filter(order__in=keys).values("order").distinct().count()
        hand = {0: ", by a rule", len(found): ", by hand"}.get(by_hand, f", {by_hand:,} of them by hand")
    verb = "shows" if len(found) == 1 else "show"
    sentence = f"{orders_in_words(len(found))} {verb} something else than the source says{hand}: {said}."
    yield about(sentence, found, overlaid="true")


def removed(orders: Orders) -> Iterator[Remark]:
    """Those that do not count."""
    found = [order for order in orders.read if order.removed]
    if found:
        verb, them = ("is", "it") if len(found) == 1 else ("are", "them")
        sentence = (
            f"{orders_in_words(len(found))} {verb} removed, as a full snapshot no longer had {them}; not counted here."
        )
        yield about(sentence, found, removed="true")
