"""The clean data: orders as they are in force, what they were before, and what changed them."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import F, Q

from catalog.contract import COLUMNS, CORRECTABLE, MAX_INTEGER, Kind, Value
from catalog.fields import CodeField, KeyedIndex, OrderKeyField
from catalog.fingerprints import ErasedCustomer, ErasureSalt  # noqa: F401  models of this application too
from catalog.indexes import ORDER_INDEXES
from catalog.keys import MAX_SOURCE_NUMBER, ORDERS_PER_SOURCE
from catalog.querysets import CorrectionQuerySet, OrderQuerySet
from catalog.saved_models import ChosenColumns, SavedFilter  # noqa: F401  likewise
from catalog.tally_models import DayTally, QualityCount, StateTally, TallyZone  # noqa: F401  likewise
from catalog.tokens import ApiToken  # noqa: F401  likewise

MEANING = {column.name: column.meaning for column in COLUMNS}

BIT = {column.name: 1 << position for position, column in enumerate(CORRECTABLE)}
"""The bit of `OrderState.overlaid` that stands for a column."""

TYPED = {Kind.INTEGER: "number", Kind.CODE: "code", Kind.TIMESTAMP: "moment"}
"""The ending of the columns that hold a value of each kind, where one table holds values of any column."""


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
        CORRECTION = "correction", "correction by hand"
        RULE = "rule", "value rule"
        UNDO = "undo", "undo of a run"
        REPAIR = "repair", "repair of rejected rows"
        ERASURE = "erasure", "erasure of a customer"

    kind = models.CharField(max_length=16, choices=Kind)
    at = models.DateTimeField("in force since", db_index=True)
    actor = models.CharField(max_length=150, help_text="who caused it")
    reason = models.TextField(blank=True)
    rule = models.ForeignKey("ValueRule", models.PROTECT, null=True, editable=False, related_name="switches")

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"change {self.pk} ({self.get_kind_display()})"

    @property
    def reads_a_file(self) -> bool:
        """Whether the lines of the orders that it has made are lines of its own file."""
        return self.kind in (self.Kind.LOAD, self.Kind.REPAIR)


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
    # Every file has to say it; it is missing where the customer was erased.
    customer_id = number("customer_id", **MISSING)
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

    # What the source itself says where a rule or a correction lies over it, and for which columns that is so.
    overlaid = models.PositiveSmallIntegerField(
        default=0, db_default=0, help_text="the columns that show something else than the source says, a bit each"
    )
    source_customer_id = number("customer_id", **MISSING)
    source_payment_id = number("payment_id", **MISSING)
    source_voucher_id = number("voucher_id", **MISSING)
    source_product_id = number("product_id", **MISSING)
    source_website = code("website", **MISSING)
    source_order_status = code("order_status", **MISSING)
    source_voucher_status = code("voucher_status", **MISSING)
    source_payment_status = code("payment_status", **MISSING)
    source_order_date = moment("order_date", **MISSING)
    source_payment_date = moment("payment_date", **MISSING)

    class Meta:
        abstract = True

    def source_value(self, name: str) -> Value:
        """What the source itself says in a column."""
        value: Value = getattr(self, f"source_{name}" if self.overlaid & BIT[name] else name)
        return value

    @property
    def source_values(self) -> dict[str, Value]:
        """The source's own values of the columns that are overlaid."""
        return {name: getattr(self, f"source_{name}") for name, bit in BIT.items() if self.overlaid & bit}

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
        indexes = ORDER_INDEXES
        constraints = (
            models.CheckConstraint(condition=Q(order_id__gte=1, order_id__lte=MAX_INTEGER), name="order_id_range"),
            models.CheckConstraint(
                condition=Q(key__gt=ORDERS_PER_SOURCE, order_id=F("key") % ORDERS_PER_SOURCE),
                name="order_key_matches_order_id",
            ),
            # Holds for a missing number too, as a comparison with it is neither true nor false.
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
        # The past is listed newest first as well.
        indexes = (models.Index(fields=("order_date", "key"), name="version_by_date"),)

    def __str__(self) -> str:
        return f"{self.natural_key} until {self.ended_by}"


MAX_REASON = 2000  # characters
FIELDS = [(column.name, column.name) for column in CORRECTABLE]
RULED = [(column.name, column.name) for column in CORRECTABLE if column.kind is not Kind.INTEGER]
"""The columns for which rules make sense: each source numbers things on its own, and a rule holds for all of them."""


class ValueRule(models.Model):
    """What one value of a column means: while it is on, every order whose source says `old` shows `new`.

    Both are written as in an export; an empty `new` is a missing value. Rules never follow one another.
    """

    field = models.CharField(max_length=32, choices=RULED)
    old = models.CharField("from", max_length=40, help_text="the source's value; times without an offset are in UTC")
    new = models.CharField(
        "to", max_length=40, blank=True, help_text="what is shown instead; empty for a missing value"
    )
    reason = models.TextField(max_length=MAX_REASON, help_text="why it is so")
    active = models.BooleanField("on", default=False, editable=False)

    class Meta:
        ordering = ("field", "old")
        constraints = (
            models.UniqueConstraint(fields=("field", "old"), condition=Q(active=True), name="catalog_valuerule_active"),
        )

    def __str__(self) -> str:
        return f"{self.field} {self.old} means {self.new or 'a missing value'}"


IN_CONFLICT = Q(ended_by=None, conflict_by__isnull=False)


class Correction(models.Model):
    """A value that a person has set right: in force from one change to another, whatever loads bring meanwhile.

    The value, and the source's own value when it was made (`base`), stand in the columns of the field's kind.
    """

    class Ending(models.TextChoices):
        RETIRED = "retired", "retired by a person"
        REPLACED = "replaced", "replaced by another correction"
        CAUGHT_UP = "caught_up", "the source caught up"

    order = models.ForeignKey(Order, models.DO_NOTHING, db_constraint=False, related_name="corrections")
    field = models.CharField(max_length=32, choices=FIELDS)
    value_number = models.BigIntegerField(null=True)
    value_code = CodeField(null=True)
    value_moment = models.DateTimeField(null=True)
    base_number = models.BigIntegerField(null=True)
    base_code = CodeField(null=True)
    base_moment = models.DateTimeField(null=True)
    made_by = models.ForeignKey(Change, models.PROTECT, related_name="corrections_made")
    # Looked for among those that have ended only: an index of the others as well would lead databases astray.
    ended_by = models.ForeignKey(Change, models.PROTECT, null=True, db_index=False, related_name="corrections_ended")
    ending = models.CharField(max_length=16, choices=Ending, blank=True)
    # The change that brought a third value.
    conflict_by = models.ForeignKey(Change, models.PROTECT, null=True, db_index=False, related_name="conflicts")

    objects = CorrectionQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                fields=("order", "field"), condition=Q(ended_by=None), name="catalog_correction_one_in_force"
            ),
        )
        indexes = (
            models.Index(fields=("ended_by",), name="correction_ended", condition=Q(ended_by__isnull=False)),
            # The queue of conflicts, the oldest first, and those of one column.
            KeyedIndex(fields=("conflict_by", "id"), name="correction_queue", condition=IN_CONFLICT),
            models.Index(fields=("field", "id"), name="correction_in_conflict", condition=IN_CONFLICT),
        )

    def __str__(self) -> str:
        return f"{self.order_id}: {self.field}"

    @property
    def value(self) -> Value:
        """The corrected value."""
        value: Value = getattr(self, typed("value", self.field))
        return value

    @property
    def base(self) -> Value:
        """What the source said when the correction was made, or when it was last confirmed."""
        value: Value = getattr(self, typed("base", self.field))
        return value


