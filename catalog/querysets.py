"""Ways to ask for orders that more than one part of the product needs."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.db import models

from catalog.as_of import change_at, stand_at
from catalog.contract import ValueRefused, parse_code, parse_integer
from catalog.keys import order_key

if TYPE_CHECKING:
    from catalog.models import Correction, Order  # noqa: F401  # the names in quotation marks below


class OrderQuerySet(models.QuerySet["Order"]):
    """Orders, found by what people call them; as they are, or as they stood at a moment."""

    _change: int | None = None

    def as_of(self, moment: datetime) -> OrderQuerySet:
        """The orders as they stood at a moment, to the microsecond, with the values that were in force then.

        Every filter and ordering works on it; it cannot be written to.
        """
        return self.after_change(change_at(moment))

    def after_change(self, change: int) -> OrderQuerySet:
        """The orders as they stood after a change, given by its number."""
        orders = self.all()
        orders._change = change
        return stand_at(orders, change)

    def _clone(self) -> OrderQuerySet:
        copy: OrderQuerySet = super()._clone()  # type: ignore[misc]
        copy._change = self._change
        return copy

    def update(self, **values: Any) -> int:
        self._refuse_to_write()
        return super().update(**values)

    def delete(self) -> tuple[int, dict[str, int]]:
        self._refuse_to_write()
        return super().delete()

    def _refuse_to_write(self) -> None:
        if self._change is not None:
            raise TypeError("The past cannot be written to.")

    def present(self) -> OrderQuerySet:
        """Without the orders that a full snapshot has marked as removed."""
        return self.filter(removed=False)

    def named(self, source: str, order_id: str) -> OrderQuerySet:
        """The one order that a URL names, or none, by primary key; a text that is no code or number names nothing."""
        return self.filter(key__in=keys_named(source, order_id))

    def numbered(self, order_ids: Iterable[int]) -> OrderQuerySet:
        """The orders with these numbers, of whatever source."""
        return self.filter(self.numbers(order_ids))

    @staticmethod
    def numbers(order_ids: Iterable[int]) -> models.Q:
        """The condition that an order has one of these numbers; by the primary key, so no index is needed."""
        numbers = source_numbers()
        return models.Q(key__in=[order_key(number, order_id) for order_id in order_ids for number in numbers])

    @staticmethod
    def number_between(low: int, high: int) -> models.Q:
        """The condition that an order's number is from `low` to `high`; as ranges of the primary key."""
        condition = models.Q(pk__in=())
        for number in source_numbers():
            condition |= models.Q(key__gte=order_key(number, low), key__lte=order_key(number, high))
        return condition

    def with_any_id(self, number: int) -> OrderQuerySet:
        """Orders in which any id (order, customer, payment, voucher, product) is `number`."""
        return self.filter(self.any_id(number))

    @classmethod
    def any_id(cls, number: int) -> models.Q:
        """The condition of `with_any_id`. Databases join what the index of each column finds.

        Not as the keys that several queries find: of a customer of a million orders all would be looked up before the
        newest could be told.
        """
        found_in = cls.numbers([number])
        for column in ("customer_id", "payment_id", "voucher_id", "product_id"):
            found_in |= models.Q(**{column: number})
        return found_in


class CorrectionQuerySet(models.QuerySet["Correction"]):
    """Corrections by their state."""

    def in_force(self) -> CorrectionQuerySet:
        return self.filter(ended_by=None)

    def in_conflict(self) -> CorrectionQuerySet:
        """Those that wait for a person: the source has a third value."""
        return self.in_force().exclude(conflict_by=None)


def keys_named(source: str, order_id: str) -> list[int]:
    """The key of the order that a URL names, if any."""
    try:
        code, number = parse_code(source), parse_integer(order_id)
    except ValueRefused:
        return []
    return [order_key(source_number, number) for source_number in source_numbers(code=code)]


def source_numbers(**condition: Any) -> list[int]:
    """The numbers of all sources, or of those that meet `condition`."""
    return list(apps.get_model("catalog", "Source").objects.filter(**condition).values_list("number", flat=True))
