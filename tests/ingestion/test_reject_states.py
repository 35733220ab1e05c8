"""What becomes of rejected rows when loads and repairs are undone, and these undone again, in any order."""

from __future__ import annotations

import pytest

from ingestion.models import RejectedRow, Run
from ingestion.repair import dismiss, replay
from ingestion.undo import undo_run
from tests.erasing import GONE, erase, of
from tests.loading import WriteFile, line, row, rows
from tests.repairing import load, row_on

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("indexes_outlive_the_test")]


@pytest.fixture
def run(write: WriteFile) -> int:
    """A load with an order, and a rejected row on line 3."""
    return load(write(line(1), line(2, website="V V")))


def repaired(run: int, text: str, actor: str = "ana") -> int:
    return replay(Run.objects.get(pk=run), [(row_on(run, 3), text.split(","))], actor=actor).pk


def undone(number: int, actor: str = "bob") -> int:
    return undo_run(number, actor=actor).pk


def state(run: int) -> tuple[str, str]:
    found = row_on(run, 3)
    return found.state, f"in {found.repaired_by} by {found.settled_by}" if found.state == "repaired" else found.note


def test_a_repair_undone_after_its_load(run: int) -> None:
    repair = repaired(run, line(2))
    without_load = undone(run)
    assert state(run) == ("repaired", f"in run {repair} by ana")

    without_repair = undone(repair)

    assert state(run) == ("dismissed", f"run {run} was undone")
    assert row_on(run, 3).settled_by == ""
    undone(without_load)
    assert (state(run), rows()) == (("open", ""), [row(1)])
    undone(without_repair)
    assert (state(run), rows()) == (("repaired", f"in run {repair} by bob"), [row(1), row(2)])


@pytest.mark.parametrize("load_first", [False, True])
def test_a_repair_undone_before_its_load_and_both_brought_back(run: int, load_first: bool) -> None:
    repair = repaired(run, line(2))
    without_repair = undone(repair)
    without_load = undone(run)
    assert state(run) == ("dismissed", f"run {run} was undone")

    for number in (without_load, without_repair) if load_first else (without_repair, without_load):
        undone(number)

    assert (state(run), rows()) == (("repaired", f"in run {repair} by bob"), [row(1), row(2)])


def test_a_repair_is_brought_back_after_its_row_was_dismissed(run: int) -> None:
    repair = repaired(run, line(2))
    without = undone(repair)
    dismiss(RejectedRow.objects.all(), actor="eve", reason="a test order")

    undone(without)

    assert (state(run), rows()) == (("repaired", f"in run {repair} by bob"), [row(1), row(2)])
    assert row_on(run, 3).note == ""


def test_what_a_person_has_dismissed_stays_so_whatever_its_load_does(run: int) -> None:
    dismiss(RejectedRow.objects.all(), actor="eve", reason=f"run {run} was undone")
    undone(undone(run))
    assert (row_on(run, 3).state, row_on(run, 3).settled_by) == ("dismissed", "eve")


def test_one_of_two_repairs_is_enough(run: int) -> None:
    first = repaired(run, line(2))
    without_first = undone(first)
    second = repaired(run, line(3), "eve")
    with_first = undone(without_first)
    assert (state(run), rows()) == (("repaired", f"in run {second} by eve"), [row(1), row(2), row(3)])

    undone(second)

    assert (state(run), rows()) == (("repaired", f"in run {first} by bob"), [row(1), row(2)])
    undone(with_first)
    assert (state(run), rows()) == (("open", ""), [row(1)])


def test_the_row_of_an_erased_customer_is_never_open_again(write: WriteFile) -> None:
    run = load(write(line(1), line(2, **of(website="V V"))))
    repair = repaired(run, line(2))
    erase()
    assert state(run)[0] == "repaired"

    without = undone(repair)

    assert state(run) == ("dismissed", "the customer was erased")
    back = undone(without)
    assert state(run) == ("repaired", f"in run {repair} by bob")
    undone(back)
    assert state(run) == ("dismissed", "the customer was erased")
    assert str(GONE) not in row_on(run, 3).raw
