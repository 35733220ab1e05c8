"""Reading the values of query parameters: by the data contract's rules, or not at all.

Every reader takes the text of one value and returns it read, or raises `ValueRefused`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

from django.conf import settings
from django.urls import register_converter
from django.urls.converters import IntConverter

from catalog.api.strict import nearest
from catalog.contract import BLANKS, MAX_INTEGER, ValueRefused, parse_timestamp, shown

MAX_VALUES = 500
"""Most values in one list."""

MAX_LENGTH = 16_384
"""Most characters in one parameter; MAX_VALUES codes of full length fit."""

MAX_TEXT = 4096
"""Most characters in one text."""

Reader = Callable[[str], object]

NUMBER = (f"a whole number from 1 to {MAX_INTEGER}",)
CODE = ("a code of 1 to 32 letters, digits, underscores and hyphens",)
FIGURE = ("a whole number from 0",)
MOMENT = ("2018-01-31", "2018-01-31T10:00:00", "2018-01-31T10:00:00.123Z", "2018-01-31T10:00:00+01:00")
FLAG = ("true", "false")
TEXT = ("text without control characters",)
DAY = ("2018-01-31",)
YEAR = ("2018",)
MONTH = ("a month's number from 1 to 12",)

_DATE = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_LOST_PLUS = re.compile(r".*:[0-9]{2}(\.[0-9]+)? [0-9]{2}(:?[0-9]{2})?")


END = datetime.max.replace(tzinfo=UTC)
"""After everything."""


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """What a timestamp in a query stands for: from `start` until just before `end`.

    A whole day when only a date was given, so that `order_date__lte=2018-01-31` keeps all of the 31st.
    """

    start: datetime
    end: datetime

    @property
    def is_of_days(self) -> bool:
        """Whether it begins and ends at midnight of the sources' zone."""
        zone = settings.SOURCE_TIME_ZONE
        ends = (self.start.astimezone(zone), self.end.astimezone(zone) if self.end < END else END)
        return all(end.time() == time() or end == END for end in ends)


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
    if _CONTROL.search(text):
        raise ValueRefused("not_text", f"{shown(text)} has control characters")
    if len(text) > MAX_TEXT:
        raise ValueRefused("too_long", f"{shown(text)} is longer than {MAX_TEXT} characters")
    return text


def read_moment(text: str) -> Span:
    """A date, which stands for the whole day, or a timestamp of the contract."""
    if _DATE.fullmatch(text):
        return read_day(text)
    zone = settings.SOURCE_TIME_ZONE
    try:
        moment = parse_timestamp(text, zone)
        return Span(moment, moment + timedelta(microseconds=1))
    except OverflowError as error:
        raise ValueRefused("no_such_date", f"{shown(text)} is out of range") from error
    except ValueRefused as refused:
        hint = "; write the + of an offset as %2B in a URL" if _LOST_PLUS.fullmatch(text) else ""
        raise ValueRefused(refused.code, refused.message + hint) from refused


def read_day(text: str) -> Span:
    """A date: the whole day in the sources' zone."""
    date = _DATE.fullmatch(text)
    if not date:
        raise ValueRefused("not_a_date", f"{shown(text)} is not a date like 2018-01-31")
    try:
        year, month, day = map(int, date.groups())
        return _span(datetime(year, month, day), timedelta(days=1))
    except (ValueError, OverflowError) as error:
        raise ValueRefused("no_such_date", f"{shown(text)} is not a date that exists") from error


def read_year(text: str) -> Span:
    """A year in the sources' zone."""
    if not re.fullmatch("[0-9]{4}", text) or text == "0000":
        raise ValueRefused("not_a_year", f"{shown(text)} is not a year of four digits")
    try:
        first = datetime(int(text), 1, 1)
        return _span(first, datetime(int(text), 12, 31) - first + timedelta(days=1))
    except OverflowError as error:
        raise ValueRefused("not_a_year", f"{shown(text)} is out of range") from error


def read_month(text: str) -> int:
    """The number of a month."""
    if not re.fullmatch("0?[1-9]|1[0-2]", text):
        raise ValueRefused("not_a_month", f"{shown(text)} is not a month's number from 1 to 12")
    return int(text)


def _span(first: datetime, length: timedelta) -> Span:
    """From a local time for so long; until the end of time where that comes first."""
    zone = settings.SOURCE_TIME_ZONE
    until = END if datetime.max - first < length else (first + length).replace(tzinfo=zone).astimezone(UTC)
    return Span(first.replace(tzinfo=zone).astimezone(UTC), until)


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


def pair(read: Reader) -> Callable[[str], list[Any]]:
    """A reader of two values with a comma between, the lower one first."""

    def read_both(text: str) -> list[Any]:
        parts = text.split(",")
        if len(parts) != 2:
            raise ValueRefused("not_a_pair", "a range has two values, with a comma between")
        first, last = (whole(part, read) for part in parts)
        if last < first:  # type: ignore[operator]  # numbers or spans
            raise ValueRefused("wrong_way_round", f"{shown(parts[0])} is after {shown(parts[1])}")
        return [first, last]

    return read_both


def whole(text: str, read: Reader) -> object:
    """The value of one parameter, or of one place in a list: trimmed, and never empty or endless."""
    return read(bounded(text))


def bounded(text: str) -> str:
    """A text without the blanks around it, if it is neither empty nor endless."""
    text = text.strip(BLANKS)
    if not text:
        raise ValueRefused("empty", "a value is empty; leave the parameter out to not filter by it")
    if len(text) > MAX_LENGTH:
        raise ValueRefused("too_long", f"{len(text)} characters; at most {MAX_LENGTH} are allowed")
    return text


class DatabaseNumber(IntConverter):
    """A number in an address, if the database can hold it."""

    regex = "[0-9]{1,18}"


register_converter(DatabaseNumber, "db_number")
