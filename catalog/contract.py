"""The data contract of an order export, version 1: twelve columns and their rules.

The one definition of what a valid order is. The loader, the admin and the API documentation all read it;
nothing here knows of Django or of a database.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import NamedTuple

VERSION = 1

MAX_INTEGER = 10**12 - 1
"""Largest id a source may give out; the order key leaves room for exactly this many digits."""

MAX_CODE_LENGTH = 32

BLANKS = " \t"
"""What is trimmed around a value. Anything else that looks like white space is part of the value."""


class Kind(enum.StrEnum):
    """How the text of a column is read."""

    INTEGER = "integer"
    CODE = "code"
    TIMESTAMP = "timestamp"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the contract."""

    name: str
    kind: Kind
    required: bool
    meaning: str


class Reason(NamedTuple):
    """Why a row cannot be loaded: a stable code for programs, a sentence for people.

    `column` is empty when the whole record is at fault; `value` is the text as it stood in the file.
    """

    code: str
    column: str
    value: str
    message: str


Value = int | str | datetime | None

COLUMNS: tuple[Column, ...] = (
    Column("order_id", Kind.INTEGER, True, "number of the order, given out by its source"),
    Column("source", Kind.CODE, True, "system that gave out the order's number"),
    Column("customer_id", Kind.INTEGER, True, "number of the customer, given out by the source"),
    Column("payment_id", Kind.INTEGER, False, "number of the payment"),
    Column("voucher_id", Kind.INTEGER, False, "number of the voucher"),
    Column("product_id", Kind.INTEGER, False, "number of the product, given out by the source"),
    Column("website", Kind.CODE, True, "site on which the order was placed"),
    Column("order_status", Kind.CODE, True, "state of the order"),
    Column("voucher_status", Kind.CODE, False, "state of the voucher"),
    Column("payment_status", Kind.CODE, False, "state of the payment; may be there without a payment_id"),
    Column("order_date", Kind.TIMESTAMP, True, "when the order was placed"),
    Column("payment_date", Kind.TIMESTAMP, False, "when the payment was made"),
)
NAMES: tuple[str, ...] = tuple(column.name for column in COLUMNS)
CORRECTABLE: tuple[Column, ...] = tuple(column for column in COLUMNS if column.name not in ("order_id", "source"))
"""The columns that rules and corrections may overlay: all but those that say which order it is."""

CODE_COLUMNS: tuple[str, ...] = tuple(c.name for c in COLUMNS if c.kind is Kind.CODE)

CODE_PATTERN = re.compile(r"[A-Za-z0-9_-]+")
_DIGITS = re.compile(r"[0-9]+")
_TIMESTAMP = re.compile(
    r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})[ T]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,6}))?"
    r"(?:\ ?(Z|[+-][0-9]{2}(?::?[0-9]{2})?))?"
)


class ValueRefused(ValueError):
    """A single value breaks its column's rule."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def parse_integer(text: str) -> int:
    """Read a whole number of 1 to 10^12 - 1, written in the digits 0 to 9 and nothing else."""
    if not _DIGITS.fullmatch(text):
        raise ValueRefused("not_an_integer", f"{shown(text)} is not a whole number; only the digits 0 to 9 are allowed")
    significant = text.lstrip("0")
    if not significant or len(significant) > len(str(MAX_INTEGER)):
        raise ValueRefused("integer_out_of_range", f"{shown(text)} is not between 1 and {MAX_INTEGER}")
    return int(significant)


def parse_code(text: str) -> str:
    """Read a code: 1 to 32 ASCII letters, digits, underscores and hyphens, kept as written."""
    if len(text) > MAX_CODE_LENGTH:
        raise ValueRefused("code_too_long", f"{shown(text)} is longer than {MAX_CODE_LENGTH} characters")
    if not CODE_PATTERN.fullmatch(text):
        raise ValueRefused(
            "not_a_code", f"{shown(text)} has characters other than letters, digits, underscore and hyphen"
        )
    return text


def parse_timestamp(text: str, zone: tzinfo) -> datetime:
    """Read `YYYY-MM-DD HH:MM:SS[.ffffff][offset]` and return it in UTC.

    Without an offset the time is local to `zone`. Of a local time that occurs twice (clocks set back) the
    first is taken; one that never occurs (clocks set forward) is refused.
    """
    match = _TIMESTAMP.fullmatch(text)
    if match is None:
        raise ValueRefused("not_a_timestamp", f"{shown(text)} is not a timestamp like 2018-07-12 17:33:04")
    *parts, fraction, offset = match.groups()
    year, month, day, hour, minute, second = map(int, parts)
    microsecond = int((fraction or "").ljust(6, "0"))
    try:
        local = datetime(year, month, day, hour, minute, second, microsecond, _offset(offset) or zone)
        moment = local.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueRefused("no_such_date", f"{shown(text)} is not a date and time that exists") from error
    if moment.astimezone(local.tzinfo).replace(tzinfo=None) != local.replace(tzinfo=None):
        raise ValueRefused("no_such_date", f"{shown(text)} was skipped when the clocks of {zone} went forward")
    return moment


def _offset(text: str | None) -> tzinfo | None:
    if text is None:
        return None
    if text == "Z":
        return UTC
    hours, minutes = int(text[1:3]), int(text[3:].lstrip(":") or 0)
    if minutes > 59:
        raise ValueError(text)
    span = timedelta(hours=hours, minutes=minutes)
    return timezone(-span if text[0] == "-" else span)


def shown(text: str) -> str:
    """`text` in quotation marks, cut at 60 characters, with nothing in it that a terminal would act on."""
    cut = text if len(text) <= 60 else text[:59] + "…"
    return "'" + "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in cut) + "'"


def check_value(column: Column, text: str, zone: tzinfo) -> Value:
    """Read one value by its column's rule; None when it is missing and may be.

    Raises `ValueRefused`.
    """
    text = text.strip(BLANKS)
    if not text:
        if column.required:
            raise ValueRefused("missing_value", f"{column.name} is required and missing")
        return None
    if column.kind is Kind.INTEGER:
        return parse_integer(text)
    if column.kind is Kind.CODE:
        return parse_code(text)
    return parse_timestamp(text, zone)


def check_row(texts: Sequence[str], zone: tzinfo) -> tuple[list[Value], list[Reason]]:
    """Read twelve texts in contract order: the values, and every reason against them (none: the row is good).

    A value that breaks its rule stands as None among the values.
    """
    values: list[Value] = []
    reasons: list[Reason] = []
    for column, text in zip(COLUMNS, texts, strict=True):
        try:
            values.append(check_value(column, text, zone))
        except ValueRefused as refused:
            values.append(None)
            reasons.append(Reason(refused.code, column.name, text, refused.message))
    return values, reasons
