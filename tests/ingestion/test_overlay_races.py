"""Corrections and rules that meet a load under way: nothing is lost, and nothing overwritten unseen."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from catalog import rules
from catalog.changes import NotPossible
from catalog.corrections import correct
from catalog.models import Change, Correction, Order, ValueRule
from tests.conftest import RunManage
from tests.loading import export, line
from tests.processes import STAGED, WRITTEN, Start, assert_complete, end, load

WHO: dict[str, Any] = {"actor": "ana", "reason": "seen on the invoice"}


@pytest.fixture
def day1(tmp_path: Path) -> Path:
    """Three orders."""
    path = tmp_path / "day1.csv"
    path.write_bytes(export(line(1), line(2), line(3, voucher_status="EXPRIED")))
    return path


@pytest.fixture
def day2(tmp_path: Path) -> Path:
    """The first two have moved on, and a fourth is new."""
    path = tmp_path / "day2.csv"
    lines = (line(1, website="VVFR"), line(2, website="VVBE"), line(3, voucher_status="EXPRIED"), line(4))
    path.write_bytes(export(*lines))
    return path


def order(number: int) -> Order:
    return Order.objects.get(order_id=number)


def meanwhile(work: Callable[[], Any]) -> Future[Any]:
    """Work on a connection of its own, in a thread that begins at once."""
    begun = threading.Event()

    def run() -> Any:
        begun.set()
        try:
            return work()
        finally:
            connection.close()

    with_one = ThreadPoolExecutor(1)
    future = with_one.submit(run)
    with_one.shutdown(wait=False)
    assert begun.wait(10)
    return future


def test_correction_before_the_load_has_read_corrections(
    start: Start, run_manage: RunManage, day1: Path, day2: Path
) -> None:
    """It does not wait, and the load heeds it: a third value is a conflict, the same value lets it retire."""
    load(run_manage, day1)
    loading = start(day2, hold=STAGED)

    correct(order(1), "website", "VVBE", **WHO)
    correct(order(2), "website", "VVBE", **WHO)
    correct(order(3), "website", "VVBE", **WHO)

    code, report, _ = end(loading)
    assert (code, report["conflicts"], report["caught_up"]) == (0, 1, 1)
    assert [order(n).website for n in (1, 2, 3, 4)] == ["VVBE", "VVBE", "VVBE", "VVNL"]
    assert [order(n).source_values.get("website") for n in (1, 2, 3)] == ["VVFR", None, "VVNL"]
    assert_complete()


def test_correction_while_the_load_writes(start: Start, run_manage: RunManage, day1: Path, day2: Path) -> None:
    """It waits; then it is applied where the load has changed nothing, and refused where it has."""
    load(run_manage, day1)
    seen = {number: order(number) for number in (1, 3)}
    loading = start(day2, hold=WRITTEN)
    changed, untouched = (meanwhile(partial(correct, seen[n], "website", "VVDE", **WHO)) for n in (1, 3))
    assert not changed.done()

    code, report, _ = end(loading)

    assert (code, report["updated"]) == (0, 2)
    with pytest.raises(NotPossible, match="changed meanwhile"):
        changed.result(30)
    assert untouched.result(30).base == "VVNL"
    assert (order(1).website, order(3).website) == ("VVFR", "VVDE")
    assert Correction.objects.count() == 1


@pytest.mark.parametrize("place", [STAGED, WRITTEN], ids=["staged", "written"])
def test_rule_switched_while_a_load_runs(
    start: Start, run_manage: RunManage, day1: Path, day2: Path, place: tuple[str, str, str]
) -> None:
    """Whenever it is switched, in the end it holds for every order."""
    load(run_manage, day1)
    rule = ValueRule.objects.create(field="website", old="VVNL", new="VVDE", reason="renamed")
    loading = start(day2, hold=place)
    switching = meanwhile(lambda: rules.switch_on(rule, actor="ana"))
    if place == STAGED:
        switching.result(30)

    assert end(loading)[0] == 0

    switching.result(30)
    shown = [(n, order(n).website, order(n).source_values) for n in (1, 2, 3, 4)]
    ruled = ("VVDE", {"website": "VVNL"})
    assert shown == [(1, "VVFR", {}), (2, "VVBE", {}), (3, *ruled), (4, *ruled)]
    moments = list(Change.objects.order_by("id").values_list("at", flat=True))
    assert moments == sorted(moments)


def test_two_people_at_one_order(run_manage: RunManage, day1: Path) -> None:
    """One of them is told, whatever both do at the same moment."""
    load(run_manage, day1)
    seen = order(1)
    both = [meanwhile(partial(correct, seen, "website", value, **WHO)) for value in ("VVBE", "VVFR")]

    outcomes = [future.exception(30) for future in both]

    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["NoneType", "NotPossible"]
    assert Correction.objects.count() == 1
    assert order(1).website == Correction.objects.get().value
