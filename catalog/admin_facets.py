"""The filters beside the admin's list of orders, each choice with the number of orders that it would leave."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from django.conf import settings
from django.http import QueryDict

from catalog import quality
from catalog.admin_counts import REMOVED, Counts, Values, counts_of
from catalog.admin_query import YEAR, Asked
from catalog.api.browsable.facets import MOST, chosen
from catalog.api.browsable.facets import url as with_value
from catalog.api.conditional import catalogue_version
from catalog.api.dimensions import STATE
from catalog.memory import Memory
from catalog.models import KnownValue, Order, field_of
from catalog.periods import local_day
from catalog.read_only import one_line

QUALITY = "quality"
OVERLAID, CORRECTED, CORRECTED_BY = "overlaid", "has_correction", "corrected_by"

MOST_YEARS = 40
"""Years on offer; a few orders with odd dates must not push everything else off the page."""

MOST_KNOWN = 200
"""Codes on offer for one column."""

_failing: Memory[dict[str, int]] = Memory(1)


@dataclass(frozen=True, slots=True)
class Choice:
    """One choice: `url` is the list with it, or without it where it is in force."""

    text: str
    url: str
    active: bool
    orders: int | None = None
    title: str = ""

    @property
    def shown(self) -> str:
        return "" if self.orders is None else f"{self.orders:,}"


@dataclass(frozen=True, slots=True)
class Section:
    """The choices about one thing: those to be seen at once, and the others."""

    title: str
    choices: Sequence[Choice]
    more: Sequence[Choice] = ()


def sections(asked: Asked, counts: Counts, me: str) -> list[Section]:
    """The side bar, for a person of this name."""
    known = {} if counts.of else known_values()
    found = [codes(column, asked, counts, known.get(column, ())) for column in STATE]
    found += [years(asked, counts), checks(asked), put_right(asked, me), presence(asked, counts)]
    return [section for section in found if section.choices]


def known_values() -> dict[str, list[str | None]]:
    """The values that any order has now; all that loads have brought, where the summary cannot tell."""
    now = counts_of(Asked(QueryDict(f"{REMOVED}=any"))).of
    if now:
        return {column: [value for value in by_frequency(now[column]) if now[column][value]] for column in STATE}
    found: dict[str, list[str | None]] = {column: [] for column in STATE}
    rows = KnownValue.objects.filter(field__in=STATE).values_list("field", "value")
    for column, value in rows[: MOST_KNOWN * len(STATE)]:
        found[column].append(value)
    return {
        column: values + ([None] if values and field_of(Order, column).null else []) for column, values in found.items()
    }


def by_frequency(numbers: Values) -> list[str | None]:
    """Values, the most frequent first."""
    return sorted(numbers, key=lambda value: (-numbers[value], value or "~"))


def codes(column: str, asked: Asked, counts: Counts, known: Iterable[str | None]) -> Section:
    """The values of a column: what is in force first, whether or not there is any of it, then the most frequent."""
    active = chosen(column, asked.params)
    numbers = counts.of.get(column)
    offered = list(known) if numbers is None else by_frequency(numbers)
    order = [*active, *(value for value in offered if value not in active)]
    choices = [
        Choice(
            "missing" if value is None else value,
            with_value(column, value, active, "", asked.links) or "?",
            value in active,
            None if numbers is None else numbers.get(value, 0),
        )
        for value in order
    ]
    seen = max(MOST, len(active))
    return Section(column.replace("_", " "), choices[:seen], choices[seen:])


def one_choice(asked: Asked, name: str, value: str, text: str, orders: int | None = None, title: str = "") -> Choice:
    """A choice that takes the place of others about the same parameter."""
    active = asked.params.get(name) == value
    url = asked.url(without=(name,)) if active else asked.url({name: value})
    return Choice(text, url, active, orders, title)


def years(asked: Asked, counts: Counts) -> Section:
    """The years of order dates, the latest first."""
    numbers = counts.of.get(YEAR)
    found = islice(years_of_orders(), MOST_YEARS) if numbers is None else sorted(numbers, reverse=True)[:MOST_YEARS]
    known = [f"{year:04}" for year in found]
    own = asked.params.get(YEAR, "")
    offered = [own, *known] if own and own not in known else known
    choices = [
        one_choice(asked, YEAR, year, year, None if numbers is None else numbers.get(int(year), 0))
        for year in offered
        if year.isdecimal()
    ]
    return Section("order year", choices[:MOST], choices[MOST:])


def years_of_orders() -> Iterator[int]:
    """The years in which any order was placed, the latest first: one look-up in the index for each."""
    zone = settings.SOURCE_TIME_ZONE
    dates = Order.objects.order_by("-order_date", "-key").values_list("order_date", flat=True)
    latest = dates.first()
    while latest is not None:
        year = local_day(latest, zone).year
        yield year
        latest = dates.filter(order_date__lt=datetime(year, 1, 1, tzinfo=zone)).first() if year > 1 else None


def checks(asked: Asked) -> Section:
    """The checks of quality; their numbers are known where nothing else is asked."""
    counts: dict[str, int] = {}
    if set(asked.params) <= {QUALITY}:
        counts = _failing.get(catalogue_version(), quality.counts)
    choices = [
        one_choice(asked, QUALITY, check.name, check.name.replace("_", " "), counts.get(check.name), check.sentence)
        for check in quality.CHECKS
    ]
    return Section("quality check", choices)


def put_right(asked: Asked, me: str) -> Section:
    """Orders that show something else than their source says, and by whose doing."""
    offered = [(OVERLAID, "true", "by a rule or by hand"), (CORRECTED, "true", "corrected by hand")]
    offered.append((CORRECTED_BY, me, "corrected by me"))
    other = asked.params.get(CORRECTED_BY, me)
    if other != me:
        offered.append((CORRECTED_BY, other, f"corrected by {one_line(other)[:40]}"))
    names = tuple(dict.fromkeys(name for name, _, _ in offered))
    choices = []
    for name, value, text in offered:
        active = asked.params.get(name) == value
        others = tuple(other for other in names if other != name or active)
        choices.append(Choice(text, asked.url(None if active else {name: value}, without=others), active))
    return Section("values set right", choices)


def presence(asked: Asked, counts: Counts) -> Section:
    """Orders that the latest full snapshot still had, those that it had not, or both."""
    numbers = counts.of.get(REMOVED)
    now = asked.params.get(REMOVED, "false")
    choices = []
    for value, text, wanted in (
        ("false", "present", (False,)),
        ("true", "removed", (True,)),
        ("any", "present and removed", (False, True)),
    ):
        orders = None if numbers is None else sum(numbers.get(one, 0) for one in wanted)
        url = asked.url(without=(REMOVED,)) if value == "false" else asked.url({REMOVED: value})
        choices.append(Choice(text, url, now == value, orders))
    return Section("removed", choices)
