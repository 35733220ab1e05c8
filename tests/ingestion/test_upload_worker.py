"""The worker as a process of its own: the whole flow, and killed or stopped at any moment."""

from __future__ import annotations

import errno
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.test import Client

from catalog.models import Order
from ingestion.errors import LoadError
from ingestion.models import Run
from ingestion.rejects import RejectSpool
from ingestion.upload_models import Upload
from ingestion.uploads.work import Watcher
from tests.admin_side import get, text_of
from tests.conftest import RunManage
from tests.factories import make_user
from tests.loading import lines
from tests.processes import HELD, STAGED, load_lock
from tests.uploading import OPTIONS, SECONDS, UPLOADS, folder, hand_in, press, until, work, working

__all__ = ("folder",)

pytestmark = pytest.mark.django_db(transaction=True)

FINGERPRINTED = ("ingestion.reader.inputs", "Input", "sha256")
COMMITTED = ("ingestion.pipeline", "Load", "perform")
StartWorker = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def loader(client: Client) -> Client:
    """Somebody who may upload and load."""
    rights = ("view_upload", "add_upload", "change_upload", "view_run")
    client.force_login(make_user("lo", staff=True, permissions=rights))
    return client


@pytest.fixture
def worker(environment: dict[str, str], folder: Path) -> Iterator[StartWorker]:
    """Start a worker: `worker()`, or `worker(STAGED)` to hold it there."""
    with ExitStack() as stack:

        def start(hold: tuple[str, str, str] | None = None) -> subprocess.Popen[str]:
            return stack.enter_context(working(environment, folder, *(["-c", HELD, *hold] if hold else [])))

        yield start


def is_now(upload: Upload, state: str) -> Callable[[], bool]:
    """Whether it is in that state now."""
    return lambda: Upload.objects.get(pk=upload.pk).state == state


