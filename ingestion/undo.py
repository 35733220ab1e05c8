"""Taking a run back: its inserts go, its updates and removals are put back, in one transaction, as a run of its own."""

from __future__ import annotations

import getpass
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from catalog.changes import NotPossible, close_change, latest_change, lock_catalogue, refuse_unseen
from catalog.keys import ORDERS_PER_SOURCE
from catalog.models import Change, Order, Source, field_of
from ingestion.errors import Locked
from ingestion.merge import overlay, sql, undo_sql
from ingestion.merge.steps import KEY, Merge
from ingestion.models import Run
from ingestion.pipeline import holder
from ingestion.reject_states import settle_rejects_of
from ingestion.staging import STAGED_COLUMNS, Engine, engine_for
from ingestion.undo_effects import numbers, said


@dataclass(frozen=True)
class Preview:
    """What an undo would do: its run with the figures, what happens besides, some of the orders touched since, and the
    latest change."""

    run: Run
    besides: list[tuple[str, str]]
    touched: list[Order]
    latest: int


def undo_run(
    number: int,
    *,
    keep_touched: bool = False,
    dry_run: bool = False,
    wait: bool = True,
    on_wait: Callable[[], None] = lambda: None,
    seen: int | None = None,
    actor: str = "",
) -> Run:
    """Undo a run, and return the run that did it: `updated` orders have their former values again, `removed` ones
    are gone, `inserted` ones are back, and `unchanged` ones were left, as something has touched them since.

    A dry run returns the same figures and leaves no trace. Raises `NotPossible`, and changes nothing, when the run has
    nothing to undo, when something has touched its orders since and `keep_touched` is off, or when the latest change of
    the catalogue is no longer the one that was `seen`. While a load is under way it waits, having called `on_wait`, or
    raises `Locked` if `wait` is off.
    """
    with _undoing(number, actor, wait=wait, on_wait=on_wait) as undo:
        if seen is not None:
            refuse_unseen(seen)
        run = undo.perform(keep_touched=keep_touched)
        transaction.set_rollback(dry_run)
    if dry_run:
        run.pk = None
    return run


def preview_undo(number: int) -> Preview:
    """What an undo would do that leaves touched orders as they are. Never waits; raises `NotPossible` and `Locked`."""
    with _undoing(number, "nobody", wait=False) as undo:
        latest, before = latest_change(), numbers(undo.undone)
        run = undo.perform(keep_touched=True)
        besides = said(before, numbers(undo.undone))
        transaction.set_rollback(True)
        return Preview(run, besides, undo.touched, latest)


@contextmanager
def _undoing(number: int, actor: str, *, wait: bool, on_wait: Callable[[], None] = lambda: None) -> Iterator[Undo]:
    """An undo in its transaction, with the load lock held."""
    engine = engine_for(connection)
    with engine.lock(wait=wait, on_wait=on_wait) as held:
        if not held:
            raise Locked(holder())
        with engine.session(), transaction.atomic():
            yield Undo(engine, number, actor or getpass.getuser())


