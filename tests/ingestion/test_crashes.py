"""Loads that are killed at any moment: all or nothing, and the next one just works.

`CRASH_TESTS=50` kills that many loads of each kind instead of a few, and larger ones.
"""

from __future__ import annotations

import os
import random
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from django.core.management.color import no_style
from django.db import connection

from catalog.models import Change, Order, OrderVersion
from ingestion.models import Run
from tests.conftest import RunManage
from tests.processes import (
    MODELS,
    Files,
    Start,
    assert_complete,
    checksum,
    load,
    running,
    snapshot,
    write_files,
)

CRASHES = int(os.environ.get("CRASH_TESTS", "4"))
ROWS_TO_CRASH = 60_000 if "CRASH_TESTS" in os.environ else 20_000


@pytest.fixture(scope="module")
def large_files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """Two files whose load takes long enough to be hit anywhere."""
    return write_files(tmp_path_factory.mktemp("large"), ROWS_TO_CRASH)


def content() -> tuple[int, str]:
    """The orders as the file has them, whichever run brought them."""
    table = Order._meta.db_table
    names = [str(f.column) for f in Order._meta.concrete_fields if f.column not in {"change_id", "line"}]
    return checksum(f"SELECT {', '.join(names)} FROM {table} ORDER BY key")


def empty() -> None:
    """Back to a database that never saw a file."""
    tables = [model._meta.db_table for model in MODELS]
    connection.ops.execute_sql_flush(
        connection.ops.sql_flush(no_style(), tables, reset_sequences=True, allow_cascade=False)
    )


def moments(seed: int) -> list[float]:
    """Random moments of a load, as shares of its time, spread over all of it and a little beyond."""
    chance = random.Random(seed)
    return [1.05 * (i + chance.random()) / CRASHES for i in range(CRASHES)]


def kill_at(process: subprocess.Popen[str], seconds: float) -> None:
    """Kill a load so long after it has begun."""
    while running() is None and process.poll() is None:
        time.sleep(0.002)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def crash_and_load_again(
    start: Start, run_manage: RunManage, path: Path, seconds: float, *options: str
) -> tuple[bool, dict[str, Any]]:
    """Kill a load at a moment, load again, and hold both to their promises.

    Says whether the first load had come to its end all the same, and returns the report of the second.
    """
    old = snapshot()
    process = start(path, *options)
    kill_at(process, seconds)
    killed = Run.objects.latest("id")
    left = snapshot()
    report = load(run_manage, path, *options)
    # Only now is it sure that the server has noticed: it may still have been at work on the last statement.
    killed.refresh_from_db()
    assert killed.status in {Run.Status.LOADED, Run.Status.CRASHED}
    if killed.status == Run.Status.CRASHED:
        assert left == old
        assert (killed.reason_code, killed.change_id) == ("crashed", None)
        assert killed.reason.startswith("The process ended without a word")
        assert killed.finished_at is not None
    else:
        assert left[0][0] == ROWS_TO_CRASH or left == old
    assert running() is None
    assert_complete()
    return killed.status == Run.Status.LOADED, report


def test_kill_first_load(start: Start, run_manage: RunManage, large_files: Files) -> None:
    """A first load that is killed leaves nothing, and the next one just works."""
    seconds = load(run_manage, large_files.day1)["seconds"]
    loaded, expected = content(), snapshot()
    outcomes = []
    for moment in moments(seed=1):
        empty()
        had_ended, report = crash_and_load_again(start, run_manage, large_files.day1, seconds * moment)
        outcomes.append(had_ended)
        assert report["status"] == ("skipped" if had_ended else "loaded")
        assert content() == loaded
        assert [count for count, _ in snapshot()] == [count for count, _ in expected]
        assert Change.objects.count() == 1
    assert not all(outcomes)


def test_kill_later_load(start: Start, run_manage: RunManage, large_files: Files) -> None:
    """A later load that is killed leaves the catalogue as it was, to the last byte; the next one just works."""
    load(run_manage, large_files.day1)
    contents = {large_files.day1: content()}
    seconds = load(run_manage, large_files.day2)["seconds"]
    contents[large_files.day2] = content()
    updated = OrderVersion.objects.count()
    assert updated > ROWS_TO_CRASH / 10
    outcomes = []
    for number, moment in enumerate(moments(seed=2)):
        # Back to the first file, on to the second: each way the same orders are updated.
        path = large_files[number % 2]
        versions, changes = OrderVersion.objects.count(), Change.objects.count()
        had_ended, report = crash_and_load_again(start, run_manage, path, seconds * moment, "--force")
        outcomes.append(had_ended)
        assert report["status"] == "loaded"
        assert (report["inserted"], report["updated"]) == (0, 0 if had_ended else updated)
        assert content() == contents[path]
        assert OrderVersion.objects.count() == versions + updated
        assert Change.objects.count() == changes + 1 + had_ended
    assert not all(outcomes)
