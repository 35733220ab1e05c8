"""Corrections and value rules over what loads bring: the three-way rule, conflicts, and exact ways back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from catalog import corrections, rules
from catalog.changes import STATE, NotPossible, latest_change
from catalog.corrections import correct, correct_again, correct_fields, correct_many, keep, retire
from catalog.models import Change, Correction, CorrectionEvent, Order, OrderVersion, ValueRule
from tests.loading import WriteFile, ingest, line, lines

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("indexes_outlive_the_test")]

WHO: dict[str, Any] = {"actor": "ana", "reason": "seen on the invoice"}


def order(number: int = 1) -> Order:
    return Order.objects.get(order_id=number)


def states() -> list[tuple[Any, ...]]:
    """Every order's state, but for the change that made it."""
    names = [name for name in STATE if name not in ("change_id", "line")]
    return list(Order.objects.order_by("key").values_list(*names))


def rule(**values: Any) -> ValueRule:
    defaults = {"field": "voucher_status", "old": "EXPRIED", "new": "EXPIRED", "reason": "a typing error of the shop"}
    return ValueRule.objects.create(**defaults | values)


def test_correction_keeps_the_sources_value_beside_it(write: WriteFile) -> None:
    ingest(write(*lines(1, 2)))
    before = order()

    correction = correct(before, "website", "VVBE", **WHO)

    after = order()
    assert (after.website, after.source_values, after.source_value("website")) == ("VVBE", {"website": "VVNL"}, "VVNL")
    assert (correction.value, correction.base, correction.ended_by) == ("VVBE", "VVNL", None)
    assert after.change == correction.made_by
    assert (after.change.kind, after.change.actor, after.change.reason) == ("correction", "ana", "seen on the invoice")
    version = OrderVersion.objects.get()
    assert (version.website, version.change_id, version.ended_by) == ("VVNL", before.change_id, after.change)
    assert order(2).source_values == {}


def test_several_fields_of_an_order_in_one_change(write: WriteFile) -> None:
    ingest(write(line(1)))
    before = states()

    made = correct_fields(order(), {"website": "VVBE", "customer_id": 7, "order_status": "PAID"}, **WHO)

    assert [(c.field, c.value, c.base) for c in made] == [("website", "VVBE", "VVNL"), ("customer_id", 7, 1001)]
    assert order().source_values == {"website": "VVNL", "customer_id": 1001}
    assert OrderVersion.objects.count() == 1
    correct_fields(order(), {"website": "VVFR", "payment_id": None}, **WHO)
    assert [c.field for c in Correction.objects.in_force().order_by("id")] == ["customer_id", "website", "payment_id"]
    assert retire(Correction.objects.all(), **WHO) == 3
    assert states() == before


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("customer_id", 7),
        ("payment_id", None),
        ("voucher_status", None),
        ("order_date", datetime(2018, 2, 3, 4, 5, 6, 7, tzinfo=UTC)),
        ("payment_date", None),
    ],
)
def test_correction_of_each_kind_and_back(write: WriteFile, field: str, value: Any) -> None:
    ingest(write(line(1)))
    before = states()

    correct(order(), field, value, **WHO)
    assert getattr(order(), field) == value

    assert retire(Correction.objects.all(), **WHO) == 1
    assert states() == before
    assert OrderVersion.objects.count() == 2


def test_correction_survives_loads_that_say_the_same(write: WriteFile) -> None:
    ingest(write(line(1)))
    correct(order(), "website", "VVBE", **WHO)

    loaded = ingest(write(line(1, order_status="CANCELED"), name="second.csv"))

    assert loaded.figures() == {"read": 1, "updated": 1}
    assert (order().website, order().order_status) == ("VVBE", "CANCELED")
    assert Correction.objects.in_force().count() == 1
    assert (loaded.report["conflicts"], loaded.report["caught_up"]) == (0, 0)
    assert ingest(write(line(1, order_status="CANCELED"), name="second.csv"), "--force").figures() == {
        "read": 1,
        "unchanged": 1,
    }


