"""What goes wrong when a file is loaded already: it stays loaded, and its run says so."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction

from catalog.models import Order
from ingestion.errors import Interrupted
from ingestion.models import Run
from ingestion.pipeline import Load
from ingestion.undo import undo_run
from tests.loading import export, indexes, ingest, line, lines

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("indexes_outlive_the_test")]

TROUBLES = [Interrupted(), OperationalError("the disk is full")]


@pytest.fixture(params=[[], ["bad,row"]], ids=["without rejects", "with a reject"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Twenty orders to load."""
    path = tmp_path / "orders.csv"
    path.write_bytes(export(*lines(*range(1, 21)), *request.param))
    return path


def fail_after_commit(monkeypatch: pytest.MonkeyPatch, trouble: BaseException) -> None:
    """The second time that a loaded run is written down is after the commit."""
    save = Load._save

    def fail(self: Load) -> None:
        if self.run.status == Run.Status.LOADED and not connection.in_atomic_block:
            raise trouble
        save(self)

    monkeypatch.setattr(Load, "_save", fail)


@contextmanager
def answer_of_the_commit_lost(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The transaction of the load is committed, and the connection breaks before anybody hears of it."""
    atomic = transaction.atomic

    @contextmanager
    def commit_and_fail(*arguments: Any, **options: Any) -> Iterator[None]:
        outermost = not connection.in_atomic_block
        with atomic(*arguments, **options):
            yield
        if outermost and Run.objects.filter(status=Run.Status.LOADED).exists():
            monkeypatch.undo()
            connection.close()
            raise OperationalError("server closed the connection")

    monkeypatch.setattr("ingestion.pipeline.transaction.atomic", commit_and_fail)
    yield
    monkeypatch.undo()


def assert_is_loaded(report: dict[str, Any]) -> None:
    """Twenty orders, all of one run that is loaded and can be taken back."""
    run = Run.objects.get()
    assert (run.status, run.inserted, run.reason, run.rejected) == ("loaded", 20, "", report["rejected"])
    assert run.rejects.filter(state="open").count() == run.rejected
    assert (report["status"], report["inserted"]) == ("loaded", 20)
    assert report["reason"].startswith("The file is loaded. After that: ")
    assert Order.objects.filter(change=run.change).count() == 20
    undo_run(run.pk, wait=False, keep_touched=False, dry_run=False, actor="ana")
    assert Order.objects.count() == 0


@pytest.mark.parametrize("trouble", TROUBLES, ids=["interrupted", "error"])
def test_a_first_load_stays_loaded(monkeypatch: pytest.MonkeyPatch, path: Path, trouble: BaseException) -> None:
    before = indexes()
    fail_after_commit(monkeypatch, trouble)
    loaded = ingest("--max-rejects", "50%", path)
    monkeypatch.undo()

    assert loaded.exit_code == (1 if isinstance(trouble, Interrupted) else 0)
    assert indexes() == before
    assert_is_loaded(loaded.report)


def test_a_stop_leaves_the_next_files_alone(monkeypatch: pytest.MonkeyPatch, path: Path, tmp_path: Path) -> None:
    later = tmp_path / "later.csv"
    later.write_bytes(export(line(99)))
    fail_after_commit(monkeypatch, Interrupted())
    loaded = ingest("--max-rejects", "50%", path, later)

    assert loaded.exit_code == 1
    assert_is_loaded(loaded.report)


def test_the_answer_of_the_commit_is_lost(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    with answer_of_the_commit_lost(monkeypatch):
        loaded = ingest("--max-rejects", "50%", path)

    assert loaded.exit_code == 0
    assert_is_loaded(loaded.report)
