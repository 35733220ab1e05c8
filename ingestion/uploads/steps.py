"""What people do with an upload: hand it in, have it checked again or loaded, throw it away.

Each step names the states that it starts from and takes the row from one of them in a single statement, so that of two
who press a button one is told that the other was first.
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


def confirm(pk: int, *, actor: str) -> None:
    """Have a file loaded that was checked. Raises `NotPossible`."""
    _move(pk, [State.CHECKED], State.CONFIRMED, "loaded", confirmed_by=actor, confirmed_at=timezone.now(), reason="")


def check_again(pk: int, **options: Any) -> None:
    """Have a file checked anew, perhaps with other options. Raises `NotPossible`."""
    _move(pk, Upload.CHECKABLE, State.WAITING, "checked again", **NO_REPORT, **options)


def discard(pk: int) -> None:
    """Throw a file away that is not loaded. Raises `NotPossible`."""
    content = Upload.objects.filter(pk=pk).values_list("content", flat=True).first()
    _move(pk, Upload.DISCARDABLE, State.DISCARDED, "discarded", content=None, examples=[], reason="")
    folder.remove(content)


def _move(pk: int, before: Sequence[str], after: str, verb: str, **values: Any) -> None:
    found = Upload.objects.filter(pk=pk, state__in=before, content__isnull=False)
    if not found.update(state=after, changed_at=timezone.now(), **values):
        raise NotPossible("not_now", _why_not(Upload.objects.get(pk=pk), verb))


def _why_not(upload: Upload, verb: str) -> str:
    if upload.content is None and upload.state in Upload.CHECKABLE:
        return f"The file cannot be {verb}, as it is no longer kept; upload it again."
    by = f", as {upload.confirmed_by} wants" if upload.state == State.CONFIRMED else ""
    return f"The file cannot be {verb} now: it is {upload.get_state_display()}{by}."
