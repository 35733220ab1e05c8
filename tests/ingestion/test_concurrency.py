"""Loads that meet others, are read beside, or are told to stop: one at a time, nobody waits in vain, old or new."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from django.db import connection

from catalog.models import Change, Order, OrderVersion
from ingestion.models import Run
from tests.conftest import RunManage
from tests.processes import (
    CATALOGUE,
    STAGED,
    WRITTEN,
    Files,
    Start,
    assert_complete,
    end,
    first_line,
    load,
    load_lock,
    running,
    snapshot,
    write_files,
)

ROWS = 2_000


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """Two small files."""
    return write_files(tmp_path_factory.mktemp("small"), ROWS)


def test_second_load_waits(start: Start, files: Files) -> None:
    """A second load says whom it waits for, and then does its work."""
    first = start(files.day1, hold=STAGED)
    second = start(files.day2)
    run = running()
    assert run is not None
    line = first_line(second)
    assert line.startswith(f"Waiting: Run {run.pk} ({files.day1}, started ")
    assert line.endswith(f" on {run.host}, process {first.pid}) holds the load lock.\n")
    code, report, err = end(first)
    assert (code, report["status"], report["inserted"], err) == (0, "loaded", ROWS, "")
    code, report, err = end(second)
    assert (code, report["status"], report["read"], err) == (0, "loaded", ROWS, "")
    assert report["updated"] == OrderVersion.objects.count() > 0
    assert_complete()


def test_no_wait(start: Start, run_manage: RunManage, files: Files) -> None:
    """With --no-wait a second load is refused at once and names the holder; the first one is not disturbed."""
    first = start(files.day1, hold=STAGED)
    done = run_manage("ingest_csv", files.day2, "--json", "--no-wait")
    report = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (1, "")
    assert (report["status"], report["reason_code"]) == ("refused", "locked")
    assert f"({files.day1}, started " in report["reason"]
    assert f"process {first.pid}) holds the load lock" in report["reason"]
    assert Run.objects.get(pk=report["run"]).reason_code == "locked"
    code, report, _ = end(first)
    assert (code, report["status"], report["inserted"]) == (0, "loaded", ROWS)


def test_same_file_twice(start: Start, files: Files) -> None:
    """Of two loads of one content at once, one loads and the other finds it loaded."""
    first = start(files.day1, hold=STAGED)
    second = start(files.day1)
    assert first_line(second).startswith("Waiting: Run ")
    code, loaded, _ = end(first)
    assert (code, loaded["status"]) == (0, "loaded")
    code, report, err = end(second)
    assert (code, report["status"], err) == (0, "skipped", "")
    assert report["already_loaded_in"] == loaded["run"]
    assert Order.objects.count() == ROWS
    assert Change.objects.count() == 1


def test_holder_that_is_no_load(start: Start, run_manage: RunManage, database_url: str, files: Files) -> None:
    """The lock is what counts, not the ledger: somebody may hold it who is in no run."""
    with load_lock(database_url):
        waiting = start(files.day1)
        assert first_line(waiting) == "Waiting: Another load or undo holds the load lock.\n"
        done = run_manage("ingest_csv", files.day1, "--json", "--no-wait")
        assert json.loads(done.stdout)["reason"].startswith("Another load or undo holds the load lock; ")
        assert done.returncode == 1
        assert not Order.objects.exists()
    code, report, _ = end(waiting)
    assert (code, report["status"]) == (0, "loaded")


def test_killed_holder_lets_go(start: Start, files: Files) -> None:
    """Whoever waits for a load that is killed goes on, and calls it crashed."""
    first = start(files.day1, hold=STAGED)
    run = running()
    assert run is not None
    second = start(files.day2)
    assert first_line(second).startswith(f"Waiting: Run {run.pk} ")
    first.kill()
    code, report, _ = end(second)
    assert (code, report["status"], report["inserted"]) == (0, "loaded", ROWS)
    run.refresh_from_db()
    assert run.status == Run.Status.CRASHED
    assert_complete()


@contextmanager
def impatient() -> Iterator[None]:
    """A reader that fails when it has to wait."""
    if connection.vendor == "sqlite":
        set_to, reset = "PRAGMA busy_timeout = 0", "PRAGMA busy_timeout = 5000"
    else:
        set_to, reset = "SET lock_timeout = '1s'", "RESET lock_timeout"
    with connection.cursor() as cursor:
        cursor.execute(set_to)
        try:
            yield
        finally:
            cursor.execute(reset)


@pytest.mark.parametrize("place", [STAGED, WRITTEN], ids=["staged", "written"])
def test_readers_during_later_load(
    start: Start, run_manage: RunManage, files: Files, place: tuple[str, str, str]
) -> None:
    """While a load is under way, readers see the catalogue as it was, and at once."""
    load(run_manage, files.day1)
    old = snapshot()
    process = start(files.day2, hold=place)
    with impatient():
        assert snapshot() == old
    code, report, _ = end(process)
    assert (code, report["status"]) == (0, "loaded")
    assert report["updated"] == OrderVersion.objects.count() > 0
    assert snapshot() != old


def test_readers_during_first_load(start: Start, files: Files) -> None:
    """While the first load is under way, readers see an empty catalogue, and at once."""
    process = start(files.day1, hold=STAGED)
    with impatient():
        assert [count for count, _ in snapshot()] == [0] * len(CATALOGUE)
    assert end(process)[1]["inserted"] == ROWS
    assert Order.objects.count() == ROWS


def assert_interrupted(process: subprocess.Popen[str], old: list[tuple[int, str]]) -> None:
    """The load has ended as one that somebody stopped, in good order."""
    out, err = process.communicate()
    report = json.loads(out)
    assert (process.returncode, err) == (1, "")
    assert (report["status"], report["reason_code"]) == ("failed", "interrupted")
    assert report["reason"] == "The load was interrupted; nothing was changed."
    run = Run.objects.get(pk=report["run"])
    assert (run.status, run.reason_code, run.change_id) == ("failed", "interrupted", None)
    assert running() is None
    assert snapshot() == old
    assert_complete()


SIGNALS = pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])


@SIGNALS
@pytest.mark.parametrize("place", [STAGED, WRITTEN], ids=["staged", "written"])
def test_interrupted_later_load(
    start: Start, run_manage: RunManage, files: Files, place: tuple[str, str, str], number: signal.Signals
) -> None:
    """A later load that is told to stop leaves the catalogue as it was, and the next one just works."""
    load(run_manage, files.day1)
    old = snapshot()
    process = start(files.day2, hold=place)
    process.send_signal(number)
    assert_interrupted(process, old)
    assert load(run_manage, files.day2)["updated"] > 0


@SIGNALS
def test_interrupted_first_load(start: Start, run_manage: RunManage, files: Files, number: signal.Signals) -> None:
    """A first load that is told to stop leaves an empty catalogue with all its indexes."""
    old = snapshot()
    process = start(files.day1, hold=STAGED)
    process.send_signal(number)
    assert_interrupted(process, old)
    assert load(run_manage, files.day1)["inserted"] == ROWS


@SIGNALS
def test_interrupted_while_waiting(start: Start, database_url: str, files: Files, number: signal.Signals) -> None:
    """A load that waits for the lock can be told to stop."""
    old = snapshot()
    with load_lock(database_url):
        process = start(files.day1)
        assert first_line(process).startswith("Waiting: ")
        process.send_signal(number)
        assert_interrupted(process, old)


@SIGNALS
@pytest.mark.postgresql_only
def test_interrupted_inside_statement(
    start: Start, run_manage: RunManage, database_url: str, files: Files, number: signal.Signals
) -> None:
    """A load can be told to stop while the server is at work on a statement of it."""
    load(run_manage, files.day1)
    old = snapshot()
    with psycopg.connect(database_url) as other:
        # The load has to wait for whoever holds the orders that it is to update.
        other.execute(f"SELECT 1 FROM {Order._meta.db_table} FOR UPDATE").fetchall()
        process = start(files.day2)
        waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        with psycopg.connect(database_url, autocommit=True) as watcher:
            while watcher.execute(waits).fetchone() == (0,) and process.poll() is None:
                time.sleep(0.01)
        process.send_signal(number)
        assert_interrupted(process, old)


def test_file_that_is_changed_while_its_load_waits(
    start: Start, database_url: str, files: Files, tmp_path: Path
) -> None:
    """What is loaded is what the fingerprint was taken of, or the file is refused."""
    path = tmp_path / "orders.csv"
    path.write_bytes(files.day1.read_bytes())
    with load_lock(database_url):
        waiting = start(path)
        assert first_line(waiting).startswith("Waiting: ")
        path.write_bytes(files.day2.read_bytes())
    code, report, _ = end(waiting)
    assert (code, report["status"], report["reason_code"]) == (1, "refused", "changed_while_reading")
    assert not Order.objects.exists()
