"""Records for tests, each whole and valid unless told otherwise. Functions; the database is the real one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth.models import Permission, User
from django.utils import timezone

from catalog import tallies
from catalog.changes import changing, keep_versions
from catalog.corrections import correct
from catalog.keys import order_key
from catalog.models import Change, Correction, KnownValue, Order, OrderVersion, Source
from ingestion.models import RejectedRow, RejectReason, Run, reject_id

START = datetime(2018, 1, 1, tzinfo=UTC)


def make_source(code: str = "services") -> Source:
    """The source with this code; a new one gets the next number."""
    return Source.objects.get_or_create(code=code, defaults={"number": Source.objects.count() + 1})[0]


def make_change(**values: Any) -> Change:
    """A load, now."""
    return Change.objects.create(**{"kind": Change.Kind.LOAD, "at": timezone.now(), "actor": "nightly"} | values)


def make_run(**values: Any) -> Run:
    """A run that has loaded nothing; of its own change unless told otherwise."""
    defaults = {
        "status": Run.Status.LOADED,
        "file": "/exports/orders.csv",
        "started_at": timezone.now(),
        "actor": "nightly",
        "host": "loader-1",
        "process": 4711,
    }
    return Run.objects.create(**defaults | {"change": values.pop("change", None) or make_change()} | values)


def order_values(number: int, source: Source, change: Change, **values: Any) -> dict[str, Any]:
    """The fields of an order, different for different numbers where that is the rule in real files."""
    return {
        "key": order_key(source.number, number),
        "order_id": number,
        "source": source.code,
        "customer_id": 1_000 + number,
        "payment_id": 2_000_000 + number,
        "voucher_id": 3_000_000 + number,
        "product_id": 500 + number % 7,
        "website": "VVNL",
        "order_status": "PAID",
        "voucher_status": "USED",
        "payment_status": "PAID",
        "order_date": START + timedelta(hours=number),
        "payment_date": START + timedelta(hours=number, minutes=9),
        "line": number + 1,
        "change": change,
    } | values


def make_order(number: int = 1, *, source: str = "services", change: Change | None = None, **values: Any) -> Order:
    """One order."""
    made = change or Change.objects.first() or make_run().change
    assert made is not None
    order = Order.objects.create(**order_values(number, make_source(source), made, **values))
    tallies.rebuild()
    return order


def make_orders(count: int, **values: Any) -> list[Order]:
    """Orders numbered from 1, one an hour."""
    change = Change.objects.first() or make_run().change
    assert change is not None
    source = make_source()
    made = (Order(**order_values(n, source, change, **values)) for n in range(1, count + 1))
    orders = Order.objects.bulk_create(made)
    tallies.rebuild()
    return orders


def make_version(order: Order, *, change: Change, ended_by: Change, **values: Any) -> OrderVersion:
    """What an order was before, in force from `change` until `ended_by`."""
    state = order_values(order.order_id, make_source(order.source), change, **values)
    return OrderVersion.objects.create(**state | {"ended_by": ended_by})


def make_conflict(order: Order, field: str, value: Any, source: Any, *, actor: str = "ana") -> Correction:
    """A correction of an order, to `value`, whose source says `source` since, as a run has brought it."""
    correction = correct(Order.objects.get(pk=order.pk), field, value, actor=actor, reason="seen on the invoice")
    make_third_value(correction, source)
    correction.refresh_from_db()
    return correction


def make_third_value(correction: Correction, source: Any) -> None:
    """What a load does to a correction when the source has another value."""
    with changing(Change.Kind.LOAD, "nightly") as change:
        orders = Order.objects.filter(pk=correction.order_id)
        keep_versions(orders, change)
        orders.update(**{f"source_{correction.field}": source}, change=change)
        Correction.objects.filter(pk=correction.pk).update(conflict_by=change)
        correction.events.create(change=change, kind="conflict", conflict_before_id=correction.conflict_by_id)
        make_run(change=change, conflicts=1)


def make_known_value(field: str, value: str) -> KnownValue:
    """A code that some load has brought."""
    return KnownValue.objects.create(field=field, value=value, change=Change.objects.first() or make_change())


def make_reject(run: Run, line: int, *reasons: tuple[str, str], raw: str = "1,services,x") -> RejectedRow:
    """A rejected row; `reasons` are pairs of code and column."""
    row = RejectedRow.objects.create(id=reject_id(run.pk, line), run=run, line=line, raw=raw)
    RejectReason.objects.bulk_create(
        RejectReason(reject=row, code=code, column=column, value="x", message=f"{column} is wrong")
        for code, column in reasons
    )
    return row


def make_user(name: str = "ana", *, staff: bool = False, permissions: tuple[str, ...] = ()) -> User:
    """A user with the permissions named, like `view_order`."""
    user = User.objects.create_user(name, password=None, is_staff=staff)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return user
