"""What the worker does with uploads: checks and loads them, as the command would, and clears up."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from typing import Any

import structlog
from django.db import connection, transaction
from django.utils import timezone

from catalog.changes import latest_change, lock_catalogue
from ingestion.errors import Interrupted, LoadError
from ingestion.masking import mask_for
from ingestion.models import Run
from ingestion.pipeline import load_file, mark_crashed
from ingestion.progress import Silent
from ingestion.reader.exact import Reject
from ingestion.rejects import portions, stored
from ingestion.report import as_dict
from ingestion.staging import engine_for
from ingestion.upload_models import Upload
from ingestion.uploads import folder

log = structlog.get_logger(__name__)

State = Upload.State
Status = Run.Status

EXAMPLES = 20
SHOWN_CHARACTERS = 2000
KEPT = timedelta(days=7)
"""How long a file waits for somebody; after that it is deleted, and with it all that is known of it but its run."""

BEGINS = {State.WAITING: State.CHECKING, State.CONFIRMED: State.LOADING}
CHECKED = {Status.LOADED: State.CHECKED, Status.SKIPPED: State.SKIPPED, Status.REFUSED: State.REFUSED}
"""What a dry run shows of a file; whatever else comes of it is a failure. A load ends alike, but for the first."""
LOADED = CHECKED | {Status.LOADED: State.LOADED, Status.UNDONE: State.LOADED}


BROKEN_OFF = "The worker was killed here, or lost the database; nothing of the file was loaded. Check it again."
GONE = "The file is not in the folder of uploads of the worker, which must be that of the site. Upload it again."
Guard = Callable[[], AbstractContextManager[None]]


class Watcher(Silent):
    """Keeps what the page of an upload shows: what is being done, its run, the first rows that are rejected."""

    def __init__(self, upload: Upload) -> None:
        self._upload = upload
        self._stage, self._total, self._bytes, self._rows, self._said = "", 0, 0, 0, 0
        self.rejects: list[Reject] = []

    def stage(self, name: str, total: int | None = None) -> None:
        """See `Listener`."""
        self._stop_if_discarded()
        self._stage, self._total, self._bytes, self._rows, self._said = name, total or 0, 0, 0, 0
        self.note(f"Stage: {name}.")

    def advance(self, size: int, rows: int) -> None:
        """See `Listener`."""
        self._stop_if_discarded()
        self._bytes += size
        self._rows += rows
        percent = min(100, 100 * self._bytes // self._total) if self._total else 0
        if percent > self._said:
            self._said = percent
            self.note(f"Stage: {self._stage}, {percent} %, {self._rows:,} rows.")

    def _stop_if_discarded(self) -> None:
        # With the upload its file goes, which can be seen from within a transaction as well.
        if self._upload.state == State.CHECKING and not folder.path_of(self._upload.stored_as).exists():
            raise LoadError("discarded", "The file was discarded while it was being checked.")

    def note(self, sentence: str) -> None:
        """See `Listener`."""
        folder.tell(self._upload.stored_as, sentence)

    def begun(self, run: Run) -> None:
        """See `Listener`. Known before anything is loaded, the run tells what became of it, whatever happens to us."""
        Upload.objects.filter(pk=self._upload.pk).update(run=run)

    def rejected(self, rejects: Iterable[Reject]) -> None:
        """See `Listener`."""
        self.rejects = next(iter(portions(rejects)), [])[:EXAMPLES]


def work_once(guard: Guard = nullcontext) -> bool:
    """Take up the upload that has waited longest; False if none waits.

    Only the one worker calls this, so that what is still at work was left behind. It may be stopped by an `Interrupted`
    inside `guard`.
    """
    for left in Upload.objects.filter(state__in=Upload.AT_WORK):
        _recover(left, guard)
    upload = Upload.objects.filter(state__in=Upload.QUEUE).order_by("changed_at", "id").first()
    if upload is None:
        return False
    try:
        _take_up(upload, State(upload.state), guard)
    except OSError as error:
        # Not of the file, which the load itself would have told, but of the place where it lies or of a disk.
        log.exception("upload.trouble", upload=upload.pk)
        _settle_after_trouble(upload, error, guard)
    return True


def _take_up(upload: Upload, before: State, guard: Guard) -> None:
    if not folder.path_of(upload.stored_as).exists():
        _moved(upload, before, State.FAILED, reason=GONE)
    elif _moved(upload, before, BEGINS[before]):
        log.info("upload.begun", upload=upload.pk, file=upload.file, state=upload.state)
        _check(upload, guard) if before == State.WAITING else _load(upload, guard)
        log.info("upload.ended", upload=upload.pk, file=upload.file, state=upload.state, run=upload.run_id)


def _settle_after_trouble(upload: Upload, error: OSError, guard: Guard) -> None:
    """Say it of the upload, so that the worker can go on; of one whose load had begun, the run tells what became."""
    upload.refresh_from_db()
    if upload.state == State.LOADING and upload.run_id is not None:
        _recover(upload, guard)
    elif upload.is_under_way:
        reason = f"The worker could not go on: {error.strerror or error}. Tell whoever runs it, then check it again."
        _moved(upload, upload.state, State.FAILED, reason=reason)


def _moved(upload: Upload, before: str, after: str, **values: Any) -> bool:
    """Whether the upload was still in that state, and is in the next one now."""
    values |= {"state": after, "changed_at": timezone.now()}
    if not Upload.objects.filter(pk=upload.pk, state=before).update(**values):
        return False
    for name, value in values.items():
        setattr(upload, name, value)
    return True


def _run(upload: Upload, watcher: Watcher, guard: Guard, *, dry_run: bool) -> Run | None:
    """The run; None when the worker was stopped."""
    path = str(folder.path_of(upload.stored_as))
    actor = upload.uploaded_by if dry_run else upload.confirmed_by
    try:
        with guard():
            run = load_file(path, upload.options(dry_run=dry_run), watcher, actor=actor, title=upload.file)
        # Stopped after its commit, it is loaded.
        is_stopped = run.reason_code == Interrupted.CODE and run.status != Run.Status.LOADED
        return None if is_stopped else run
    except Interrupted:
        # Before or after the load's own care for it.
        return None
    finally:
        folder.tell_no_more(upload.stored_as)


def _check(upload: Upload, guard: Guard) -> None:
    watcher, seen = Watcher(upload), latest_change()
    run = _run(upload, watcher, guard, dry_run=True)
    if run is None:
        _put_back(upload, State.CHECKING, State.WAITING)
        return
    with transaction.atomic():
        if watcher.rejects:
            # A customer who is erased from here on takes the examples away.
            lock_catalogue()
        is_kept = _moved(
            upload,
            State.CHECKING,
            CHECKED.get(Status(run.status), State.FAILED),
            reason=run.reason,
            report=as_dict(run, dry_run=True),
            examples=_examples(run, watcher.rejects),
            seen=seen,
        )
    if not is_kept:
        # Somebody has discarded it meanwhile, and nobody asks for the report.
        upload.state = State.DISCARDED


def _examples(run: Run, rejects: list[Reject]) -> list[dict[str, Any]]:
    """Rejected rows as the page shows them, without the numbers of erased customers."""
    mask = mask_for(run) if rejects else None
    found = rejects if mask is None else [mask.masked(reject) for reject in rejects]
    return [
        {
            "line": reject.line,
            "raw": stored(reject.raw)["raw"][:SHOWN_CHARACTERS],
            "reasons": [[reason.code, reason.message] for reason in reject.reasons],
        }
        for reject in found
    ]


def _load(upload: Upload, guard: Guard) -> None:
    run = _run(upload, Watcher(upload), guard, dry_run=False)
    if run is not None:
        _settle(upload, run)
    elif not Run.objects.filter(upload=upload, status=Status.LOADED).exists():
        _put_back(upload, State.LOADING, State.CONFIRMED)


def _settle(upload: Upload, run: Run) -> None:
    """Say what became of a load; what is loaded need not be kept."""
    state = LOADED.get(Status(run.status), State.FAILED)
    content = upload.content
    gone = {"content": None} if state == State.LOADED else {}
    recorded = run if run.pk else None
    if _moved(upload, State.LOADING, state, reason=run.reason, run=recorded, examples=[], **gone) and gone:
        folder.remove(content)


def _put_back(upload: Upload, before: str, after: str) -> None:
    """The worker was told to end: the next one begins this anew."""
    _moved(upload, before, after, run=None, reason="The worker was stopped; this begins anew when it is started.")


def _recover(upload: Upload, guard: Guard) -> None:
    """What a worker has left behind that was killed, or that had lost the database when it came to its end."""
    if upload.state == State.LOADING and upload.run_id is not None:
        # With the lock it is sure that the database has nothing more to do for it.
        with guard(), engine_for(connection).lock(wait=True, on_wait=lambda: None):
            mark_crashed()
            run = Run.objects.get(pk=upload.run_id)
        _settle(upload, run)
    else:
        _moved(upload, upload.state, State.FAILED, reason=BROKEN_OFF)
    log.warning("upload.left_behind", upload=upload.pk, file=upload.file, state=upload.state, reason=upload.reason)


def clear_up() -> None:
    """Forget uploads that nobody has come back to, and delete files that belong to none."""
    old = Upload.objects.filter(changed_at__lt=timezone.now() - KEPT)
    resting = old.exclude(state__in=(*Upload.QUEUE, *Upload.AT_WORK))
    forgotten, _ = resting.filter(run=None).delete()
    resting.filter(content__isnull=False).update(content=None, examples=[])
    kept = set(Upload.objects.filter(content__isnull=False).values_list("content", flat=True))
    deleted = folder.sweep({content for content in kept if content}, older_than=timedelta(days=1).total_seconds())
    if forgotten or deleted:
        log.info("upload.cleared_up", uploads=forgotten, files=deleted)
