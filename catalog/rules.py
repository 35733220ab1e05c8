"""Value rules: previewed, switched on and off; each in one statement over all the orders it touches."""

from __future__ import annotations

from django.db.models import Exists, F, OuterRef, QuerySet
from django.db.models.lookups import Exact

from catalog.changes import NotPossible, changing, keep_versions
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


def _set(rule: ValueRule, *, active: bool) -> None:
    """Only with the catalogue locked is it sure how the rule stands."""
    rule.refresh_from_db()
    if rule.active == active:
        raise NotPossible("switched_already", f"The rule is {'on' if active else 'off'} already.")
    other = ValueRule.objects.filter(active=True, field=rule.field, old=rule.old).exclude(pk=rule.pk).first()
    if active and other:
        raise NotPossible("rule_exists", f"Rule {other.pk} says already what {rule.field} {rule.old} means.")
    rule.active = active
    rule.save(update_fields=["active"])


def switch_on(rule: ValueRule, *, actor: str) -> int:
    """Put a rule in force, now and for every later load; the number of orders it changes. Raises `NotPossible`."""
    with changing(Change.Kind.RULE, actor, f"{rule}: {rule.reason}") as change:
        _set(rule, active=True)
        orders = touched(rule)
        keep_versions(orders, change)
        return orders.update(
            **{f"source_{rule.field}": F(rule.field), rule.field: read(rule.field, rule.new)},
            overlaid=F("overlaid").bitor(BIT[rule.field]),
            change=change,
        )


def switch_off(rule: ValueRule, *, actor: str, reason: str) -> int:
    """Bring the source's values back exactly; the number of orders that change. Raises `NotPossible`."""
    with changing(Change.Kind.RULE, actor, f"off: {rule}: {reason}") as change:
        _set(rule, active=False)
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