def held(process: subprocess.Popen[str]) -> subprocess.Popen[str]:
    """Wait until the worker is held."""
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def kill(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait(SECONDS)


def page_of(client: Client, upload: Upload) -> str:
    return text_of(get(client, f"{UPLOADS}{upload.pk}/change/"))


def confirmed(loader: Client) -> Upload:
    """An upload that was checked and waits to be loaded."""
    upload = hand_in(loader, *lines(1, 2, 3))
    work()
    press(loader, upload, "load")
    return upload


def test_the_whole_flow(loader: Client, worker: StartWorker, folder: Path) -> None:
    process = worker()
    upload = hand_in(loader, *lines(1, 2, 3))
    until(is_now(upload, "checked"))
    assert not Order.objects.exists()
    press(loader, upload, "load")
    until(is_now(upload, "loaded"))

    assert "No worker" not in page_of(loader, hand_in(loader, *lines(4)))
    run = Run.objects.get()
    assert (run.status, run.actor, run.process) == ("loaded", "lo", process.pid)
    process.send_signal(signal.SIGTERM)
    assert process.wait(SECONDS) == 0


def test_killed_in_a_check(loader: Client, worker: StartWorker) -> None:
    upload = hand_in(loader, *lines(1, 2, 3))
    process = held(worker(STAGED))
    assert is_now(upload, "checking")()
    assert "Stage: read" in page_of(loader, upload)
    kill(process)
    assert "No worker is running" in page_of(loader, upload)

    worker()
    until(is_now(upload, "failed"))
    assert "The worker was killed here, or lost the database; nothing of the file was loaded." in page_of(
        loader, upload
    )
    press(loader, upload, "check", **OPTIONS)
    until(is_now(upload, "checked"))


def test_killed_in_a_load(loader: Client, worker: StartWorker) -> None:
    upload = confirmed(loader)
    process = held(worker(STAGED))
    run = Run.objects.get()
    assert run.status == "running"
    assert f"run {run.pk}" in page_of(loader, upload), "the run can be watched"
    kill(process)

    worker()
    until(is_now(upload, "failed"))
    run.refresh_from_db()
    assert run.status == "crashed"
    assert "nothing of the file was loaded" in page_of(loader, upload)
    assert not Order.objects.exists()
    press(loader, upload, "check", **OPTIONS)
    until(is_now(upload, "checked"))
    press(loader, upload, "load")
    until(is_now(upload, "loaded"))
    assert Order.objects.count() == 3


def test_killed_after_the_commit(loader: Client, worker: StartWorker, folder: Path) -> None:
    upload = confirmed(loader)
    kill(held(worker(COMMITTED)))
    assert Run.objects.get().status == "loaded"
    assert is_now(upload, "loading")()

    worker()
    until(is_now(upload, "loaded"))
    until(lambda: not [path for path in folder.iterdir() if path.name != "worker-lock"])
    assert Run.objects.get() == Upload.objects.get().run
    assert Order.objects.count() == 3


def test_stopped_in_a_load(loader: Client, worker: StartWorker) -> None:
    upload = confirmed(loader)
    process = held(worker(STAGED))
    process.send_signal(signal.SIGTERM)
    assert process.wait(SECONDS) == 0
    assert is_now(upload, "confirmed")()
    assert "The worker was stopped; this begins anew when it is started." in page_of(loader, upload)
    assert not Order.objects.exists()

    worker()
    until(is_now(upload, "loaded"))
    assert [(run.status, run.reason_code) for run in Run.objects.order_by("id")] == [
        ("failed", "interrupted"),
        ("loaded", ""),
    ]


def test_stopped_in_a_check(loader: Client, worker: StartWorker) -> None:
    upload = hand_in(loader, *lines(1, 2, 3))
    process = held(worker(STAGED))
    process.send_signal(signal.SIGINT)
    assert process.wait(SECONDS) == 0
    assert is_now(upload, "waiting")()
    worker()
    until(is_now(upload, "checked"))
    assert not Run.objects.exists()


def test_discarded_in_a_check(loader: Client, worker: StartWorker, folder: Path) -> None:
    upload = hand_in(loader, *lines(1, 2, 3))
    process = held(worker(FINGERPRINTED))
    other = hand_in(loader, *lines(4))
    press(loader, upload, "discard")
    assert "It was thrown away" in page_of(loader, upload)
    assert process.stdin is not None
    process.stdin.write("\n" * 2)
    process.stdin.flush()

    until(is_now(other, "checked"))
    upload.refresh_from_db()
    assert (upload.state, upload.report, upload.examples) == ("discarded", {}, [])
    assert [path.name for path in folder.iterdir() if path.name != "worker-lock"] == [named(other)]


def named(upload: Upload) -> str:
    """The name of its file."""
    upload.refresh_from_db()
    return upload.stored_as.hex


def test_what_is_discarded_is_read_no_further(loader: Client) -> None:
    upload = hand_in(loader, *lines(1, 2, 3))
    Upload.objects.update(state="checking")
    upload.refresh_from_db()
    watcher = Watcher(upload)
    watcher.advance(1, 1)
    press(loader, upload, "discard")
    with pytest.raises(LoadError, match="discarded"):
        watcher.advance(1, 1)
    with pytest.raises(LoadError, match="discarded"):
        watcher.stage("settle")


def test_a_disk_that_is_full_ends_one_upload_and_not_the_worker(
    loader: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    uploads = [hand_in(loader, *lines(1)), hand_in(loader, *lines(2))]
    breaks_once(monkeypatch, "__init__")
    work()
    assert [page_of(loader, upload).count("No space left on device") for upload in uploads] == [1, 0]
    assert is_now(uploads[0], "failed")()
    assert is_now(uploads[1], "checked")()

    press(loader, uploads[0], "check", **OPTIONS)
    work()
    for upload in uploads:
        press(loader, upload, "load")
    breaks_once(monkeypatch, "__exit__")
    work()
    assert [upload.state for upload in Upload.objects.all()] == ["loaded", "loaded"]
    assert Order.objects.count() == 2


def breaks_once(monkeypatch: pytest.MonkeyPatch, method: str) -> None:
    """There is no room for rejected rows, the first time."""
    original = getattr(RejectSpool, method)

    def full(*arguments: Any) -> None:
        monkeypatch.setattr(RejectSpool, method, original)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(RejectSpool, method, full)


def test_a_second_worker_takes_over(loader: Client, worker: StartWorker, run_manage: RunManage, folder: Path) -> None:
    upload = hand_in(loader, *lines(1, 2, 3))
    first = held(worker(STAGED))
    worker()
    done = run_manage("load_uploads", "--once", UPLOAD_FOLDER=str(folder))
    assert (done.returncode, done.stdout) == (0, "Another worker is there and does the work.\n")
    assert is_now(upload, "checking")()
    kill(first)
    until(is_now(upload, "failed"))


def test_a_load_by_the_command_is_waited_for(
    loader: Client, worker: StartWorker, database_url: str, folder: Path
) -> None:
    with load_lock(database_url):
        upload = hand_in(loader, *lines(1, 2, 3))
        worker()
        until(lambda: "Waiting: Another load or undo holds the load lock." in page_of(loader, upload))
        other = hand_in(loader, *lines(4))
        assert f"The worker is at work on upload {upload.pk}." in page_of(loader, other)
    until(is_now(upload, "checked"))
    until(is_now(other, "checked"))


@pytest.mark.postgresql_only
def test_a_database_that_was_away(loader: Client, worker: StartWorker, database_url: str) -> None:
    process = worker()
    until(is_now(hand_in(loader, *lines(1)), "checked"))
    with psycopg.connect(database_url, autocommit=True) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid() AND pid <> %s",
            [own_backend()],
        )
    until(is_now(hand_in(loader, *lines(2)), "checked"))
    assert process.poll() is None


def own_backend() -> int:
    """The backend of the test itself."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def test_before_the_tables_are_there(run_manage: RunManage, tmp_path: Path) -> None:
    done = run_manage("load_uploads", "--once", DATABASE_URL=f"sqlite:///{tmp_path / 'empty.sqlite3'}")
    assert done.returncode == 1
    assert "The database has no table of uploads yet; make it with: manage.py migrate" in done.stderr


def test_a_folder_that_cannot_be_made(run_manage: RunManage, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = run_manage("load_uploads", "--once", UPLOAD_FOLDER=str(tmp_path / "file" / "uploads"))
    assert done.returncode == 1
    assert "The folder of uploads cannot be used: " in done.stderr
