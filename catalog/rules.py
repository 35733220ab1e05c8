"""Value rules: previewed, switched on and off; each in one statement over all the orders it touches."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction
from django.db.models import Exists, F, OuterRef, QuerySet
from django.db.models.lookups import Exact

from catalog.changes import NotPossible, changing, keep_versions, lock_catalogue
from catalog.contract import Value, ValueRefused
from catalog.models import BIT, Change, Correction, Order, ValueRule
from catalog.values import read, written

EXAMPLES = 10


class RuleRefused(Exception):
    """A rule that makes no sense; `problems` has a sentence for each of its fields that is wrong."""

    def __init__(self, problems: dict[str, str]) -> None:
        super().__init__(" ".join(problems.values()))
        self.problems = problems


def checked(field: str, old: str, new: str) -> tuple[str, str]:
    """Both values of a rule in the one way in which they are kept. Raises `RuleRefused`, in the contract's words."""
    values: dict[str, Value] = {}
    problems: dict[str, str] = {}
    for name, text in (("old", old), ("new", new)):
        try:
            values[name] = read(field, text)
        except ValueRefused as refused:
            problems[name] = f"{refused.message}."
    if not old.strip():
        problems["old"] = "A rule needs a value to start from."
    elif not problems and values["old"] == values["new"]:
        problems["new"] = "Both values are the same."
    if problems:
        raise RuleRefused(problems)
    return written(values["old"]), written(values["new"])


def without_overlay(field: str) -> QuerySet[Order]:
    """The orders that show in a column what their source says."""
    return Order.objects.filter(Exact(F("overlaid").bitand(BIT[field]), 0))


def with_overlay(field: str) -> QuerySet[Order]:
    """The orders that show in a column something else than their source says."""
    return Order.objects.filter(Exact(F("overlaid").bitand(BIT[field]), BIT[field]), overlaid__gt=0)


def touched(rule: ValueRule) -> QuerySet[Order]:
    """The orders that a rule changes when it is switched on: their source says `old`, and nobody corrected it."""
    return without_overlay(rule.field).filter(**{rule.field: read(rule.field, rule.old)})


def examples(rule: ValueRule) -> list[Order]:
    """Some of the orders that a rule changes when it is switched on, the newest first."""
    return list(touched(rule).order_by("-order_date", "-key")[:EXAMPLES])


def applied(rule: ValueRule) -> QuerySet[Order]:
    """The orders that show what a rule in force says."""
    corrected = Correction.objects.in_force().filter(order=OuterRef("pk"), field=rule.field)
    return with_overlay(rule.field).filter(~Exists(corrected), **{f"source_{rule.field}": read(rule.field, rule.old)})


def _said(rule: ValueRule, *, active: bool) -> str:
    """How the reason of a change begins that switches a rule."""
    return f"{rule}: {rule.reason}" if active else f"off: {rule}: "


def switches(rule: ValueRule) -> QuerySet[Change]:
    """The changes that switched a rule, the latest first."""
    return Change.objects.filter(rule=rule).order_by("-id")


def latest_switches(rules: Iterable[ValueRule]) -> dict[int, Change]:
    """The change that switched each rule last; none for rules that were never on."""
    changes = Change.objects.filter(rule__in=list(rules)).order_by("id")
    return {change.rule_id: change for change in changes if change.rule_id}


def is_settled(rule: ValueRule) -> bool:
    """Whether a rule was ever on: then it stays as it is, as the history of orders says what it meant."""
    return rule.active or switches(rule).exists()


def refuse_settled(rule: ValueRule) -> None:
    """Raise `NotPossible` if a rule was ever on."""
    if is_settled(rule):
        raise NotPossible("rule_was_on", "The rule has been on, so it stays as it is. Make a new rule instead.")


def store(rule: ValueRule) -> None:
    """Keep a rule that is new, or one that was never on, as it now reads. Raises `NotPossible`."""
    with transaction.atomic():
        lock_catalogue()
        before = ValueRule.objects.filter(pk=rule.pk).first()
        if before:
            refuse_settled(before)
        rule.save()


def _set(rule: ValueRule, change: Change, *, active: bool) -> None:
    """Only with the catalogue locked is it sure how the rule stands."""
    rule.refresh_from_db()
    if rule.active == active:
        last = switches(rule).first()
        by = f", switched by {last.actor}" if last else ""
        raise NotPossible("switched_already", f"The rule is {'on' if active else 'off'} already{by}.")
    other = ValueRule.objects.filter(active=True, field=rule.field, old=rule.old).exclude(pk=rule.pk).first()
    if active and other:
        raise NotPossible("rule_exists", f"Rule {other.pk} says already what {rule.field} {rule.old} means.")
    rule.active = active
    rule.save(update_fields=["active"])
    change.rule = rule
    change.save(update_fields=["rule"])


def switch_on(rule: ValueRule, *, actor: str) -> int:
    """Put a rule in force, now and for every later load; the number of orders it changes. Raises `NotPossible`."""
    with changing(Change.Kind.RULE, actor, _said(rule, active=True)) as change:
        _set(rule, change, active=True)
        orders = touched(rule)
        keep_versions(orders, change)
        return orders.update(
            **{f"source_{rule.field}": F(rule.field), rule.field: read(rule.field, rule.new)},
            overlaid=F("overlaid").bitor(BIT[rule.field]),
            change=change,
        )


def switch_off(rule: ValueRule, *, actor: str, reason: str) -> int:
    """Bring the source's values back exactly; the number of orders that change. Raises `NotPossible`."""
    with changing(Change.Kind.RULE, actor, _said(rule, active=False) + reason) as change:
        _set(rule, change, active=False)
        source = f"source_{rule.field}"
        orders = applied(rule)
        keep_versions(orders, change)
        return orders.update(
            **{rule.field: F(source), source: None}, overlaid=F("overlaid").bitxor(BIT[rule.field]), change=change
        )


def meanings(field: str) -> list[tuple[Value, Value]]:
    """What the rules in force make of a column: pairs of the source's value and what is shown."""
    rules = ValueRule.objects.filter(active=True, field=field).order_by("id")
    return [(read(field, rule.old), read(field, rule.new)) for rule in rules]
