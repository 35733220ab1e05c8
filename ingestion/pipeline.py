"""The one place that knows the order of a load's steps: ledger, read, validate, stage, compare, write, report."""

from __future__ import annotations

import getpass
import os
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace

import structlog
from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from catalog.changes import close_change, lock_catalogue
from catalog.models import Change, Order
from ingestion.errors import Interrupted, LoadError, Locked, Refused, option
from ingestion.live import told
from ingestion.merge.repairs import Repairs, check_header, repairable
from ingestion.merge.steps import Merge
from ingestion.models import Run
from ingestion.options import LoadOptions
from ingestion.progress import Listener
from ingestion.reader.batches import OrderReader
from ingestion.reader.inputs import Input, open_input
from ingestion.reader.repair_columns import LINE_COLUMN, REPAIR_COLUMNS
from ingestion.rejects import RejectSpool, by_frequency
from ingestion.staged import StagedFile
from ingestion.staging import Engine, engine_for

log = structlog.get_logger(__name__)


def load_file(name: str, options: LoadOptions, listener: Listener, *, actor: str = "", title: str = "") -> Run:
    """Load one file and return its run, with every figure of the report; `title` is what the run calls the file.

    Never raises for a file that cannot be loaded: the run's status and reason say so, and the catalogue is
    as it was. A dry run leaves no trace; its run is not saved. With `only_open` somebody waits at a form and will try
    again: then a lock that is held raises `Locked`, and leaves no trace either.
    """
    run = Run(
        # A name may hold bytes that are no text; no database would take them.
        file=title or os.fsencode(name).decode("utf-8", "backslashreplace"),
        kind=Run.Kind.LOAD if options.repairs is None else Run.Kind.REPAIR,
        options=options.differing(),
        started_at=timezone.now(),
        actor=actor or getpass.getuser(),
        host=socket.gethostname(),
        process=os.getpid(),
    )
    with RejectSpool(options.unpacked_limit) as rejects:
        load = Load(name, run, options, listener, rejects, title=title)
        try:
            load.perform()
        except Refused as error:
            if options.only_open and isinstance(error, Locked):
                raise
            load.end_without_change(Run.Status.REFUSED, error)
        except LoadError as error:
            load.end_without_change(Run.Status.FAILED, error)
        except Exception as error:
            log.debug("load.traceback", exc_info=True)
            load.end_without_change(Run.Status.FAILED, LoadError("error", f"{type(error).__name__}: {error}".strip()))
        finally:
            listener.close()
        listener.rejected(rejects)
    log.info("load.ended", run=run.pk, file=run.file, status=run.status, reason=run.reason_code, read=run.read)
    return run


