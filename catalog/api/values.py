"""Reading the values of query parameters: by the data contract's rules, or not at all.

Every reader takes the text of one value and returns it read, or raises `ValueRefused`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.urls import register_converter
from django.urls.converters import IntConverter

from catalog.api.strict import nearest
from catalog.contract import BLANKS, MAX_INTEGER, ValueRefused, parse_timestamp, shown

MAX_VALUES = 500
"""Most values in one list."""

MAX_LENGTH = 16_384
"""Most characters in one parameter; MAX_VALUES codes of full length fit."""

Reader = Callable[[str], object]

NUMBER = (f"a whole number from 1 to {MAX_INTEGER}",)
CODE = ("a code of 1 to 32 letters, digits, underscores and hyphens",)
FIGURE = ("a whole number from 0",)
MOMENT = ("2018-01-31", "2018-01-31T10:00:00", "2018-01-31T10:00:00.123Z", "2018-01-31T10:00:00+01:00")
FLAG = ("true", "false")
TEXT = ("text without control characters",)

_DATE = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})")
_LOST_PLUS = re.compile(r".*:[0-9]{2}(\.[0-9]+)? [0-9]{2}(:?[0-9]{2})?")


@dataclass(frozen=True, slots=True)
class Span:
    """What a timestamp in a query stands for: from `start` until just before `end`.

    A whole day when only a date was given, so that `order_date__lte=2018-01-31` keeps all of the 31st.
    """

    start: datetime
    end: datetime


def read_figure(text: str) -> int:
    """A count, which can be nought."""
    if not re.fullmatch(r"[0-9]{1,18}", text):
        raise ValueRefused("not_an_integer", f"{shown(text)} is not a whole number of up to 18 digits")
    return int(text)


def read_flag(text: str) -> bool:
    """`true` or `false`, in any case."""
    if text.lower() not in FLAG:
        raise ValueRefused("not_a_flag", f"{shown(text)} is neither true nor false")
    return text.lower() == "true"


def read_text(text: str) -> str:
    """Text that a person could have typed."""
    if not text.isprintable():
        raise ValueRefused("not_text", f"{shown(text)} has control characters")
    if len(text) > 4096:
        raise ValueRefused("too_long", f"{shown(text)} is longer than 4096 characters")
    return text


def read_moment(text: str) -> Span:
    """A date, which stands for the whole day, or a timestamp of the contract."""
    zone = settings.SOURCE_TIME_ZONE
    if date := _DATE.fullmatch(text):
        try:
            year, month, day = map(int, date.groups())
            first = datetime(year, month, day, tzinfo=zone)
            last = datetime.max.date() == first.date()
            after = datetime.max.replace(tzinfo=UTC) if last else (first + timedelta(days=1)).astimezone(UTC)
            return Span(first.astimezone(UTC), after)
        except (ValueError, OverflowError) as error:
            raise ValueRefused("no_such_date", f"{shown(text)} is not a date that exists") from error
    try:
        moment = parse_timestamp(text, zone)
        return Span(moment, moment + timedelta(microseconds=1))
    except OverflowError as error:
        raise ValueRefused("no_such_date", f"{shown(text)} is out of range") from error
    except ValueRefused as refused:
        hint = "; write the + of an offset as %2B in a URL" if _LOST_PLUS.fullmatch(text) else ""
        raise ValueRefused(refused.code, refused.message + hint) from refused


def choice(known: Sequence[str]) -> Callable[[str], str]:
    """A reader of one of the words in `known`."""

    def read(text: str) -> str:
        if text not in known:
            message = f"{shown(text)} is not one of {', '.join(known)}.{nearest(text, known)}"
            raise ValueRefused("unknown_choice", message)
        return text

    return read


def listed(read: Reader) -> Callable[[str], list[object]]:
    """A reader of values with commas between."""

    def read_all(text: str) -> list[object]:
        parts = text.split(",")
        if len(parts) > MAX_VALUES:
            raise ValueRefused("too_many_values", f"{len(parts)} values; at most {MAX_VALUES} are allowed")
        return [whole(part, read) for part in parts]

    return read_all


def whole(text: str, read: Reader) -> object:
    """The value of one parameter, or of one place in a list: trimmed, and never empty or endless."""
    text = text.strip(BLANKS)
    if not text:
        raise ValueRefused("empty", "a value is empty; leave the parameter out to not filter by it")
    if len(text) > MAX_LENGTH:
        raise ValueRefused("too_long", f"{len(text)} characters; at most {MAX_LENGTH} are allowed")
    return read(text)


class DatabaseNumber(IntConverter):
    """A number in an address, if the database can hold it."""

    regex = "[0-9]{1,18}"


register_converter(DatabaseNumber, "db_number")
