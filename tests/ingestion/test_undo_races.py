"""Undos that meet a load: each happens wholly before or wholly after the other, or is refused at once."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from catalog.models import Change, Order
from ingestion.models import Run
from tests.conftest import RunManage
from tests.loading import export, line
from tests.processes import STAGED, UNDONE, WRITTEN, Start, assert_complete, end, first_line, load, load_lock

UNDO = ("undo_run",)


@pytest.fixture
def days(run_manage: RunManage, tmp_path: Path) -> list[Path]:
    """Three exports; the first two are loaded. The second has changed orders 1 and 2, and brought 4."""
    second = (line(1, website="VVBE"), line(2, website="VVBE"), line(3), line(4))
    contents = ((line(1), line(2), line(3)), second, (line(1, website="VVDE"), line(3, website="VVDE")))
    paths = [tmp_path / f"day{number}.csv" for number in (1, 2, 3)]
    for path, lines in zip(paths, contents, strict=True):
        path.write_bytes(export(*lines))
    for path in paths[:2]:
        load(run_manage, path)
    return paths


def second_run() -> int:
    return Run.objects.get(file__endswith="day2.csv").pk


def websites() -> dict[int, str]:
    return dict(Order.objects.order_by("order_id").values_list("order_id", "website"))


def said(process: subprocess.Popen[str]) -> tuple[int, str]:
    """The exit code of an undo that is let go or ends by itself, and what it has printed."""
    out, err = process.communicate("go\n")
    return process.returncode, out + err


def assert_in_order() -> None:
    """Numbers and moments of the changes are in one order."""
    moments = list(Change.objects.order_by("id").values_list("at", flat=True))
    assert moments == sorted(moments)
    assert_complete()


@pytest.mark.parametrize("place", [STAGED, WRITTEN], ids=["staged", "written"])
def test_undo_waits_for_a_load(start: Start, days: list[Path], place: tuple[str, str, str]) -> None:
    """It says for whom, and then minds what the load has touched."""
    loading = start(days[2], hold=place)
    undoing = start(second_run(), "--keep-touched", command=UNDO)
    assert first_line(undoing).startswith(f"Waiting: Run {second_run() + 1} ({days[2]}, started ")

    code, report, _ = end(loading)

    assert (code, report["updated"]) == (0, 2)
    code, text = said(undoing)
    assert (code, websites()) == (0, {1: "VVDE", 2: "VVNL", 3: "VVDE"}), text
    undo = Run.objects.latest("id")
    assert (undo.updated, undo.removed, undo.unchanged, undo.read) == (1, 1, 1, 2)
    assert_in_order()


def test_undo_that_waited_refuses_what_the_load_has_touched(start: Start, days: list[Path]) -> None:
    loading = start(days[2], hold=STAGED)
    undoing = start(second_run(), command=UNDO)
    first_line(undoing)

    assert end(loading)[0] == 0

    code, text = said(undoing)
    assert code == 1
    assert "touched 1 order of run" in text
    assert websites() == {1: "VVDE", 2: "VVBE", 3: "VVDE", 4: "VVNL"}


def test_load_waits_for_an_undo(start: Start, days: list[Path]) -> None:
    """It compares with what the undo leaves behind."""
    undoing = start(second_run(), hold=UNDONE, command=UNDO)
    loading = start(days[2])
    assert first_line(loading) == "Waiting: Another load or undo holds the load lock.\n"
    assert websites() == {1: "VVBE", 2: "VVBE", 3: "VVNL", 4: "VVNL"}

    assert said(undoing)[0] == 0

    code, report, _ = end(loading)
    assert (code, report["updated"], report["inserted"]) == (0, 2, 0)
    undo = Run.objects.get(kind="undo")
    assert (undo.updated, undo.removed, undo.unchanged) == (2, 1, 0)
    assert websites() == {1: "VVDE", 2: "VVNL", 3: "VVDE"}
    assert undo.pk < report["run"]
    assert_in_order()


def test_no_wait(start: Start, run_manage: RunManage, days: list[Path]) -> None:
    """With --no-wait an undo is refused at once, names the load, and changes nothing."""
    loading = start(days[2], hold=STAGED)

    done = run_manage("undo_run", str(second_run()), "--no-wait")

    assert done.returncode == 1
    assert done.stderr.startswith(f"CommandError: Run {second_run() + 1} ({days[2]}, started ")
    assert end(loading)[0] == 0
    assert not Run.objects.filter(kind="undo").exists()


def test_two_undos_of_one_run(start: Start, days: list[Path], database_url: str) -> None:
    """One of them is told that there is nothing left to undo."""
    with load_lock(database_url):
        both = [start(second_run(), command=UNDO) for _ in range(2)]
        for process in both:
            first_line(process)

    outcomes = sorted(map(said, both))

    assert [code for code, _ in outcomes] == [0, 1]
    assert "is undone: there is nothing to undo" in outcomes[1][1]
    assert websites() == {1: "VVNL", 2: "VVNL", 3: "VVNL"}
