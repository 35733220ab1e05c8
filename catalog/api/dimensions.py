"""What orders are counted by: `facet=`, `group_by=`, `tz=`, and lists of names in general."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection
from django.http import QueryDict

from catalog.api.strict import InvalidQuery, Problem, nearest
from catalog.contract import BLANKS, COLUMNS, NAMES, Kind, shown
from catalog.engines import reader_for
from catalog.grouping import Dimension
from catalog.periods import UNITS

TZ = "tz"

MOMENTS = tuple(column.name for column in COLUMNS if column.kind is Kind.TIMESTAMP)
IDS = tuple(column.name for column in COLUMNS if column.kind is Kind.INTEGER)
SOURCE = "source"
STATE = (SOURCE, "website", "order_status", "voucher_status", "payment_status")
"""The columns of few values."""

PERIODS = tuple(f"{moment}__{unit}" for moment in MOMENTS for unit in UNITS)
DIMENSIONS = (*NAMES, "removed", *PERIODS)
"""Everything that orders can be counted by."""


def read_names(params: QueryDict, parameter: str, known: Sequence[str], usual: Sequence[str] = ()) -> tuple[str, ...]:
    """Names with commas between, in the order in which they are given. Raises `InvalidQuery`."""
    if parameter not in params:
        return tuple(usual)
    names = [name.strip(BLANKS) for text in params.getlist(parameter) for name in str(text).split(",")]
    messages = [
        f"{shown(name)} is not one of {', '.join(known)}.{nearest(name, known)}" for name in names if name not in known
    ]
    messages += [f"'{name}' is given twice." for name in known if names.count(name) > 1]
    if messages:
        raise InvalidQuery(*(Problem(parameter, message, tuple(known)) for message in messages[:MOST_MESSAGES]))
    return tuple(names)


MOST_MESSAGES = 20
"""Of one parameter: a list may have thousands of names."""


@cache
def zones() -> frozenset[str]:
    """The time zones that both the database and Python know, without those that depend on where the program runs."""
    return frozenset(name for name in reader_for(connection).zones() if "/" in name or name in ("UTC", "GMT"))


def read_zone(params: QueryDict) -> ZoneInfo:
    """The zone in which days begin; that of the sources unless given. Raises `InvalidQuery`."""
    usual: ZoneInfo = settings.SOURCE_TIME_ZONE
    name = str(params.get(TZ, usual.key)).strip(BLANKS)
    if name == usual.key:
        return usual
    if name not in zones():
        allowed = ("UTC", "Europe/Amsterdam", "or any other name of the tz database")
        message = f"{shown(name)} is no time zone.{nearest(name, sorted(zones()))}"
        raise InvalidQuery(Problem(TZ, message, allowed))
    return ZoneInfo(name)


def dimension(name: str, zone: ZoneInfo) -> Dimension:
    """What `DIMENSIONS` calls by a name."""
    column, _, unit = name.partition("__")
    return Dimension(column, unit, zone.key) if unit else Dimension(column)


def with_sources(names: Sequence[str]) -> tuple[str, ...]:
    """The same names, and the source before the first id: two sources may use one number for different things."""
    first = next((place for place, name in enumerate(names) if name in IDS), None)
    if first is None or SOURCE in names:
        return tuple(names)
    return (*names[:first], SOURCE, *names[first:])


def read_size(params: QueryDict, parameter: str, usual: int, most: int) -> int:
    """How many of something are shown at most. Raises `InvalidQuery`."""
    text = str(params.get(parameter, usual)).strip(BLANKS)
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(most)) and 1 <= int(text) <= most):
        allowed = f"a whole number from 1 to {most}"
        raise InvalidQuery(Problem(parameter, f"{shown(text)} is not {allowed}.", (allowed,)))
    return int(text)
