"""What the quality of the data is judged by: named conditions over an order, each with a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import CharField, F, Q, Value

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.models.sql.compiler import SQLCompiler

ORDER_STATUSES = ("PAID", "CANCELED")
VOUCHER_STATUSES = ("PAID_TO_SUPPLIER", "USED", "EXPIRED", "INVALID")
PAYMENT_STATUSES = ("PAID", "REFUNDED")

KNOWN = {"order_status": ORDER_STATUSES, "voucher_status": VOUCHER_STATUSES, "payment_status": PAYMENT_STATUSES}
"""The values that each of the statuses should have."""


class Literal(Value):
    """A code of this module, written into the SQL itself.

    SQLite uses a partial index only where a query repeats its condition word for word, which a parameter does not.
    """

    def __init__(self, value: str) -> None:
        if not value.replace("_", "").isalnum():
            raise ValueError(f"{value!r} is no plain code.")
        super().__init__(value, CharField())

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> Any:
        return f"'{self.value}'", ()


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that should not be.

    The condition is over an order, or a version of one, and never reads the customer: erasing one changes no count.
    """

    name: str
    sentence: str
    condition: Q
    columns: tuple[str, ...]
    """What it is about: where one of these is put right, it no longer holds."""
    cure: str
    """What mends it, in a sentence."""
    in_row: bool = True
    """Whether the order's own columns decide, so that a partial index finds the orders."""
    led_by: tuple[str, ...] = ()
    """Columns whose value is the same for all of them: with these in front, databases see that no other index is
    better, and the order is still the newest first."""


def given(column: str) -> Q:
    """A column is not missing."""
    return Q(**{f"{column}__isnull": False})


def missing(column: str) -> Q:
    """A column is missing."""
    return Q(**{f"{column}__isnull": True})


def is_code(column: str, code: str) -> Q:
    """A column has a code."""
    return Q(**{column: Literal(code)})


def none_of(column: str, codes: tuple[str, ...]) -> Q:
    """A column is not missing, and has none of the codes."""
    condition = given(column)
    for code in codes:
        condition &= ~is_code(column, code)
    return condition


CHECKS = (
    Check(
        "ordered_in_future",
        "The order is dated later than the moment at which its values came into the catalogue.",
        Q(order_date__gt=F("change__at")),
        columns=("order_date",),
        cure="Correct order_date; often its year is mistyped.",
        in_row=False,
    ),
    Check(
        "paid_before_ordered",
        "The payment is dated before the order.",
        Q(payment_date__lt=F("order_date")),
        columns=("order_date", "payment_date"),
        cure="Correct the one of the two dates that is wrong.",
    ),
    Check(
        "paid_without_payment",
        "The order is PAID, and no payment is known.",
        is_code("order_status", "PAID") & missing("payment_id"),
        columns=("order_status", "payment_id"),
        cure="Correct payment_id to the number of the payment, or order_status if it was never paid.",
    ),
    Check(
        "canceled_but_paid",
        "The order is CANCELED, and its payment is still PAID.",
        is_code("order_status", "CANCELED") & is_code("payment_status", "PAID"),
        columns=("order_status", "payment_status"),
        cure="Correct payment_status if the money was given back, or order_status if the order still stands.",
        led_by=("order_status",),
    ),
    Check(
        "refunded_but_not_canceled",
        "The payment is REFUNDED, and the order is not CANCELED.",
        is_code("payment_status", "REFUNDED") & ~is_code("order_status", "CANCELED"),
        columns=("order_status", "payment_status"),
        cure="Correct order_status if the order was canceled, or payment_status if the money was not given back.",
        led_by=("payment_status",),
    ),
    Check(
        "refunded_but_voucher_paid",
        "The payment is REFUNDED, and the voucher is PAID_TO_SUPPLIER.",
        is_code("payment_status", "REFUNDED") & is_code("voucher_status", "PAID_TO_SUPPLIER"),
        columns=("voucher_status", "payment_status"),
        cure="Correct the one of the two statuses that is wrong; if both are right, the supplier was paid for nothing.",
        led_by=("payment_status", "voucher_status"),
    ),
    Check(
        "voucher_incomplete",
        "A voucher's number is known without its status, or its status without its number.",
        (given("voucher_id") & missing("voucher_status")) | (missing("voucher_id") & given("voucher_status")),
        columns=("voucher_id", "voucher_status"),
        cure="Correct the one that is missing, or empty the other if there was no voucher.",
    ),
    Check(
        "unknown_status",
        "One of the three statuses is UNKNOWN, misspelt, or new to this shop.",
        none_of("order_status", ORDER_STATUSES)
        | none_of("voucher_status", VOUCHER_STATUSES)
        | none_of("payment_status", PAYMENT_STATUSES),
        columns=tuple(KNOWN),
        cure="Correct the status here, or write a value rule if it stands in many orders.",
    ),
)

BY_NAME = {check.name: check for check in CHECKS}