def test_source_catches_up(write: WriteFile) -> None:
    ingest(write(line(1)))
    correct(order(), "website", "VVBE", **WHO)

    loaded = ingest(write(line(1, website="VVBE"), name="second.csv"))

    assert (loaded.report["caught_up"], loaded.report["updated"]) == (1, 1)
    correction = Correction.objects.get()
    assert (correction.ending, correction.ended_by) == ("caught_up", Change.objects.get(run=loaded.report["run"]))
    assert (order().website, order().overlaid, order().source_values) == ("VVBE", 0, {})
    assert ingest(write(line(1, website="VVFR"), name="third.csv")).report["conflicts"] == 0
    assert order().website == "VVFR"


def test_third_value_is_a_conflict(write: WriteFile) -> None:
    ingest(write(line(1)))
    correct(order(), "website", "VVBE", **WHO)

    loaded = ingest(write(line(1, website="VVFR"), name="second.csv"))

    assert (loaded.report["conflicts"], loaded.report["updated"]) == (1, 1)
    assert (order().website, order().source_values) == ("VVBE", {"website": "VVFR"})
    [waiting] = Correction.objects.all().in_conflict()
    assert waiting.conflict_by == Change.objects.get(run=loaded.report["run"])
    assert waiting.base == "VVNL"


def conflicting(write: WriteFile) -> None:
    ingest(write(line(1)))
    correct(order(), "website", "VVBE", **WHO)
    ingest(write(line(1, website="VVFR"), name="second.csv"))


def test_conflict_is_over_when_the_source_is_back(write: WriteFile) -> None:
    conflicting(write)

    loaded = ingest(write(line(1), name="third.csv"), "--force")

    assert loaded.report["conflicts"] == 0
    assert not Correction.objects.all().in_conflict().exists()
    assert (order().website, order().source_values) == ("VVBE", {"website": "VVNL"})
    assert list(CorrectionEvent.objects.order_by("pk").values_list("kind", flat=True)) == ["conflict", "settled"]


def test_conflicts_of_several_columns_are_kept_at_once(write: WriteFile) -> None:
    ingest(write(*lines(1, 2)))
    for field, value in (("website", "VVBE"), ("payment_id", None), ("payment_date", None)):
        correct_many(Order.objects.all(), field, value, **WHO)
    ingest(write(*lines(1, 2, website="VVFR", payment_id="7", payment_date="2019-01-01 00:00:00"), name="second.csv"))

    assert keep(Correction.objects.filter(order__order_id=1), **WHO) == 3

    bases = {c.field: c.base for c in Correction.objects.filter(order__order_id=1)}
    assert bases == {"website": "VVFR", "payment_id": 7, "payment_date": datetime(2019, 1, 1, tzinfo=UTC)}
    assert Correction.objects.all().in_conflict().count() == 3
    assert CorrectionEvent.objects.filter(kind="kept", conflict_before__kind="load").count() == 3
    with pytest.raises(NotPossible, match="decided meanwhile"):
        keep(Correction.objects.filter(order__order_id=1), **WHO)


def test_third_value_written_in_a_conflict(write: WriteFile) -> None:
    conflicting(write)

    assert correct_again(Correction.objects.all(), "VVDE", **WHO) == 1

    old, new = Correction.objects.order_by("id")
    assert (old.ending, new.value, new.base, new.conflict_by) == ("replaced", "VVDE", "VVFR", None)
    assert (order().website, order().source_values) == ("VVDE", {"website": "VVFR"})
    assert ingest(write(line(1, website="VVDE"), name="third.csv")).report["caught_up"] == 1


def test_who_has_not_seen_the_latest_change_changes_nothing_in_bulk(write: WriteFile) -> None:
    ingest(write(*lines(1, 2)))
    seen = latest_change()
    correct(order(), "website", "VVBE", **WHO)
    before = latest_change()

    with pytest.raises(NotPossible, match="changed meanwhile by ana"):
        correct_many(Order.objects.all(), "website", "VVFR", **WHO, seen=seen)
    with pytest.raises(NotPossible, match="changed meanwhile by ana"):
        retire(Correction.objects.all(), **WHO, seen=seen)

    assert latest_change() == before
    assert correct_many(Order.objects.all(), "website", "VVFR", **WHO, seen=before) == 2


