"""Value rules: previewed, switched on and off; each in one statement over all the orders it touches."""

from __future__ import annotations

from django.db.models import Exists, F, OuterRef, QuerySet
from django.db.models.lookups import Exact

from catalog.changes import changing, keep_versions
from catalog.contract import Value
from catalog.models import BIT, Change, Correction, Order, ValueRule
from catalog.values import read


def without_overlay(field: str) -> QuerySet[Order]:
    """The orders that show in a column what their source says."""
    return Order.objects.filter(Exact(F("overlaid").bitand(BIT[field]), 0))


def with_overlay(field: str) -> QuerySet[Order]:
    """The orders that show in a column something else than their source says."""
    return Order.objects.filter(Exact(F("overlaid").bitand(BIT[field]), BIT[field]), overlaid__gt=0)


def touched(rule: ValueRule) -> QuerySet[Order]:
    """The orders that a rule changes when it is switched on: their source says `old`, and nobody corrected it."""
    return without_overlay(rule.field).filter(**{rule.field: read(rule.field, rule.old)})


def switch_on(rule: ValueRule, *, actor: str) -> int:
    """Put a rule in force, now and for every later load; the number of orders it changes."""
    with changing(Change.Kind.RULE, actor, f"{rule}: {rule.reason}") as change:
        rule.active = True
        rule.save()
        orders = touched(rule)
        keep_versions(orders, change)
        return orders.update(
            **{f"source_{rule.field}": F(rule.field), rule.field: read(rule.field, rule.new)},
            overlaid=F("overlaid").bitor(BIT[rule.field]),
            change=change,
        )


def switch_off(rule: ValueRule, *, actor: str, reason: str) -> int:
    """Bring the source's values back exactly; the number of orders that change."""
    with changing(Change.Kind.RULE, actor, f"off: {rule}: {reason}") as change:
        rule.active = False
        rule.save()
        source = f"source_{rule.field}"
        corrected = Correction.objects.in_force().filter(order=OuterRef("pk"), field=rule.field)
        orders = with_overlay(rule.field).filter(~Exists(corrected), **{source: read(rule.field, rule.old)})
        keep_versions(orders, change)
        return orders.update(
            **{rule.field: F(source), source: None}, overlaid=F("overlaid").bitxor(BIT[rule.field]), change=change
        )


def meanings(field: str) -> list[tuple[Value, Value]]:
    """What the rules in force make of a column: pairs of the source's value and what is shown."""
    rules = ValueRule.objects.filter(active=True, field=field).order_by("id")
    return [(read(field, rule.old), read(field, rule.new)) for rule in rules]
