"""What people do with an upload: hand it in, have it checked again or loaded, throw it away.

Each step names the states that it starts from and takes the row from one of them in a single statement, so that of two
who press a button one is told that the other was first. It also names what was `shown`: nobody decides about a check
that somebody else has had made since.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import DatabaseError
from django.utils import timezone

from catalog.changes import NotPossible
from ingestion.upload_models import Upload
from ingestion.uploads import folder
from ingestion.uploads.receiving import Received

State = Upload.State
NO_REPORT: dict[str, Any] = {"report": {}, "examples": [], "seen": None, "run": None, "reason": ""}

MOST_KEPT = 20
"""Files of one person that may lie in the folder at a time: waiting, checked, refused, but not loaded or discarded."""


def has_enough(actor: str) -> bool:
    """Whether somebody has as many files here as one person may."""
    return Upload.objects.filter(uploaded_by=actor, content__isnull=False).count() >= MOST_KEPT


def receive(file: Received, *, actor: str, **options: Any) -> Upload:
    """Keep a file that has arrived; the worker will check it. Raises OSError when it cannot be kept."""
    now = timezone.now()
    content = file.keep()
    try:
        # Only now: a row without its file would be of no use to anybody.
        return Upload.objects.create(
            file=file.name or "",
            size=file.size or 0,
            content=content,
            uploaded_by=actor,
            uploaded_at=now,
            changed_at=now,
            **options,
        )
    except DatabaseError:
        folder.remove(content)
        raise


def confirm(pk: int, shown: str, *, actor: str) -> None:
    """Have a file loaded that was checked. Raises `NotPossible`."""
    told = {"confirmed_by": actor, "confirmed_at": timezone.now(), "reason": ""}
    _move(pk, shown, [State.CHECKED], State.CONFIRMED, "loaded", **told)


def check_again(pk: int, shown: str, **options: Any) -> None:
    """Have a file checked anew, perhaps with other options. Raises `NotPossible`."""
    _move(pk, shown, Upload.CHECKABLE, State.WAITING, "checked again", **NO_REPORT, **options)


def discard(pk: int, shown: str) -> None:
    """Throw a file away that is not loaded. Raises `NotPossible`."""
    gone: dict[str, Any] = {"content": None, "examples": [], "reason": ""}
    folder.remove(_move(pk, shown, Upload.DISCARDABLE, State.DISCARDED, "discarded", **gone).content)


def _move(pk: int, shown: str, before: Sequence[str], after: str, verb: str, **values: Any) -> Upload:
    """Take an upload to another state; what it was before."""
    upload = Upload.objects.get(pk=pk)
    if upload.state not in before or upload.content is None:
        raise NotPossible("not_now", _why_not(upload, verb))
    found = Upload.objects.filter(pk=pk, state=upload.state, changed_at=upload.changed_at)
    if upload.version != shown or not found.update(state=after, changed_at=timezone.now(), **values):
        raise NotPossible(
            "changed_meanwhile",
            f"The file was not {verb}: it was taken up or checked again since you looked at it. Look at it again.",
        )
    return upload


def _why_not(upload: Upload, verb: str) -> str:
    if upload.content is None and upload.state in Upload.CHECKABLE:
        return f"The file cannot be {verb}, as it is no longer kept; upload it again."
    by = f", as {upload.confirmed_by} wants" if upload.state == State.CONFIRMED else ""
    return f"The file cannot be {verb} now: it is {upload.get_state_display()}{by}."