def test_conflict_kept_is_silent_until_yet_another_value(write: WriteFile) -> None:
    conflicting(write)

    assert keep(Correction.objects.all(), **WHO) == 1

    assert Correction.objects.get().base == "VVFR"
    assert ingest(write(line(1, website="VVFR"), name="second.csv"), "--force").report["conflicts"] == 0
    assert ingest(write(line(1, website="VVXX"), name="third.csv")).report["conflicts"] == 1


def test_conflict_decided_for_the_source(write: WriteFile) -> None:
    conflicting(write)

    retire(Correction.objects.all(), **WHO)

    assert (order().website, order().source_values) == ("VVFR", {})
    assert not Correction.objects.all().in_conflict().exists()


def test_conflict_decided_by_a_third_value(write: WriteFile) -> None:
    conflicting(write)

    made = correct(order(), "website", "VVDE", **WHO)

    assert (order().website, order().source_values, made.base) == ("VVDE", {"website": "VVFR"}, "VVFR")
    assert Correction.objects.exclude(pk=made.pk).get().ending == "replaced"
    assert not Correction.objects.all().in_conflict().exists()


def test_second_person_is_told(write: WriteFile) -> None:
    ingest(write(line(1)))
    seen_by_both = order()
    correct(seen_by_both, "website", "VVBE", **WHO)

    with pytest.raises(NotPossible, match="changed meanwhile") as told:
        correct(seen_by_both, "order_status", "CANCELED", **WHO)

    assert told.value.code == "changed_meanwhile"
    assert (order().website, order().order_status) == ("VVBE", "PAID")
    assert Change.objects.count() == 2


def test_correction_without_a_difference_is_refused(write: WriteFile) -> None:
    ingest(write(line(1)))

    with pytest.raises(NotPossible, match="already"):
        correct(order(), "website", "VVNL", **WHO)

    assert not Correction.objects.exists()
    assert Change.objects.count() == 1


def test_many_at_once(write: WriteFile) -> None:
    ingest(write(*lines(1, 2, 3), line(4, website="VVBE")))
    correct(order(2), "website", "VVFR", **WHO)

    corrected = correct_many(Order.objects.filter(website__startswith="VV"), "website", "VVBE", **WHO)

    assert corrected == 3
    assert set(Order.objects.values_list("website", flat=True)) == {"VVBE"}
    assert [order(n).source_values for n in (1, 2, 4)] == [{"website": "VVNL"}, {"website": "VVNL"}, {}]
    assert Correction.objects.in_force().count() == 3
    retire(Correction.objects.in_force(), **WHO)
    assert [order(n).website for n in (1, 2, 3, 4)] == ["VVNL", "VVNL", "VVNL", "VVBE"]


def test_rule_and_back(write: WriteFile) -> None:
    ingest(write(line(1, voucher_status="EXPRIED"), line(2, voucher_status="EXPIRED"), line(3)))
    before = states()
    made = rule()
    assert list(rules.touched(made)) == [order(1)]

    assert rules.switch_on(made, actor="ana") == 1

    assert [order(n).voucher_status for n in (1, 2, 3)] == ["EXPIRED", "EXPIRED", "USED"]
    assert order(1).source_values == {"voucher_status": "EXPRIED"}
    assert order(1).change.kind == "rule"
    assert rules.switch_off(made, actor="ana", reason="a test") == 1
    assert states() == before
    assert OrderVersion.objects.count() == 2