class Load:
    """One load under way."""

    def __init__(
        self, name: str, run: Run, options: LoadOptions, listener: Listener, rejects: RejectSpool, *, title: str = ""
    ) -> None:
        self.name = name
        self.title = title
        self.run = run
        self.options = options
        self.listener = listener
        self.rejects = rejects
        self.engine: Engine = engine_for(connection)
        self.begun = time.monotonic()

    def perform(self) -> None:
        """All steps. Raises `LoadError` when the file is not loaded."""
        self._find_repaired()
        with open_input(self.name, self.title) as source:
            self.run.file_size, self.run.compression = source.size, source.compression
            with self._stage("fingerprint"):
                self.run.sha256, self.content_size = source.sha256(self.options.unpacked_limit)
            if self._is_in_ledger():
                return
            with self._lock():
                # Somebody may have loaded the same content while this load waited.
                if not self._is_in_ledger():
                    self._find_repaired()
                    self._begin()
                    with self._told():
                        self._load(source)

    def _find_repaired(self) -> None:
        """At the beginning, so that a mistake is told at once, and with the lock held, which an undo takes too."""
        if self.options.repairs is not None:
            self.run.repairs = repairable(self.options.repairs)

    def _is_in_ledger(self) -> bool:
        if self.options.force:
            return False
        # Rows of two runs may be repaired with the very same words.
        loaded = Run.objects.filter(sha256=self.run.sha256, status=Run.Status.LOADED, repairs=self.run.repairs)
        if self.options.full_snapshot:
            # Loaded as a part of the truth, it has removed nothing.
            loaded = loaded.filter(options__full_snapshot=True)
        earlier = loaded.order_by("-id").first()
        if earlier is None:
            return False
        self.run.status, self.run.same_as = Run.Status.SKIPPED, earlier
        self.run.reason = (
            f"This content was loaded in run {earlier.pk} on {earlier.started_at:%Y-%m-%d %H:%M:%S} UTC "
            f"from {earlier.file}; {option('force', 'Load again')} loads it again."
        )
        self._save()
        return True

    @contextmanager
    def _lock(self) -> Iterator[None]:
        def on_wait() -> None:
            self.listener.note(f"Waiting: {holder()} holds the load lock.")

        with self.engine.lock(wait=self.options.wait, on_wait=on_wait) as held:
            if not held:
                raise Locked(holder())
            with self.engine.session():
                yield

    def _begin(self) -> None:
        if self.options.dry_run:
            return
        mark_crashed()
        self.run.save()
        self.listener.begun(self.run)

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Inside, whoever looks at the run sees how far it is; of a dry run there is nothing to look at."""
        if self.options.dry_run:
            yield
            return
        with told(self.run.pk, self.listener, self.engine) as self.listener:
            yield

    def _load(self, source: Input) -> None:
        reader = self._reader(source)
        self.run.encoding, self.run.delimiter = reader.encoding, reader.header.delimiter
        self.run.columns = reader.header.columns
        is_first = not Order.objects.exists()
        if is_first and self.engine.fills_catalogue_directly:
            self.engine.drop_indexes()
        # Reads the catalogue: inside the transaction SQLite would hold the load to what it saw then, and refuse its
        # first write if anybody else had written anything in the meantime.
        staged = StagedFile(self.engine, reader, self.rejects, self.run)
        try:
            with transaction.atomic():
                self._load_in_transaction(staged, is_first=is_first)
                transaction.set_rollback(self.options.dry_run)
                ended = time.monotonic()
        finally:
            # A load that did not come to its end, this one or an earlier one, may have left indexes out.
            self.engine.restore_indexes()
        # How long the end itself took, nobody could know inside the transaction.
        self.run.stages["commit"] = round(time.monotonic() - ended, 3)
        self._save()

    def _reader(self, source: Input) -> OrderReader:
        if self.run.repairs is None:
            return OrderReader(source, self.options.read, settings.SOURCE_TIME_ZONE)
        options = replace(self.options.read, extra_columns=REPAIR_COLUMNS)
        reader = OrderReader(source, options, settings.SOURCE_TIME_ZONE)
        check_header(reader.header)
        return reader

    def _load_in_transaction(self, staged: StagedFile, *, is_first: bool) -> None:
        with ExitStack() as stack:
            direct = is_first and self.engine.fills_catalogue_directly
            if direct:
                lock_catalogue()
            change = self._change() if direct else None
            merge = Merge(self.engine, stack.enter_context(staged.table(change)))
            with self._stage("read", self.content_size):
                staged.fill(self.listener)
            with self._stage("settle"):
                staged.settle_twins(merge, direct=direct)
            self._refuse_too_many_rejects()
            if change is None:
                lock_catalogue()
                change = self._change()
            with self._stage("overlay"):
                self._overlay(merge, change, is_first=is_first)
            with self._stage("write"):
                if is_first:
                    self._write_first(merge, staged, change, direct=direct)
                else:
                    self._write_differences(merge, staged, change)
            staged.store_new_values(change)
            self._close(change, staged.reader)

    def _overlay(self, merge: Merge, change: Change, *, is_first: bool) -> None:
        if is_first:
            merge.overlay_rules()
        else:
            self.run.caught_up, self.run.conflicts = merge.overlay(change.pk)

    def _change(self) -> Change:
        made = {"at": timezone.now(), "actor": self.run.actor}
        if self.run.repairs is None:
            return Change.objects.create(kind=Change.Kind.LOAD, **made)
        return Change.objects.create(kind=Change.Kind.REPAIR, reason=f"repair of {self.run.repairs}", **made)

    def _write_first(self, merge: Merge, staged: StagedFile, change: Change, *, direct: bool) -> None:
        self.run.inserted = staged.accepted
        if not direct:
            self.engine.drop_indexes()
            merge.write_all(change.pk)
        with self._stage("index"):
            self.engine.restore_indexes()
            self.engine.analyze(Order._meta.db_table)

    def _write_differences(self, merge: Merge, staged: StagedFile, change: Change) -> None:
        with merge.compared() as written:
            if self.options.full_snapshot:
                written.removed = merge.find_removed(
                    sorted(staged.sources), staged.kept_keys(), keep_repaired=self.rejects.count > 0
                )
                self._refuse_too_many_removals(written.removed, staged)
            merge.write(change.pk)
        self.run.inserted, self.run.updated, self.run.removed = written.inserted, written.updated, written.removed
        self.run.unchanged = staged.accepted - written.inserted - written.updated

    def _refuse_too_many_rejects(self) -> None:
        self.run.rejected = self.rejects.count
        if self.options.max_rejects.is_exceeded(self.rejects.count, self.run.read):
            raise Refused(
                "too_many_rejects",
                f"{self.rejects.count:,} of {self.run.read:,} rows are rejected; at most "
                f"{self.options.max_rejects} may be. Look at them, or raise {option('max-rejects')}.",
            )

    def _refuse_too_many_removals(self, removed: int, staged: StagedFile) -> None:
        present = Order.objects.present().filter(source__in=staged.sources).count()
        if self.options.max_removals.is_exceeded(removed, present):
            raise Refused(
                "too_many_removals",
                f"{removed:,} of {present:,} orders would be marked as removed; at most "
                f"{self.options.max_removals} may be. Is the file complete? If so, raise {option('max-removals')}.",
            )

    def _close(self, change: Change, reader: OrderReader) -> None:
        """Write the record of the work, in the transaction of the work."""
        run = self.run
        accounted = run.inserted + run.updated + run.unchanged + run.duplicate + run.rejected
        if run.read != accounted:
            raise LoadError(
                "unaccounted", f"{run.read:,} rows were read and {accounted:,} accounted for; nothing was loaded."
            )
        run.rejects_by_reason = by_frequency(self.rejects.by_reason)
        run.status, run.change = Run.Status.LOADED, change
        if not self.options.dry_run:
            self.rejects.store(run)
        if run.repairs is not None:
            self._settle_repairs(run.repairs, reader)
        self._save()
        close_change(change)

    def _settle_repairs(self, repaired: Run, reader: OrderReader) -> None:
        repairs = Repairs(self.engine, repaired)
        wrong = (reject.line for reject in self.rejects)
        with self._stage("repairs"), repairs.tables():
            repairs.name(reader.texts(LINE_COLUMN), wrong, only_open=self.options.only_open)
            self.run.repaired = repairs.count()
            if not self.options.dry_run:
                repairs.settle(self.run)

    def end_without_change(self, status: Run.Status, error: LoadError) -> None:
        """Record that, and why, the file was not loaded; its rejects are kept to look at.

        What comes after the commit, or hides its answer, takes nothing back: then the run stays loaded and only its
        report says what happened.
        """
        if not connection.in_atomic_block and connection.connection is not None and not connection.is_usable():
            # Interrupted inside a statement, it may be stuck there; Django opens another.
            connection.close()
        try:
            with transaction.atomic():
                if self._is_committed():
                    self._tell_what_followed(error)
                else:
                    self._record(status, error)
        except DatabaseError as second:
            self._describe(status, error)
            self.run.reason += f" (This could not be recorded: {second})".replace("\n", " ")

    def _is_committed(self) -> bool:
        return Run.objects.filter(pk=self.run.pk, status=Run.Status.LOADED).exists()

    def _tell_what_followed(self, error: LoadError) -> None:
        self.run.refresh_from_db()
        followed = "the process was stopped." if isinstance(error, Interrupted) else error.message
        self.run.reason_code, self.run.reason = error.code, f"The file is loaded. After that: {followed}"
        log.warning("load.trouble_after_commit", run=self.run.pk, reason=error.message)

    def _record(self, status: Run.Status, error: LoadError) -> None:
        self._describe(status, error)
        self._save()
        if not self.options.dry_run and self.run.pk and self.rejects.count:
            # The load lock is free again, so a customer may be erased at this very moment.
            lock_catalogue()
            self.rejects.store(self.run, note="nothing of the file is loaded")

    def _describe(self, status: Run.Status, error: LoadError) -> None:
        """What is true of the run when nothing is loaded."""
        run = self.run
        run.status, run.reason_code, run.reason, run.change = status, error.code, error.message, None
        run.inserted = run.updated = run.unchanged = run.removed = run.caught_up = run.conflicts = run.repaired = 0
        run.rejected, run.rejects_by_reason = self.rejects.count, by_frequency(self.rejects.by_reason)

    def _save(self) -> None:
        self.run.finished_at = timezone.now()
        self.run.seconds = round(time.monotonic() - self.begun, 3)
        if not self.options.dry_run:
            self.run.save()

    @contextmanager
    def _stage(self, name: str, total: int | None = None) -> Iterator[None]:
        self.listener.stage(name, total)
        begun = time.monotonic()
        yield
        self.run.stages[name] = round(time.monotonic() - begun, 3)


def mark_crashed() -> None:
    """With the lock held, a run that still counts as running has died without a word."""
    reason = "The process ended without a word; nothing of the file was loaded."
    Run.objects.filter(status=Run.Status.RUNNING).update(
        status=Run.Status.CRASHED, reason_code="crashed", reason=reason, finished_at=timezone.now()
    )


def holder() -> str:
    """Who holds the load lock, in words."""
    run = Run.objects.filter(status=Run.Status.RUNNING).order_by("-id").first()
    if run is None:
        return "Another load or undo"
    return (
        f"Run {run.pk} ({run.file}, started {run.started_at:%Y-%m-%d %H:%M:%S} UTC by {run.actor} "
        f"on {run.host}, process {run.process})"
    )
