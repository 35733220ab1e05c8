"""Full snapshots whose file still has a row that a person has put right."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalog.corrections import correct
from catalog.models import Order
from ingestion.undo import undo_run
from tests.loading import Loaded, WriteFile, ingest, line, row, rows
from tests.repairing import ALL, export, repair, states

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("indexes_outlive_the_test")]

UNREADABLE = line(101, order_id="1o1")


@pytest.fixture
def load(write: WriteFile) -> Loaded:
    return snapshot(write, line(1), line(2), UNREADABLE)


def snapshot(write: WriteFile, *texts: str) -> Loaded:
    return ingest(write(*texts), *ALL, "--full-snapshot", "--max-removals", "100%")


def put_right(load: Loaded, tmp_path: Path) -> int:
    run = load.report["run"]
    number: int = repair(run, tmp_path, [export(run, tmp_path)[0] | {"order_id": "101"}]).report["run"]
    return number


def test_what_a_person_put_right_outlives_the_next_snapshot(load: Loaded, write: WriteFile, tmp_path: Path) -> None:
    put_right(load, tmp_path)

    following = snapshot(write, line(1), line(2, website="VVBE"), UNREADABLE)
    again = snapshot(write, line(1), UNREADABLE)

    assert following.figures() == {"read": 3, "updated": 1, "unchanged": 1, "rejected": 1}
    assert states(following.report["run"]) == {4: "open"}
    assert again.figures() == {"read": 2, "unchanged": 1, "rejected": 1, "removed": 1}, "others go as before"
    assert rows() == [row(1), row(101)]


def test_also_when_it_was_corrected_since(load: Loaded, write: WriteFile, tmp_path: Path) -> None:
    put_right(load, tmp_path)
    correct(Order.objects.get(order_id=101), "website", "VVFR", actor="ana", reason="seen on the invoice")
    snapshot(write, line(1), UNREADABLE)
    assert rows() == [row(1), row(101, website="VVFR")]


def test_a_snapshot_of_which_every_row_can_be_read_is_the_whole_truth(
    load: Loaded, write: WriteFile, tmp_path: Path
) -> None:
    put_right(load, tmp_path)
    assert snapshot(write, line(1), line(2)).figures() == {"read": 2, "unchanged": 2, "removed": 1}
    assert rows() == [row(1), row(2)]


@pytest.mark.parametrize("undos", [1, 2])
def test_a_repair_that_was_undone_keeps_nothing_and_one_that_is_back_does(
    write: WriteFile, tmp_path: Path, undos: int
) -> None:
    repaired = put_right(snapshot(write, line(1), line(101, website="VVFR"), UNREADABLE), tmp_path)
    for _ in range(undos):
        repaired = undo_run(repaired).pk

    snapshot(write, line(1), UNREADABLE)

    assert rows() == [row(1), *[row(101)] * (undos - 1)]
