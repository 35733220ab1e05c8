"""Taking runs back: exactly as before, corrections included; and never over what came later."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from catalog import rules
from catalog.changes import STATE, NotPossible
from catalog.corrections import correct, retire
from catalog.models import Change, Correction, Order, OrderVersion, ValueRule
from ingestion.models import Run
from ingestion.undo import undo_run
from tests.loading import WriteFile, ingest, line, lines

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("indexes_outlive_the_test")]

WHO: dict[str, Any] = {"actor": "ana", "reason": "seen on the invoice"}
SHOWN = [name for name in STATE if name != "change_id"]


def shop() -> list[tuple[Any, ...]]:
    """Every order's whole state, but for the change that made it."""
    return list(Order.objects.order_by("key").values_list(*SHOWN))


def corrections() -> list[tuple[Any, ...]]:
    """Which corrections are in force, with their conflicts."""
    in_force = Correction.objects.in_force().order_by("id")
    return [(c.pk, c.field, c.value, c.base, c.conflict_by_id) for c in in_force]


def order(number: int) -> Order:
    return Order.objects.get(order_id=number)


def figures(run: Run) -> dict[str, int]:
    names = ("updated", "removed", "inserted", "unchanged")
    return {name: getattr(run, name) for name in names if getattr(run, name)}


ODD = 22224396
"""The number of an order that the shop's export has in the year 2042."""


def test_the_story(write: WriteFile) -> None:
    """Two days, a rule, corrections that end in each way, the second day taken back; each state stays to be seen."""
    seen: list[tuple[datetime, list[tuple[Any, ...]]]] = []

    def look() -> None:
        seen.append((timezone.now(), shop()))

    odd = {"order_date": "2042-10-17 14:29:05.000"}
    ingest(write(line(ODD, **odd), *lines(1, 2, 3), line(4, voucher_status="EXPRIED"), line(5)))
    look()
    correct(order(ODD), "order_date", datetime(2018, 10, 17, 14, 29, 5, tzinfo=UTC), **WHO)
    look()
    for number in (1, 2):
        correct(order(number), "website", "VVBE", **WHO)
    look()
    rule, _ = ValueRule.objects.get_or_create(
        field="voucher_status", old="EXPRIED", new="EXPIRED", defaults={"reason": "a typing error"}
    )
    rules.switch_on(rule, actor="ana")
    look()
    before, in_force = shop(), corrections()

    day2 = write(
        line(ODD, **odd),
        line(1, website="VVBE"),
        line(2, website="VVFR"),
        line(3, order_status="CANCELED"),
        line(4, voucher_status="EXPRIED"),
        line(6, voucher_status="EXPRIED"),
        name="day2.csv",
    )
    loaded = ingest(day2, "--full-snapshot", "--max-removals", "1").report
    look()
    assert (loaded["caught_up"], loaded["conflicts"], loaded["removed"]) == (1, 1, 1)
    kept = [(c.order.order_id, c.ending, c.conflict_by_id is not None) for c in Correction.objects.order_by("id")]
    assert kept == [(ODD, "", False), (1, "caught_up", False), (2, "", True)]
    assert (order(ODD).order_date.year, order(ODD).source_value("order_date").year) == (2018, 2042)  # type: ignore[union-attr]
    after, after_corrections = shop(), corrections()

    undone = undo_run(loaded["run"])
    look()

    assert figures(undone) == {"updated": 4, "removed": 1}
    assert (shop(), corrections()) == (before, in_force)
    assert (Run.objects.get(pk=loaded["run"]).status, undone.change and undone.change.kind) == ("undone", "undo")
    again = undo_run(undone.pk)
    look()
    assert figures(again) == {"updated": 4, "inserted": 1}
    assert shop() == after
    assert [c[:4] for c in corrections()] == [c[:4] for c in after_corrections]
    assert [c[4] is None for c in corrections()] == [c[4] is None for c in after_corrections]
    assert Run.objects.get(pk=loaded["run"]).status == "loaded"
    for moment, state in seen:
        assert list(Order.objects.as_of(moment).order_by("key").values_list(*SHOWN)) == state


def test_undo_of_a_first_load(write: WriteFile) -> None:
    path = write(*lines(1, 2))
    loaded = ingest(path).report

    assert figures(undo_run(loaded["run"])) == {"removed": 2}

    assert not Order.objects.exists()
    assert OrderVersion.objects.count() == 2
    assert ingest(path).figures() == {"read": 2, "inserted": 2}


def test_undone_content_is_no_longer_in_the_ledger(write: WriteFile) -> None:
    ingest(write(*lines(1, 2)))
    path = write(line(1, website="VVBE"), name="second.csv")
    undo_run(ingest(path).report["run"])

    assert ingest(path).figures() == {"read": 1, "updated": 1}


def test_what_came_later_stops_the_undo(write: WriteFile) -> None:
    ingest(write(*lines(1, 2, 3)))
    second = ingest(write(*lines(1, 2, 3, website="VVBE"), name="second.csv")).report["run"]
    ingest(write(line(1, website="VVFR"), name="third.csv"))
    correct(order(2), "order_status", "CANCELED", **WHO)
    before, changes = shop(), Change.objects.count()

    with pytest.raises(NotPossible, match=r"services/1, services/2\..*--keep-touched") as refused:
        undo_run(second)

    assert refused.value.code == "touched_since"
    assert (shop(), Change.objects.count()) == (before, changes)
    undone = undo_run(second, keep_touched=True)
    assert figures(undone) == {"updated": 1, "unchanged": 2}
    assert [order(n).website for n in (1, 2, 3)] == ["VVFR", "VVBE", "VVNL"]


