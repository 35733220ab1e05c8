"""Changing the catalogue: one transaction, one cause, one moment, and nobody else at the same time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction
from django.db.models import BigIntegerField, F, QuerySet, Value
from django.utils import timezone

from catalog import quality, tallies
from catalog.models import CatalogueLock, Change, Order, OrderVersion

STATE = tuple(field.attname for field in Order._meta.concrete_fields)
"""All columns of an order: its whole state and the change that made it."""


class NotPossible(Exception):
    """A change that cannot be made as things stand; the message says why and what to do. `code` is for programs."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@contextmanager
def changing(kind: Change.Kind, actor: str, reason: str = "", *, seen: int | None = None) -> Iterator[Change]:
    """A transaction that changes the catalogue; what is written inside names the change.

    Changes follow one another: their numbers and their moments are in the same order as their commits. `seen` is the
    latest change of which the person knew: raises `NotPossible` when another has come since.
    """
    with transaction.atomic():
        lock_catalogue()
        if seen is not None:
            refuse_unseen(seen)
        change = Change.objects.create(kind=kind, at=timezone.now(), actor=actor, reason=reason)
        yield change
        close_change(change)


def latest_change() -> int:
    """The number of the latest change; 0 before the first."""
    return Change.objects.order_by("-id").values_list("id", flat=True).first() or 0


def refuse_unseen(seen: int) -> None:
    """Only with the catalogue locked is it sure that nothing comes between."""
    latest = Change.objects.order_by("-id").first()
    if latest is not None and latest.pk != seen:
        raise NotPossible(
            "changed_meanwhile",
            f"The catalogue was changed meanwhile by {latest.actor} ({latest.get_kind_display()}); look again at what "
            "would be changed.",
        )


def lock_catalogue() -> None:
    """Wait until nobody else changes the catalogue, and keep others waiting until the transaction ends."""
    CatalogueLock.objects.bulk_create([CatalogueLock(pk=1)], ignore_conflicts=True)
    # A write, and the first statement that counts, so that SQLite locks as well.
    CatalogueLock.objects.filter(pk=1).update(id=1)


def close_change(change: Change) -> None:
    """Set the moment from which a change is in force: now, when all else of it is written; and count what it did."""
    tallies.add(change)
    change.at = timezone.now()
    change.save(update_fields=["at"])
    # This depends on the moment.
    quality.count(change)


def keep_versions(orders: QuerySet[Order], change: Change) -> int:
    """Put the state of orders into the history, as ended by a change that is about to replace it; their number."""
    ended = orders.order_by().annotate(ended=Value(change.pk, BigIntegerField())).values_list(*STATE, F("ended"))
    select, params = ended.query.sql_with_params()
    quote = connection.ops.quote_name
    columns = ", ".join(map(quote, (*STATE, "ended_by_id")))
    with connection.cursor() as cursor:
        # The columns are the models' own; all values are parameters.
        cursor.execute(f"INSERT INTO {quote(OrderVersion._meta.db_table)} ({columns}) {select}", params)
        return int(cursor.rowcount)