class Conflict(Correction):
    """A correction that waits for a person: the queue in the admin."""

    class Meta:
        proxy = True
        # Whoever may look at or decide corrections may do so here.
        default_permissions = ()


COLUMN = {column.name: column for column in CORRECTABLE}


def field_of(model: type[models.Model], name: str) -> models.Field:
    """A field of a model that is a column."""
    field = model._meta.get_field(name)
    assert isinstance(field, models.Field)  # noqa: S101  for the type checker
    return field


def typed(role: str, field: str) -> str:
    """The name of the column of `Correction` that holds a value of a field; `role` is `value` or `base`."""
    return f"{role}_{TYPED[COLUMN[field].kind]}"


class CorrectionEvent(models.Model):
    """What became of a correction between its beginning and its end: its conflicts, and how they were settled."""

    class Kind(models.TextChoices):
        CONFLICT = "conflict", "the source has a third value"
        SETTLED = "settled", "the source is back at what it said"
        KEPT = "kept", "kept by a person"
        CAUGHT_UP = "caught_up", "the source caught up"
        REVIVED = "revived", "in force again, as a run was undone"
        REWOUND = "rewound", "its conflict as before a run that was undone"

    correction = models.ForeignKey(Correction, models.PROTECT, related_name="events")
    change = models.ForeignKey(Change, models.PROTECT, related_name="correction_events")
    kind = models.CharField(max_length=16, choices=Kind)
    conflict_before = models.ForeignKey(Change, models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return f"{self.correction}: {self.get_kind_display()}"


class CatalogueLock(models.Model):
    """One row, which whoever changes the catalogue holds until the end of the transaction."""

    id = models.PositiveSmallIntegerField(primary_key=True)

    def __str__(self) -> str:
        return "the lock of the catalogue"