def test_nothing_left_to_undo(write: WriteFile) -> None:
    """The run stays as it is, so that it can be undone once what came later has been."""
    ingest(write(line(1)))
    second = ingest(write(line(1, website="VVBE"), name="second.csv")).report["run"]
    third = ingest(write(line(1, website="VVFR"), name="third.csv")).report["run"]

    with pytest.raises(NotPossible, match="every order") as refused:
        undo_run(second, keep_touched=True)

    assert refused.value.code == "nothing_left"
    assert Run.objects.get(pk=second).status == "loaded"
    undo_run(third)
    assert order(1).website == "VVBE"


def test_undo_heeds_rules_and_corrections_that_are_newer(write: WriteFile) -> None:
    ingest(write(line(1, voucher_status="EXPRIED"), line(2)))
    second = ingest(write(line(1, voucher_status="USED"), line(2), name="second.csv")).report["run"]
    rule = ValueRule.objects.create(field="voucher_status", old="EXPRIED", new="EXPIRED", reason="a typing error")
    rules.switch_on(rule, actor="ana")

    undo_run(second)

    assert (order(1).voucher_status, order(1).source_values) == ("EXPIRED", {"voucher_status": "EXPRIED"})
    rules.switch_off(rule, actor="ana", reason="a test")
    assert order(1).voucher_status == "EXPRIED"


def test_correction_kept_since_counts_as_touched(write: WriteFile) -> None:
    ingest(write(line(1)))
    correct(order(1), "website", "VVBE", **WHO)
    second = ingest(write(line(1, website="VVFR"), name="second.csv")).report["run"]
    retire(Correction.objects.all(), **WHO)

    with pytest.raises(NotPossible, match="touched"):
        undo_run(second)


def test_dry_run_shows_the_figures_and_leaves_no_trace(write: WriteFile) -> None:
    ingest(write(*lines(1, 2)))
    second = ingest(write(line(1, website="VVBE"), line(3), name="second.csv")).report["run"]
    before, runs = shop(), Run.objects.count()

    dry = undo_run(second, dry_run=True)

    assert (shop(), Run.objects.count()) == (before, runs)
    assert not dry.pk
    assert figures(dry) == figures(undo_run(second)) == {"updated": 1, "removed": 1}


def test_the_command(write: WriteFile, capsys: pytest.CaptureFixture[str]) -> None:
    loaded = ingest(write(*lines(1, 2))).report["run"]
    later = ingest(write(*lines(1, 2, 3), name="later.csv")).report["run"]

    for options in (["--dry-run"], []):
        call_command("undo_run", str(loaded), *options)
        told = capsys.readouterr().out
        assert "2 orders that it had brought are gone" in told
        assert f"1 later load in force (run {later}) found orders unchanged, " in told
    with pytest.raises(CommandError, match=f"Run {loaded} is undone: there is nothing to undo"):
        call_command("undo_run", str(loaded))
    with pytest.raises(CommandError, match="There is no run 99"):
        call_command("undo_run", "99")


def test_loads_are_taken_back_one_after_the_other(write: WriteFile) -> None:
    """What later loads have changed and undos have put back is as the first load has made it."""
    runs = [ingest(write(line(1), line(2), name="first.csv")).report["run"]]
    before = shop()
    for website in ("VVBE", "VVFR", "VVDE"):
        runs.append(ingest(write(line(1, website=website), name=f"{len(runs)}.csv")).report["run"])
        if website == "VVFR":
            undo_run(runs.pop())

    undo_run(runs.pop())
    with pytest.raises(NotPossible, match=r"touched 1 order of run \d+ since, such as services/1\."):
        undo_run(runs[0])
    undo_run(runs.pop())

    assert shop() == before
    assert figures(undo_run(runs.pop())) == {"removed": 2}
    assert not Order.objects.exists()


def test_order_that_came_back_and_went_again_is_as_it_was_left(write: WriteFile) -> None:
    ingest(write(line(1)))
    second = ingest(write(line(2), name="second.csv")).report["run"]
    first_undo = undo_run(second).pk
    undo_run(undo_run(first_undo).pk)
    undo_run(ingest(write(line(2, website="VVBE"), name="third.csv")).report["run"])
    assert Run.objects.get(pk=first_undo).status == "loaded"

    assert figures(undo_run(first_undo)) == {"inserted": 1}
    assert order(2).website == "VVNL"


def test_what_corrections_had_a_part_in_stays_touched(write: WriteFile) -> None:
    ingest(write(line(1)))
    correct(order(1), "website", "VVBE", **WHO)
    second = ingest(write(line(1, order_status="CANCELED"), name="second.csv")).report["run"]
    third = ingest(write(line(1, order_status="CANCELED", website="VVBE"), name="third.csv")).report
    assert third["caught_up"] == 1
    undo_run(third["run"])

    with pytest.raises(NotPossible, match="touched"):
        undo_run(second)


def test_status_of_each_run_of_a_chain_of_undos(write: WriteFile) -> None:
    path = write(*lines(1, 2))
    runs = [ingest(path).report["run"]]
    for _ in range(3):
        runs.append(undo_run(runs[-1]).pk)

    assert [Run.objects.get(pk=n).status for n in runs] == ["undone", "loaded", "undone", "loaded"]
    assert not Order.objects.exists()
    assert ingest(path).figures() == {"read": 2, "inserted": 2}