class Undo:
    """One undo, in its transaction."""

    def __init__(self, engine: Engine, number: int, actor: str) -> None:
        self.engine = engine
        self.begun = time.monotonic()
        lock_catalogue()
        self.undone = self._find(number)
        self.touched: list[Order] = []
        self.run = Run(
            kind=Run.Kind.UNDO,
            undoes=self.undone,
            file=f"undo of run {number}",
            started_at=timezone.now(),
            actor=actor,
            host=socket.gethostname(),
            process=os.getpid(),
        )

    def _find(self, number: int) -> Run:
        run = Run.objects.filter(pk=number).first()
        if run is None:
            raise NotPossible("no_such_run", f"There is no run {number}.")
        if not run.can_be_undone:
            raise NotPossible(
                "nothing_to_undo", f"Run {number} is {run.get_status_display()}: there is nothing to undo."
            )
        return run

    def perform(self, *, keep_touched: bool) -> Run:
        """All steps."""
        change = Change.objects.create(
            kind=Change.Kind.UNDO, at=timezone.now(), actor=self.run.actor, reason=f"undo of run {self.undone.pk}"
        )
        old = self.undone.change_id
        with self._tables() as merge:
            self._look_at_touched(keep_touched=keep_touched)
            if not self.engine.execute(undo_sql.find_undone(), [old] * 3) and self.run.unchanged:
                raise NotPossible(
                    "nothing_left",
                    f"Something has touched every order of run {self.undone.pk} since. Undo later loads first; what "
                    "a correction or a rule has changed since stays.",
                )
            self.engine.execute(undo_sql.stage_previous(merge.staged), [old])
            self._rewind_corrections(change.pk)
            overlay.apply_all(self.engine, merge.staged)
            self._write(merge, change.pk)
        self._close(change)
        return self.run

    @contextmanager
    def _tables(self) -> Iterator[Merge]:
        layer: Any = [(name, field_of(Order, name)) for name in (*STAGED_COLUMNS, *sql.LAYER)]
        corrected: Any = [KEY, *((name, field_of(Order, name)) for name in (*overlay.FIELDS, *sql.LAYER))]
        with ExitStack() as stack:
            for name in ("ingestion_undone", "ingestion_touched", "ingestion_gone"):
                stack.enter_context(self.engine.scratch_table(name, [KEY], key=True))
            stack.enter_context(self.engine.scratch_table("ingestion_corrected", corrected, key=True))
            yield Merge(
                self.engine, stack.enter_context(self.engine.scratch_table("ingestion_staged", layer, key=True))
            )

    def _look_at_touched(self, *, keep_touched: bool) -> None:
        found = self.engine.execute(undo_sql.find_touched(), [self.undone.change_id] * 7)
        if not found:
            return
        self.run.unchanged = found - self.engine.execute(undo_sql.spare_restored(), [self.undone.change_id] * 2)
        if not self.run.unchanged:
            return
        self.touched = named([key for (key,) in self.engine.rows(undo_sql.SOME_TOUCHED)])
        if not keep_touched:
            examples = ", ".join(map(str, self.touched))
            orders = "1 order" if self.run.unchanged == 1 else f"{self.run.unchanged:,} orders"
            raise NotPossible(
                "touched_since",
                f"Something has touched {orders} of run {self.undone.pk} since, such as {examples}. Undo later loads "
                "first, or leave these orders as they are (--keep-touched; keep_touched in the API).",
            )

    def _rewind_corrections(self, change: int) -> None:
        old = self.undone.change_id
        self.engine.execute(undo_sql.log_corrections(), [change, old])
        self.engine.execute(undo_sql.end_revived(), [change, old])
        self.engine.execute(undo_sql.rewind_conflicts(), [old])
        self.engine.execute(undo_sql.revive(), [old])

    def _write(self, merge: Merge, change: int) -> None:
        with merge.everything() as written:
            self.run.inserted, self.run.updated = written.inserted, written.updated
            self.engine.execute(undo_sql.keep_taken_away(merge.staged), [change])
            self.run.removed = self.engine.execute(undo_sql.take_away(merge.staged))
            merge.write(change)
        if self.engine.execute(undo_sql.find_gone(), [self.undone.change_id]):
            self.engine.execute(undo_sql.restore_removed(), [change])

    def _close(self, change: Change) -> None:
        run = self.run
        run.read = run.inserted + run.updated + run.unchanged
        run.status, run.change = Run.Status.LOADED, change
        run.finished_at = timezone.now()
        run.seconds = round(time.monotonic() - self.begun, 3)
        run.save()
        self._tell_undone()
        close_change(change)

    def _tell_undone(self) -> None:
        """Where the undone run was an undo itself, what it had taken back is in force again, and so on."""
        run: Run | None = self.undone
        in_force = False
        while run is not None:
            run.status = Run.Status.LOADED if in_force else Run.Status.UNDONE
            Run.objects.filter(pk=run.pk).update(status=run.status)
            settle_rejects_of(run, self.run)
            run, in_force = run.undoes, not in_force


def named(keys: list[int]) -> list[Order]:
    """Orders by their names, and nothing else of them; they may be gone."""
    codes = dict(Source.objects.values_list("number", "code"))
    return [Order(source=codes[key // ORDERS_PER_SOURCE], order_id=key % ORDERS_PER_SOURCE) for key in keys]
