"""Corrections by hand: made, retired, and what becomes of conflicts. One by one or many at once, by the same rules."""

from __future__ import annotations

from django.db import connection
from django.db.models import Case, CharField, Exists, F, IntegerField, OuterRef, Q, QuerySet, When
from django.db.models import Value as Constant
from django.db.models.lookups import Exact

from catalog.changes import NotPossible, changing, keep_versions
from catalog.contract import Value
from catalog.models import BIT, Change, Correction, CorrectionEvent, Order, field_of, typed
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

    `order` is as the person saw it. Raises `NotPossible` when it has changed since, or shows all the values already.
    """
    with changing(Change.Kind.CORRECTION, actor, reason) as change:
        now = Order.objects.get(pk=order.pk)
        if now.change_id != order.change_id:
            raise changed_meanwhile(order, now.change)
        if not _correct(Order.objects.filter(pk=order.pk), values, change):
            raise NotPossible("no_difference", f"Order {order} shows that value of {' and '.join(values)} already.")
        return list(Correction.objects.filter(made_by=change).order_by("id"))


def correct_many(orders: QuerySet[Order], field: str, value: Value, *, actor: str, reason: str) -> int:
    """Set a value of many orders right, for one reason; the number of those that did not show it already."""
    with changing(Change.Kind.CORRECTION, actor, reason) as change:
        return _correct(orders, {field: value}, change)


def differing(orders: QuerySet[Order], field: str, value: Value) -> QuerySet[Order]:
    """Those of the orders that do not show a value already."""
    same = Q(**{f"{field}__isnull": True}) if value is None else Q(**{field: value})
    return orders.filter(~same)


def _correct(orders: QuerySet[Order], values: dict[str, Value], change: Change) -> int:
    # The query may ask for what is about to change, so it is asked once for each field, before anything else
    # happens; from then on the corrections say which orders are meant.
    if not sum(
        [_insert_corrections(differing(orders, field, value), field, value, change) for field, value in values.items()]
    ):
        return 0
    new = Correction.objects.filter(made_by=change)
    same_field = new.filter(order=OuterRef("order"), field=OuterRef("field"))
    Correction.objects.in_force().filter(Exists(same_field)).update(ended_by=change, ending=Correction.Ending.REPLACED)
    new.update(ended_by=None)
    corrected = new.filter(order=OuterRef("pk"))
    count = keep_versions(Order.objects.filter(Exists(corrected)), change)
    for field, value in values.items():
        Order.objects.filter(Exists(corrected.filter(field=field))).update(
            **{field: value, f"source_{field}": _source(field)},
            overlaid=F("overlaid").bitor(BIT[field]),
            change=change,
        )
    return count


def _source(field: str) -> Case:
    """What the source says, in SQL."""
    return Case(When(Exact(F("overlaid").bitand(BIT[field]), BIT[field]), then=F(f"source_{field}")), default=F(field))


def _insert_corrections(orders: QuerySet[Order], field: str, value: Value, change: Change) -> int:
    column = field_of(Correction, typed("value", field))
    selected = {
        "order_id": F("pk"),
        "field": Constant(field, CharField()),
        typed("value", field): Constant(value, column),
        typed("base", field): _source(field),
        "made_by_id": Constant(change.pk, IntegerField()),
        # Ended for the moment: the one that it replaces is still in force.
        "ended_by_id": Constant(change.pk, IntegerField()),
        "ending": Constant("", CharField()),
    }
    renamed = {f"new_{name}": expression for name, expression in selected.items()}
    select, params = orders.order_by().annotate(**renamed).values_list(*renamed).query.sql_with_params()
    quote = connection.ops.quote_name
    table, columns = quote(Correction._meta.db_table), ", ".join(map(quote, selected))
    with connection.cursor() as cursor:
        # The columns are the model's own; all values are parameters.
        cursor.execute(f"INSERT INTO {table} ({columns}) {select}", params)
        return int(cursor.rowcount)


def retire(corrections: QuerySet[Correction], *, actor: str, reason: str) -> int:
    """End corrections: their orders show again what the source says, or what a rule makes of it; their number."""
    with changing(Change.Kind.CORRECTION, actor, reason) as change:
        ended = corrections.filter(ended_by=None).update(ended_by=change, ending=Correction.Ending.RETIRED)
        uncover(change)
        return ended


def uncover(change: Change) -> None:
    """Let the orders whose corrections a change has ended show what is below them."""
    ended = Correction.objects.filter(order=OuterRef("pk"), ended_by=change)
    keep_versions(Order.objects.filter(Exists(ended)), change)
    for field in Correction.objects.filter(ended_by=change).order_by().values_list("field", flat=True).distinct():
        source = f"source_{field}"
        ruled = [(Q(**{source: old}), new) for old, new in meanings(field)]
        hit = Q(pk__in=())
        for condition, _ in ruled:
            hit |= condition
        kept = field_of(Order, field)
        Order.objects.filter(Exists(ended.filter(field=field))).update(
            **{
                field: Case(*(When(c, then=Constant(new, kept)) for c, new in ruled), default=F(source)),
                source: Case(When(hit, then=F(source)), default=None),
            },
            overlaid=Case(When(hit, then=F("overlaid")), default=F("overlaid").bitxor(BIT[field])),
            change=change,
        )


def keep(corrections: QuerySet[Correction], *, actor: str, reason: str) -> int:
    """Decide conflicts for the corrections: they stay until the source has yet another value; their number."""
    with changing(Change.Kind.CORRECTION, actor, reason) as change:
        waiting = list(corrections.in_conflict().select_related("order"))  # type: ignore[attr-defined]
        for correction in waiting:
            field = typed("base", correction.field)
            setattr(correction, field, correction.order.source_value(correction.field))
        CorrectionEvent.objects.bulk_create(
            CorrectionEvent(
                correction=c, change=change, kind=CorrectionEvent.Kind.KEPT, conflict_before_id=c.conflict_by_id
            )
            for c in waiting
        )
        for correction in waiting:
            correction.conflict_by = None
        bases = [f"base_{kind}" for kind in ("number", "code", "moment")]
        return Correction.objects.bulk_update(waiting, ["conflict_by", *bases], batch_size=500)
