"""The indexes of the table of orders, each with the question that it is for."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from catalog.checks import CHECKS
from catalog.fields import KeyedIndex

# A list of orders is newest first. Each index ends with the key, so that pages are cut exactly.
ORDER_INDEXES = (
    # Newest first, and every range of order dates.
    KeyedIndex(fields=("order_date", "key"), name="order_by_date"),
    # Ranges of payment dates, and orders without one.
    KeyedIndex(fields=("payment_date", "key"), name="order_by_payment_date"),
    # One website, newest first: the most frequent question.
    KeyedIndex(fields=("website", "order_date", "key"), name="order_by_website"),
    # One source, newest first: a source that is out of use has no order among the newest.
    KeyedIndex(fields=("source", "order_date", "key"), name="order_by_source"),
    # One state of the voucher, newest first: states are many and several are rare.
    KeyedIndex(fields=("voucher_status", "order_date", "key"), name="order_by_voucher_status"),
    # The rare states only: nineteen orders in twenty are PAID, and those the date index finds.
    KeyedIndex(
        fields=("order_status", "order_date", "key"),
        name="order_by_rare_status",
        condition=~Q(order_status="PAID"),
    ),
    KeyedIndex(
        fields=("payment_status", "order_date", "key"),
        name="order_by_rare_payment_status",
        condition=~Q(payment_status="PAID") & Q(payment_status__isnull=False),
    ),
    # All orders of a customer or a product, newest first.
    KeyedIndex(fields=("customer_id", "order_date", "key"), name="order_by_customer"),
    KeyedIndex(fields=("product_id", "order_date", "key"), name="order_by_product"),
    # Search by the number on a payment or a voucher; rows without one are never looked for this way.
    models.Index(fields=("payment_id",), name="order_by_payment", condition=Q(payment_id__isnull=False)),
    models.Index(fields=("voucher_id",), name="order_by_voucher", condition=Q(voucher_id__isnull=False)),
    # The few orders that a full snapshot has marked as removed, newest first.
    KeyedIndex(fields=("order_date", "key"), name="order_by_removed", condition=Q(removed=True)),
    # The orders that show something else than their source says, newest first.
    KeyedIndex(fields=("order_date", "key"), name="order_by_overlaid", condition=Q(overlaid__gt=0)),
    # What a run brought, newest first, and what of it is dated later than the run.
    KeyedIndex(fields=("change", "order_date", "key"), name="order_by_change"),
    # The few orders that fail a check, newest first.
    *(
        KeyedIndex(fields=(*check.led_by, "order_date", "key"), name=f"odd_{check.name}", condition=check.condition)
        for check in CHECKS
        if check.in_row
    ),
)
