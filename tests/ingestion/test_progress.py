"""Where a running load is, seen from outside of its transaction: by another process, at any stage, dead or alive."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from ingestion import admin_progress
from ingestion.models import LoadProgress, Run
from ingestion.staging import engine_for
from tests.admin_side import client_of, get, text_of
from tests.conftest import RunManage
from tests.factories import make_run, make_user
from tests.processes import SECONDS, STAGED, WRITTEN, Files, Start, end, load, running, write_files

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("shipped_groups")]

RUNS = "/admin/ingestion/run/"
ROWS = 2_000


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """Two small files."""
    return write_files(tmp_path_factory.mktemp("small"), ROWS)


@pytest.fixture
def viewer(shipped_groups: None) -> Client:
    """Somebody who may look, logged in before the load begins."""
    return client_of("viewer")


def asked(client: Client, run: Run) -> dict[str, Any]:
    """What the page of a run is told when it asks."""
    response = client.get(f"{RUNS}{run.pk}/progress/")
    assert response.status_code == 200
    told: dict[str, Any] = response.json()
    return told


def until(condition: Callable[[dict[str, Any]], bool], client: Client, run: Run) -> dict[str, Any]:
    """Ask until it is told."""
    last = time.monotonic() + SECONDS
    while not condition(told := asked(client, run)):
        assert time.monotonic() < last, told
        time.sleep(0.05)
    return told


def current() -> Run:
    run = running()
    assert run is not None
    return run


def test_a_load_tells_how_far_it_has_read(start: Start, files: Files, viewer: Client) -> None:
    process = start(files.day1, hold=STAGED)
    run = current()

    told = until(lambda told: told["rows"] == f"{ROWS:,}", viewer, run)

    assert told["stage"] == "Reading and checking the rows"
    assert (told["over"], told["share"], told["left"], told["still"]) == (False, 100, "about 0 s", "")
    assert told["rate"].endswith(" rows/s")
    page = get(viewer, f"{RUNS}{run.pk}/change/")
    assert "Reading and checking the rows" in page
    assert f'data-told="rows">{ROWS:,}</td>' in page
    assert "ingestion/progress.js" in page
    assert "Without scripts this page does not follow the load: load it again" in text_of(page)
    assert end(process)[1]["status"] == "loaded"
    assert asked(viewer, run) == {"over": True}
    assert "Where it is now" not in get(viewer, f"{RUNS}{run.pk}/change/")
    assert engine_for(connection).read_bulletin() is None


def test_it_tells_while_it_writes(start: Start, run_manage: RunManage, files: Files, viewer: Client) -> None:
    """When the load holds every lock that it ever holds."""
    load(run_manage, files.day1)
    process = start(files.day2, hold=WRITTEN)

    told = until(lambda told: told["stage"].startswith("Comparing"), viewer, current())

    assert (told["rows"], told["share"], told["rate"], told["left"]) == (f"{ROWS:,}", None, "-", "-")
    assert end(process)[1]["status"] == "loaded"


def test_a_killed_load_no_longer_moves(
    start: Start, run_manage: RunManage, files: Files, viewer: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = start(files.day1, hold=STAGED)
    run = current()
    until(lambda told: told["rows"] == f"{ROWS:,}", viewer, run)
    monkeypatch.setattr(admin_progress, "STILL", 2.5)
    assert asked(viewer, run)["still"] == ""
    process.kill()

    told = until(lambda told: told["still"] != "", viewer, run)

    assert (told["over"], told["rows"]) == (False, f"{ROWS:,}")
    assert told["still"].startswith("It has not moved for ")
    assert "Its process has probably died" in get(viewer, f"{RUNS}{run.pk}/change/")
    load(run_manage, files.day2)
    assert asked(viewer, run) == {"over": True}
    run.refresh_from_db()
    assert run.status == Run.Status.CRASHED


def test_a_run_that_has_told_nothing(viewer: Client) -> None:
    """Nor does it show what another load has left behind."""
    with engine_for(connection).bulletin() as write:
        write('{"run": 999999, "stage": "read", "rows": 5}')
        told = asked(viewer, make_run(status="running"))
    assert (told["over"], told["stage"], told["rows"]) == (False, "Beginning", "0")
    assert told["still"].startswith("It has told nothing yet.")


@pytest.mark.parametrize("text", ['{"run": %d, "pace": 5}', "[]", "{"])
def test_what_another_version_has_told_is_passed_over(viewer: Client, text: str) -> None:
    run = make_run(status="running")
    with engine_for(connection).bulletin() as write:
        write(text.replace("%d", str(run.pk)))
        told = asked(viewer, run)
    assert told["still"].startswith("It has told nothing yet.")


@contextmanager
def nowhere_to_tell() -> Iterator[None]:
    """Where progress is kept, nothing can be written."""
    if connection.vendor == "sqlite":
        place = Path(f"{connection.settings_dict['NAME']}.load-progress")
        place.mkdir()
        yield
        place.rmdir()
        return
    table = LoadProgress._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} RENAME TO hidden")
        yield
        cursor.execute(f"ALTER TABLE hidden RENAME TO {table}")


def test_a_load_that_cannot_tell_loads_all_the_same(start: Start, files: Files) -> None:
    with nowhere_to_tell():
        process = start(files.day1, hold=STAGED)
        assert "load.progress_not_told" in first_warning(process)
        code, report, _ = end(process)
    assert (code, report["status"], report["inserted"]) == (0, "loaded", ROWS)


def first_warning(process: subprocess.Popen[str]) -> str:
    assert process.stderr is not None
    return process.stderr.readline()


def test_who_may_ask(client: Client) -> None:
    run = make_run(status="running")
    client.force_login(make_user("ana", staff=True, permissions=("view_order",)))
    assert client.get(f"{RUNS}{run.pk}/progress/").status_code == 403
    client.force_login(make_user("bo", staff=True, permissions=("view_run",)))
    assert client.get(f"{RUNS}999/progress/").status_code == 404
    assert client.post(f"{RUNS}{run.pk}/progress/").status_code == 405
