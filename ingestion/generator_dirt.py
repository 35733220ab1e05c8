"""Spoil a good row of a generated export, each time in one of the ways known from real files.

A row is a line of bytes in the contract's column order, without its line end. Which way is taken goes by turns,
so every way has its even share.
"""

from __future__ import annotations

from collections.abc import Callable

from catalog.contract import COLUMNS, NAMES

Fields = list[bytes]
Soil = Callable[[Fields], None]
Break = Callable[[Fields, Fields], bytes]

(
    ORDER_ID,
    SOURCE,
    CUSTOMER_ID,
    PAYMENT_ID,
    VOUCHER_ID,
    PRODUCT_ID,
    WEBSITE,
    ORDER_STATUS,
    VOUCHER_STATUS,
    PAYMENT_STATUS,
    ORDER_DATE,
    PAYMENT_DATE,
) = range(len(NAMES))


def soil_line(line: bytes, turn: int) -> bytes:
    """`line` with something suspicious in it; it still loads."""
    fields = line.split(b",")
    SOILS[turn % len(SOILS)](fields)
    return b",".join(fields)


def break_line(line: bytes, other: bytes, turn: int) -> bytes:
    """`line` so that it cannot be loaded as a row of its own.

    `other` is a good line of the same file. Where there is none (empty), the ways that need one are left out.
    """
    ways = BREAKS if other else BREAKS_ALONE
    return ways[turn % len(ways)](line.split(b","), other.split(b","))


def _give_voucher(fields: Fields, status: bytes) -> None:
    fields[VOUCHER_STATUS] = status
    fields[VOUCHER_ID] = fields[VOUCHER_ID] or str(int(fields[ORDER_ID]) + 7).encode()


def misspelt_status(fields: Fields) -> None:
    """EXPIRED, with two letters swapped."""
    _give_voucher(fields, b"EXPRIED")


def impossible_year(fields: Fields) -> None:
    """Ordered in 2042, long after it was paid for."""
    day = fields[ORDER_DATE][4:].replace(b"-02-29", b"-02-28")
    fields[ORDER_DATE] = b"2042" + day


def unpadded_date(fields: Fields) -> None:
    """A month or day of one digit: `2016-2-12`."""
    year, month, rest = fields[ORDER_DATE].split(b"-")
    month, day = month.lstrip(b"0"), rest[:2].lstrip(b"0")
    if len(month + day) == 4:
        day = day[1:].replace(b"0", b"9")
    fields[ORDER_DATE] = b"-".join((year, month, day + rest[2:]))


def refunded_but_paid_out(fields: Fields) -> None:
    """The customer has the money back, and the supplier was paid."""
    _give_voucher(fields, b"PAID_TO_SUPPLIER")
    fields[ORDER_STATUS], fields[PAYMENT_STATUS] = b"CANCELED", b"REFUNDED"
    fields[PAYMENT_ID] = fields[PAYMENT_DATE] = b""


def paid_without_payment(fields: Fields) -> None:
    """PAID, and nothing is known of a payment."""
    fields[ORDER_STATUS] = b"PAID"
    fields[PAYMENT_ID] = fields[PAYMENT_STATUS] = fields[PAYMENT_DATE] = b""


SOILS: tuple[Soil, ...] = (
    misspelt_status,
    impossible_year,
    unpadded_date,
    refunded_but_paid_out,
    paid_without_payment,
)


def _with(fields: Fields, column: int, value: bytes) -> bytes:
    return b",".join([*fields[:column], value, *fields[column + 1 :]])


def too_few_fields(fields: Fields, _other: Fields) -> bytes:
    """The source is left out, and all that follows has moved to the left."""
    return b",".join(fields[:SOURCE] + fields[CUSTOMER_ID:])


def too_many_fields(fields: Fields, _other: Fields) -> bytes:
    """A decimal comma where none belongs."""
    return _with(fields, CUSTOMER_ID, fields[CUSTOMER_ID] + b",00")


def exponent(fields: Fields, _other: Fields) -> bytes:
    """A number as spreadsheets write it."""
    return _with(fields, PRODUCT_ID, b"1e5")


def decimal(fields: Fields, _other: Fields) -> bytes:
    """A number that went through a floating-point column."""
    return _with(fields, CUSTOMER_ID, fields[CUSTOMER_ID] + b".0")


def no_such_day(fields: Fields, _other: Fields) -> bytes:
    """30 February."""
    date = fields[ORDER_DATE]
    return _with(fields, ORDER_DATE, date[:4] + b"-02-30" + date[10:])


def bare_date(fields: Fields, _other: Fields) -> bytes:
    """A date whose time is cut off."""
    return _with(fields, ORDER_DATE, fields[ORDER_DATE][:10])


def missing_value(fields: Fields, _other: Fields) -> bytes:
    """A required value is not there; which one, goes by the order's number."""
    required = [place for place, column in enumerate(COLUMNS) if column.required]
    return _with(fields, required[int(fields[ORDER_ID]) % len(required)], b"")


def not_utf8(fields: Fields, _other: Fields) -> bytes:
    """A byte that no UTF-8 text has."""
    return _with(fields, WEBSITE, fields[WEBSITE] + b"\xff")


def stray_quote(fields: Fields, _other: Fields) -> bytes:
    """A quotation mark within a value."""
    return _with(fields, WEBSITE, fields[WEBSITE][:2] + b'"' + fields[WEBSITE][2:])


def exact_duplicate(_fields: Fields, other: Fields) -> bytes:
    """Another row once more, instead of this one."""
    return b",".join(other)


def conflicting_duplicate(fields: Fields, other: Fields) -> bytes:
    """This row under the key of another one."""
    return b",".join([*other[:CUSTOMER_ID], *fields[CUSTOMER_ID:]])


BREAKS_ALONE: tuple[Break, ...] = (
    too_few_fields,
    too_many_fields,
    exponent,
    decimal,
    no_such_day,
    bare_date,
    missing_value,
    not_utf8,
    stray_quote,
)
BREAKS: tuple[Break, ...] = (*BREAKS_ALONE, exact_duplicate, conflicting_duplicate)
