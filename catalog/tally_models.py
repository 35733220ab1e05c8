"""Numbers of orders, kept beside the orders themselves and as exact as they are."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from catalog.fields import CodeField


class StateTally(models.Model):
    """How many orders there are of each combination of their codes. Columns are called as in `Order`."""

    # Codes may be missing, and to a unique key databases take two missing values for different.
    cell = CodeField(primary_key=True, max_length=255, help_text="all the dimensions, with | between")
    source = CodeField()
    website = CodeField()
    order_status = CodeField()
    voucher_status = CodeField(null=True)
    payment_status = CodeField(null=True)
    removed = models.BooleanField()
    orders = models.BigIntegerField()

    class Meta:
        indexes = (models.Index(fields=("cell",), name="statetally_empty", condition=Q(orders=0)),)

    def __str__(self) -> str:
        return self.cell


class DayTally(models.Model):
    """The same for each day. `order_date` is the moment at which the day begins, in the zone of `TallyZone`."""

    cell = CodeField(primary_key=True, max_length=255, help_text="all the dimensions, with | between")
    order_date = models.DateTimeField(db_index=True)
    source = CodeField()
    website = CodeField()
    order_status = CodeField()
    voucher_status = CodeField(null=True)
    payment_status = CodeField(null=True)
    removed = models.BooleanField()
    orders = models.BigIntegerField()

    class Meta:
        indexes = (models.Index(fields=("cell",), name="daytally_empty", condition=Q(orders=0)),)

    def __str__(self) -> str:
        return self.cell


class TallyZone(models.Model):
    """One row: the time zone by whose days `DayTally` counts. While there is none, nothing has been counted."""

    id = models.PositiveSmallIntegerField(primary_key=True)
    name = models.CharField(max_length=64)

    def __str__(self) -> str:
        return self.name


class QualityCount(models.Model):
    """How many orders, not removed, a change has brought that fail a check, and of how many it ended that state."""

    pk = models.CompositePrimaryKey("name", "change")
    name = models.CharField(max_length=64)
    change = models.ForeignKey("catalog.Change", models.PROTECT, related_name="+")
    added = models.BigIntegerField()
    gone = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.name} by change {self.change_id}"
