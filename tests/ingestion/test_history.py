"""The catalogue as it stood, and the timeline of an order."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from catalog import rules
from catalog.corrections import correct, retire
from catalog.models import Change, Correction, Order, ValueRule
from catalog.timeline import timeline
from ingestion.undo import undo_run
from tests.loading import WriteFile, ingest, line

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("indexes_outlive_the_test")]

WHO: dict[str, Any] = {"actor": "ana", "reason": "seen on the invoice"}


def shop(moment: datetime | None = None) -> list[tuple[Any, ...]]:
    """What every order shows, now or at a moment."""
    orders = Order.objects.all() if moment is None else Order.objects.as_of(moment)
    return list(orders.order_by("key").values_list("order_id", "website", "voucher_status", "removed", "overlaid"))


def story(write: WriteFile) -> list[tuple[datetime, list[tuple[Any, ...]]]]:
    """A history of the catalogue: moments, and what it showed then."""
    seen = [(timezone.now(), shop())]

    def note() -> None:
        seen.append((timezone.now(), shop()))

    ingest(write(line(1), line(2, voucher_status="EXPRIED"), line(3)))
    note()
    correct(Order.objects.get(order_id=1), "website", "VVBE", **WHO)
    note()
    rules.switch_on(
        ValueRule.objects.create(field="voucher_status", old="EXPRIED", new="EXPIRED", reason="a typing error"),
        actor="ana",
    )
    note()
    ingest(write(line(1, website="VVFR"), line(2, voucher_status="USED"), line(4), name="second.csv"))
    note()
    ingest(write(line(1), line(2), name="third.csv"), "--full-snapshot", "--max-removals", "5")
    note()
    retire(Correction.objects.all(), **WHO)
    note()
    return seen


def test_as_of_each_moment(write: WriteFile) -> None:
    for moment, expected in story(write):
        assert shop(moment) == expected


def test_as_of_is_exact_to_the_microsecond(write: WriteFile) -> None:
    ingest(write(line(1)))
    change = correct(Order.objects.get(), "website", "VVBE", **WHO).made_by
    change.refresh_from_db()

    assert Order.objects.as_of(change.at).get().website == "VVBE"
    assert Order.objects.as_of(change.at - timedelta(microseconds=1)).get().website == "VVNL"
    assert not Order.objects.as_of(Change.objects.earliest("id").at - timedelta(microseconds=1)).exists()


def test_as_of_takes_every_filter(write: WriteFile) -> None:
    moment = story(write)[1][0]
    past = Order.objects.as_of(moment)

    assert past.count() == 3
    assert past.filter(website="VVNL").count() == 3
    assert past.filter(voucher_status="EXPRIED").get().order_id == 2
    assert [order.order_id for order in past.present().order_by("-order_date", "-key")[:2]] == [3, 2]
    assert past.named("services", "4").first() is None
    assert past.with_any_id(1002).get().order_id == 2
    assert past.exclude(order_id=2).filter(website__in=past.values("website")).count() == 2
    assert past.select_related("change__run").get(order_id=1).change.at <= moment


def test_the_past_cannot_be_written_to(write: WriteFile) -> None:
    ingest(write(line(1)))
    past = Order.objects.as_of(timezone.now())

    with pytest.raises(TypeError, match="past"):
        past.filter(order_id=1).update(website="VVBE")
    with pytest.raises(TypeError, match="past"):
        past.delete()


def test_timeline_of_an_order_that_went_and_came_back(write: WriteFile, client: Client, settings: Any) -> None:
    settings.API_ANONYMOUS_READ = True
    loaded = ingest(write(line(1))).report["run"]
    undone = undo_run(loaded, actor="ana")

    def history() -> list[tuple[str, bool, bool, int]]:
        entries = client.get("/api/v1/orders/services/1/history/").json()
        return [(entry["kind"], entry["first"], entry["gone"], entry["run"]) for entry in entries]

    assert history() == [("undo", False, True, undone.pk), ("load", True, False, loaded)]
    again = ingest(write(line(1, website="VVBE"), name="second.csv")).report["run"]
    assert history() == [("load", False, False, again), ("undo", False, True, undone.pk), ("load", True, False, loaded)]
    assert client.get("/api/v1/orders/services/2/history/").status_code == 404
    assert client.get("/api/v1/orders/services/x/history/").status_code == 404


def test_timeline_of_a_correction_that_came_back_and_went_again(write: WriteFile) -> None:
    ingest(write(line(1)))
    correct(Order.objects.get(), "website", "VVBE", **WHO)
    loaded = ingest(write(line(1, website="VVBE"), name="second.csv")).report["run"]
    undo_run(undo_run(loaded).pk)

    entries = timeline(Order.objects.get())

    assert [entry.events for entry in entries] == [
        ["correction of website: the source caught up"],
        ["correction of website: in force again, as a run was undone"],
        ["correction of website: the source caught up"],
        ["website corrected"],
        [],
    ]


def test_timeline(write: WriteFile) -> None:
    story(write)

    entries = timeline(Order.objects.get(order_id=1))

    assert [entry.change.kind for entry in entries] == ["correction", "load", "load", "correction", "load"]
    last, back, third, corrected, first = entries
    assert first.first
    assert (first.differences, first.events) == ([], [])
    [difference] = corrected.differences
    assert (difference.name, difference.before, difference.after) == ("website", "VVNL", "VVBE")
    assert (difference.below_before, difference.below_after) == ("VVNL", "VVNL")
    assert (corrected.change.actor, corrected.change.reason) == ("ana", "seen on the invoice")
    [difference] = third.differences
    assert (difference.before, difference.after, difference.below_after) == ("VVBE", "VVBE", "VVFR")
    assert third.events == ["correction of website: the source has a third value"]
    assert back.events == ["correction of website: the source is back at what it said"]
    assert last.events == ["correction of website retired by a person"]
    assert [entry.removed for entry in timeline(Order.objects.get(order_id=3))] == [True, None]
