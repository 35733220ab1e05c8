"""The clean data: orders as they are in force, what they were before, and what changed them."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import F, Q

from catalog.contract import COLUMNS, MAX_INTEGER
from catalog.fields import CodeField, KeyedIndex, OrderKeyField
from catalog.keys import MAX_SOURCE_NUMBER, ORDERS_PER_SOURCE
from catalog.querysets import OrderQuerySet

MEANING = {column.name: column.meaning for column in COLUMNS}


class Source(models.Model):
    """A system that gives out order numbers; its own number is the first part of every order key."""

    number = models.PositiveIntegerField(primary_key=True)
    code = CodeField(unique=True)

    class Meta:
        ordering = ("number",)
        constraints = (
            models.CheckConstraint(
                condition=Q(number__gte=1, number__lte=MAX_SOURCE_NUMBER), name="catalog_source_number_range"
            ),
        )

    def __str__(self) -> str:
        return self.code


class Change(models.Model):
    """One change of the catalogue: one transaction, one cause, one moment.

    Every order and every superseded version names the change that made it, so a value's history is read
    off here. `at` is set last, when everything else of the change is written.
    """

    class Kind(models.TextChoices):
        LOAD = "load", "load of a file"

    kind = models.CharField(max_length=16, choices=Kind)
    at = models.DateTimeField("in force since", db_index=True)
    actor = models.CharField(max_length=150, help_text="who caused it")
    reason = models.TextField(blank=True)

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"change {self.pk} ({self.get_kind_display()})"


class KnownValue(models.Model):
    """A code that some load has brought: what filters offer, and what a load reports as new."""

    field = models.CharField(max_length=32)
    value = CodeField()
    change = models.ForeignKey(Change, models.PROTECT, related_name="new_values")

    class Meta:
        ordering = ("field", "value")
        constraints = (models.UniqueConstraint(fields=("field", "value"), name="catalog_knownvalue_unique"),)

    def __str__(self) -> str:
        return f"{self.field}={self.value}"


def number(name: str, **options: Any) -> models.BigIntegerField:
    """An integer column of the contract."""
    return models.BigIntegerField(help_text=MEANING[name], **options)


def code(name: str, **options: Any) -> CodeField:
    """A code column of the contract."""
    return CodeField(help_text=MEANING[name], **options)


def moment(name: str, **options: Any) -> models.DateTimeField:
    """A timestamp column of the contract, in UTC."""
    return models.DateTimeField(help_text=MEANING[name], **options)


MISSING: dict[str, Any] = {"null": True, "blank": True}


class OrderState(models.Model):
    """What the catalogue knows of an order at one time: the contract's columns and where they come from."""

    order_id = number("order_id")
    source = code("source")
    customer_id = number("customer_id")
    payment_id = number("payment_id", **MISSING)
    voucher_id = number("voucher_id", **MISSING)
    product_id = number("product_id", **MISSING)
    website = code("website")
    order_status = code("order_status")
    voucher_status = code("voucher_status", **MISSING)
    payment_status = code("payment_status", **MISSING)
    order_date = moment("order_date")
    payment_date = moment("payment_date", **MISSING)
    removed = models.BooleanField(
        default=False,
        db_default=False,
        help_text="a later full snapshot no longer had the order; the record itself is kept",
    )
    line = models.BigIntegerField(
        null=True, help_text="line of the run's file on which the record starts (header = 1); none once removed"
    )

    class Meta:
        abstract = True

    @property
    def natural_key(self) -> str:
        """The order's name in URLs, files and pages, like `services/20771583`."""
        return f"{self.source}/{self.order_id}"


def id_range(name: str) -> Q:
    """The condition that a number is missing or within the contract's range."""
    return Q(**{f"{name}__isnull": True}) | Q(**{f"{name}__gte": 1, f"{name}__lte": MAX_INTEGER})


class Order(OrderState):
    """An order with its effective values, those in force now."""

    # No sequence, no look-up: see catalog/keys.py.
    key = OrderKeyField(primary_key=True)
    # The database does not check this reference row by row: changes are never deleted, and a load writes
    # the change and its rows in one transaction.
    change = models.ForeignKey(Change, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+")

    objects = OrderQuerySet.as_manager()

    class Meta:
        # A list of orders is newest first. Each index ends with the key, so that pages are cut exactly.
        indexes = (
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
            # What a run brought. One value for a whole load, so the index is small and quick to build.
            KeyedIndex(fields=("change", "key"), name="order_by_change"),
        )
        constraints = (
            models.CheckConstraint(condition=Q(order_id__gte=1, order_id__lte=MAX_INTEGER), name="order_id_range"),
            models.CheckConstraint(
                condition=Q(key__gt=ORDERS_PER_SOURCE, order_id=F("key") % ORDERS_PER_SOURCE),
                name="order_key_matches_order_id",
            ),
            models.CheckConstraint(
                condition=Q(customer_id__gte=1, customer_id__lte=MAX_INTEGER), name="customer_id_range"
            ),
            models.CheckConstraint(condition=id_range("payment_id"), name="payment_id_range"),
            models.CheckConstraint(condition=id_range("voucher_id"), name="voucher_id_range"),
            models.CheckConstraint(condition=id_range("product_id"), name="product_id_range"),
        )

    def __str__(self) -> str:
        return self.natural_key


class OrderVersion(OrderState):
    """A superseded state of an order: in force from `change` until `ended_by`."""

    pk = models.CompositePrimaryKey("key", "change")
    key = models.BigIntegerField()
    change = models.ForeignKey(Change, models.DO_NOTHING, db_constraint=False, related_name="+")
    ended_by = models.ForeignKey(Change, models.DO_NOTHING, db_constraint=False, related_name="+")

    class Meta:
        ordering = ("-change",)

    def __str__(self) -> str:
        return f"{self.natural_key} until {self.ended_by}"
