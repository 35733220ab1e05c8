"""Corrections by hand: made, retired, and what becomes of conflicts. One by one or many at once, by the same rules."""

from __future__ import annotations

from typing import Any, cast

from django.db import connection
from django.db.models import Case, CharField, F, IntegerField, Model, OuterRef, Q, QuerySet, Subquery, When
from django.db.models import Value as Constant
from django.db.models.lookups import Exact

from catalog.changes import NotPossible, changing, keep_versions
from catalog.contract import Value
from catalog.fingerprints import is_erased
from catalog.models import BIT, Change, Correction, CorrectionEvent, Order, Source, field_of, typed
from catalog.querysets import CorrectionQuerySet
from catalog.rules import meanings


def changed_meanwhile(order: Order, by: Change) -> NotPossible:
    """What the second of two people is told."""
    return NotPossible(
        "changed_meanwhile",
        f"Order {order} was changed meanwhile by {by.actor} ({by.get_kind_display()}); look at it again before you "
        "correct it.",
    )


def correct(order: Order, field: str, value: Value, *, actor: str, reason: str) -> Correction:
    """Set a value of one order right; see `correct_fields`."""
    return correct_fields(order, {field: value}, actor=actor, reason=reason)[0]


def correct_fields(order: Order, values: dict[str, Value], *, actor: str, reason: str) -> list[Correction]:
    """Set values of one order right, in one change; those that it shows already are passed over.

    `order` is as the person saw it. Raises `NotPossible` when it has changed since, or shows all the values already, or
    where a correction is to be replaced by what the source says.
    """
    with changing(Change.Kind.CORRECTION, actor, reason) as change:
        now = Order.objects.filter(pk=order.pk).first()
        if now is None:
            raise NotPossible("no_such_order", f"Order {order} is no longer in the catalogue.")
        if now.change_id != order.change_id:
            raise changed_meanwhile(order, now.change)
        _refuse_pinning(now, values)
        if not _correct(Order.objects.filter(pk=order.pk), values, change):
            raise NotPossible("no_difference", f"Order {order} shows that value of {' and '.join(values)} already.")
        return list(Correction.objects.filter(made_by=change).order_by("id"))


def _refuse_pinning(order: Order, values: dict[str, Value]) -> None:
    """Who wants what the source says wants no correction: a new one would hold when the source moves on.

    Over a rule it is meant: the order is exempt from the rule.
    """
    corrected = Correction.objects.in_force().filter(order=order).values_list("field", flat=True)
    for field in sorted(set(corrected) & set(values)):
        if order.source_value(field) == values[field] != getattr(order, field):
            raise NotPossible(
                "same_as_source",
                f"The source itself says that of {field}. Retire the correction there, so that the source's value is "
                "taken.",
            )


def correct_many(
    orders: QuerySet[Order], field: str, value: Value, *, actor: str, reason: str, seen: int | None = None
) -> int:
    """Set a value of many orders right, for one reason; the number of those that did not show it already.

    `seen` is the latest change of which the person knew: raises `NotPossible` when another has come since.
    """
    with changing(Change.Kind.CORRECTION, actor, reason, seen=seen) as change:
        return _correct(orders, {field: value}, change)


def differing(orders: QuerySet[Order], field: str, value: Value) -> QuerySet[Order]:
    """Those of the orders that do not show a value already."""
    same = Q(**{f"{field}__isnull": True}) if value is None else Q(**{field: value})
    return orders.filter(~same)


def _refuse_erased(orders: QuerySet[Order], values: dict[str, Value]) -> None:
    """Nobody may write down again the number of a customer who was erased."""
    customer = values.get("customer_id")
    if not isinstance(customer, int):
        return
    erased = [code for code in Source.objects.values_list("code", flat=True) if is_erased(code, customer)]
    if erased and orders.filter(source__in=erased).exists():
        raise NotPossible(
            "customer_erased",
            f"That customer of {' and '.join(erased)} was erased, and no order may get the number again; use another.",
        )


def _correct(orders: QuerySet[Order], values: dict[str, Value], change: Change) -> int:
    _refuse_erased(orders, values)
    # The query may ask for what is about to change, so it is asked once for each field, before anything else
    # happens; from then on the corrections say which orders are meant.
    if not sum(
        [_insert_corrections(differing(orders, field, value), field, value, change) for field, value in values.items()]
    ):
        return 0
    new = Correction.objects.filter(made_by=change)
    for field in values:
        former = Correction.objects.in_force().filter(field=field, order__in=new.filter(field=field).values("order"))
        former.update(ended_by=change, ending=Correction.Ending.REPLACED)
    new.update(ended_by=None)
    count = keep_versions(Order.objects.filter(pk__in=new.values("order")), change)
    for field, value in values.items():
        Order.objects.filter(pk__in=new.filter(field=field).values("order")).update(
            **{field: value, f"source_{field}": _source(field)},
            overlaid=F("overlaid").bitor(BIT[field]),
            change=change,
        )
    return count


def _source(field: str) -> Case:
    """What the source says, in SQL."""
    return Case(When(Exact(F("overlaid").bitand(BIT[field]), BIT[field]), then=F(f"source_{field}")), default=F(field))