@pytest.mark.parametrize("catalogue_is_empty", [True, False])
def test_rule_is_applied_by_loads(write: WriteFile, *, catalogue_is_empty: bool) -> None:
    if not catalogue_is_empty:
        ingest(write(line(9)))
    made = rule()
    rules.switch_on(made, actor="ana")
    path = write(line(1, voucher_status="EXPRIED"), line(2), name="second.csv")

    assert ingest(path).figures() == {"read": 2, "inserted": 2}

    assert (order().voucher_status, order().source_values) == ("EXPIRED", {"voucher_status": "EXPRIED"})
    assert ingest(path, "--force").figures() == {"read": 2, "unchanged": 2}
    rules.switch_off(made, actor="ana", reason="a test")
    assert (order().voucher_status, order().source_values) == ("EXPRIED", {})


def test_correction_wins_over_a_rule_both_ways(write: WriteFile) -> None:
    ingest(write(line(1, voucher_status="EXPRIED"), line(2, voucher_status="EXPRIED")))
    correct(order(1), "voucher_status", "USED", **WHO)
    made = rule()
    rules.switch_on(made, actor="ana")
    correct(order(2), "voucher_status", "USED", **WHO)

    ingest(write(line(1, voucher_status="EXPRIED"), line(2, voucher_status="EXPRIED"), line(3), name="second.csv"))
    assert [order(n).voucher_status for n in (1, 2)] == ["USED", "USED"]
    assert order(2).source_values == {"voucher_status": "EXPRIED"}

    retire(Correction.objects.in_force(), **WHO)
    assert [order(n).voucher_status for n in (1, 2)] == ["EXPIRED", "EXPIRED"]
    assert [order(n).source_values for n in (1, 2)] == [{"voucher_status": "EXPRIED"}] * 2
    rules.switch_off(made, actor="ana", reason="a test")
    assert [order(n).voucher_status for n in (1, 2)] == ["EXPRIED", "EXPRIED"]


def test_rule_off_leaves_corrections(write: WriteFile) -> None:
    ingest(write(line(1, voucher_status="EXPRIED")))
    made = rule()
    rules.switch_on(made, actor="ana")
    correct(order(), "voucher_status", "USED", **WHO)

    assert rules.switch_off(made, actor="ana", reason="a test") == 0

    assert order().voucher_status == "USED"
    retire(Correction.objects.in_force(), **WHO)
    assert (order().voucher_status, order().source_values) == ("EXPRIED", {})


def test_rules_never_follow_one_another(write: WriteFile) -> None:
    ingest(write(line(1, voucher_status="EXPRIED"), line(2, voucher_status="EXPIRED")))
    rules.switch_on(rule(), actor="ana")
    rules.switch_on(rule(old="EXPIRED", new="USED"), actor="ana")
    expected = [(1, "EXPIRED"), (2, "USED")]
    assert list(Order.objects.order_by("key").values_list("order_id", "voucher_status")) == expected

    ingest(write(line(3, voucher_status="EXPRIED"), line(4, voucher_status="EXPIRED"), name="second.csv"))

    assert [order(n).voucher_status for n in (3, 4)] == ["EXPIRED", "USED"]


def test_dry_run_leaves_corrections_alone(write: WriteFile) -> None:
    ingest(write(line(1), line(2)))
    correct(order(1), "website", "VVBE", **WHO)
    correct(order(2), "website", "VVBE", **WHO)
    before = list(Correction.objects.order_by("pk").values())
    path = write(line(1, website="VVBE"), line(2, website="VVFR"), name="second.csv")

    dry = ingest(path, "--dry-run")

    assert (dry.report["caught_up"], dry.report["conflicts"]) == (1, 1)
    assert list(Correction.objects.order_by("pk").values()) == before
    assert not CorrectionEvent.objects.exists()


def test_changes_are_in_the_order_of_their_moments(write: WriteFile) -> None:
    ingest(write(line(1)))
    correct(order(), "website", "VVBE", **WHO)
    rules.switch_on(rule(), actor="ana")
    ingest(write(line(1, website="VVFR"), name="second.csv"))
    corrections.retire(Correction.objects.all(), **WHO)

    moments = list(Change.objects.order_by("id").values_list("at", flat=True))
    assert moments == sorted(moments)
    assert len(set(moments)) == 5