def _insert_corrections(orders: QuerySet[Order], field: str, value: Value, change: Change) -> int:
    selected = {
        "order_id": F("pk"),
        "field": Constant(field, CharField()),
        typed("value", field): Constant(value, field_of(Correction, typed("value", field))),
        typed("base", field): _source(field),
        "made_by_id": Constant(change.pk, IntegerField()),
        # Ended for the moment: the one that it replaces is still in force.
        "ended_by_id": Constant(change.pk, IntegerField()),
        "ending": Constant("", CharField()),
    }
    return _insert(Correction, selected, orders)


def _insert(model: type[Model], selected: dict[str, Any], rows: QuerySet[Any]) -> int:
    """Write a row for each of the rows of a query; `selected` says what stands in its columns. Their number."""
    renamed = {f"new_{name}": expression for name, expression in selected.items()}
    select, params = rows.order_by().annotate(**renamed).values_list(*renamed).query.sql_with_params()
    quote = connection.ops.quote_name
    table, columns = quote(model._meta.db_table), ", ".join(map(quote, selected))
    with connection.cursor() as cursor:
        # The columns are the model's own; all values are parameters.
        cursor.execute(f"INSERT INTO {table} ({columns}) {select}", params)
        return int(cursor.rowcount)


def retire(corrections: QuerySet[Correction], *, actor: str, reason: str, seen: int | None = None) -> int:
    """End corrections: their orders show again what the source says, or what a rule makes of it; their number.

    `seen` as for `correct_many`. Raises `NotPossible` when none of them is in force.
    """
    with changing(Change.Kind.CORRECTION, actor, reason, seen=seen) as change:
        ended = corrections.filter(ended_by=None).update(ended_by=change, ending=Correction.Ending.RETIRED)
        if not ended:
            raise NotPossible("ended_already", "The correction has ended already.")
        uncover(change)
        return ended


def uncover(change: Change) -> None:
    """Let the orders whose corrections a change has ended show what is below them."""
    ended = Correction.objects.filter(ended_by=change)
    keep_versions(Order.objects.filter(pk__in=ended.values("order")), change)
    for field in fields_of(ended):
        source = f"source_{field}"
        ruled = [(Q(**{source: old}), new) for old, new in meanings(field)]
        hit = Q(pk__in=())
        for condition, _ in ruled:
            hit |= condition
        kept = field_of(Order, field)
        Order.objects.filter(pk__in=ended.filter(field=field).values("order")).update(
            **{
                field: Case(*(When(c, then=Constant(new, kept)) for c, new in ruled), default=F(source)),
                source: Case(When(hit, then=F(source)), default=None),
            },
            overlaid=Case(When(hit, then=F("overlaid")), default=F("overlaid").bitxor(BIT[field])),
            change=change,
        )


def fields_of(corrections: QuerySet[Correction]) -> list[str]:
    """The columns in which corrections are."""
    return sorted(corrections.order_by().values_list("field", flat=True).distinct())


def keep(corrections: QuerySet[Correction], *, actor: str, reason: str, seen: int | None = None) -> int:
    """Decide conflicts for the corrections: they stay until the source has yet another value; their number.

    `seen` as for `correct_many`. Raises `NotPossible` when none of them is in conflict.
    """
    with changing(Change.Kind.CORRECTION, actor, reason, seen=seen) as change:
        event = {
            "correction_id": F("pk"),
            "change_id": Constant(change.pk, IntegerField()),
            "kind": Constant(CorrectionEvent.Kind.KEPT, CharField()),
            "conflict_before_id": F("conflict_by_id"),
        }
        if not _insert(CorrectionEvent, event, waiting(corrections)):
            raise decided_already()
        kept = Correction.objects.filter(pk__in=CorrectionEvent.objects.filter(change=change).values("correction"))
        for field in fields_of(kept):
            says = Order.objects.filter(pk=OuterRef("order_id")).values(says=_source(field))
            kept.filter(field=field).update(**{typed("base", field): Subquery(says)})
        return kept.update(conflict_by=None)


def correct_again(
    corrections: QuerySet[Correction], value: Value, *, actor: str, reason: str, seen: int | None = None
) -> int:
    """Decide conflicts of one column by a third value, in a new correction of each order; their number.

    `seen` as for `correct_many`. Raises `NotPossible` when none is in conflict, when they are of several columns, or
    when all the orders show that value already.
    """
    with changing(Change.Kind.CORRECTION, actor, reason, seen=seen) as change:
        fields = fields_of(waiting(corrections))
        if not fields:
            raise decided_already()
        if len(fields) > 1:
            raise NotPossible("several_columns", f"The conflicts are of several columns: {', '.join(fields)}.")
        orders = Order.objects.filter(pk__in=waiting(corrections).order_by().values("order"))
        count = _correct(orders, {fields[0]: value}, change)
        if not count:
            raise NotPossible("no_difference", "That is what the correction says already; keep it instead.")
        return count


def waiting(corrections: QuerySet[Correction]) -> QuerySet[Correction]:
    """Those of the corrections that are in conflict."""
    return cast("CorrectionQuerySet", corrections).in_conflict()


def decided_already() -> NotPossible:
    """What the second of two people is told about a conflict."""
    return NotPossible("decided_already", "The conflict was decided meanwhile.")
