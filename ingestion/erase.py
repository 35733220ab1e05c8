"""Erasing a customer: the number goes from orders, versions, corrections and rejected rows, in one transaction."""

from __future__ import annotations

import getpass
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby

from django.db import connection, transaction

from catalog.changes import NotPossible, changing
from catalog.contract import Reason, shown
from catalog.erasure import ERASED, Emptied, erase_from_catalogue, standing_alone
from catalog.fingerprints import remember
from catalog.models import Change, Source
from ingestion.errors import Locked
from ingestion.masking import NOTE, RecordMask, known_sources, layout_of
from ingestion.models import RejectedRow, RejectReason
from ingestion.pipeline import holder
from ingestion.reader.exact import Reject
from ingestion.reject_states import note_of
from ingestion.rejects import stored
from ingestion.staging import engine_for
from ingestion.upload_models import Upload

AT_ONCE = 100
"""Rejected rows that are looked at together; one of them may have many megabytes."""


@dataclass(frozen=True)
class Erasure:
    """What has lost the number. `again`: the customer was erased before."""

    emptied: Emptied
    rejects: int
    again: bool

    @property
    def found_nothing(self) -> bool:
        return not any((*vars(self.emptied).values(), self.rejects))


def erase_customer(
    source: str,
    number: int,
    *,
    reason: str,
    actor: str = "",
    dry_run: bool = False,
    wait: bool = True,
    on_wait: Callable[[str], None] = lambda holder: None,
) -> Erasure:
    """Erase a customer of a source for good; later loads and corrections do not bring the number back.

    A dry run, and a second erasure that finds nothing, leave no trace. `on_wait` is told who holds the load lock.
    Raises `NotPossible` when the source is unknown or the reason will not do, and `Locked`.
    """
    known = _source(source)
    _check_reason(reason, number)
    engine = engine_for(connection)
    with engine.lock(wait=wait, on_wait=lambda: on_wait(holder())) as held:
        if not held:
            raise Locked(holder())
        with engine.session(), transaction.atomic():
            with changing(Change.Kind.ERASURE, actor or getpass.getuser(), reason) as change:
                again = not remember(known.code, number, change)
                emptied = erase_from_catalogue(known, number, change)
                done = Erasure(emptied, mask_rejects(known.code, number), again)
                # Shown to decide on a load; to check the file again shows them again, without the number.
                Upload.objects.exclude(examples=[]).update(examples=[])
            transaction.set_rollback(dry_run or (again and done.found_nothing))
    return done


def _source(code: str) -> Source:
    found = Source.objects.filter(code=code).first() if code.isascii() else None
    if found is None:
        known = ", ".join(known_sources()) or "none yet"
        raise NotPossible("no_such_source", f"There is no source {shown(code)}; known are: {known}.")
    return found


def _check_reason(reason: str, number: int) -> None:
    if not reason.strip():
        raise NotPossible("no_reason", "Say why the customer is erased; the reason is kept for good.")
    if any("\ud800" <= character <= "\udfff" for character in reason):
        raise NotPossible(
            "not_text", f"The reason {shown(reason)} has bytes that are not text in UTF-8; write it again."
        )
    if standing_alone(number).search(reason):
        raise NotPossible(
            "number_in_reason",
            "The reason holds the customer's number and is kept for good; write it without the number.",
        )


def mask_rejects(source: str, number: int) -> int:
    """Mask the number in the rejected rows of all runs, as a load would do it now; how many held it."""
    sources = known_sources()
    count = 0
    for rows in _with_digits(number):
        masked = []
        for run, of_run in groupby(rows, key=lambda row: row.run):
            mask = RecordMask(lambda code, digits: (code, digits) == (source, number), sources, layout_of(run))
            masked += [row for row in of_run if _mask_row(row, mask, number)]
        count += RejectedRow.objects.bulk_update(masked, ["raw", "raw_bytes", "note", "state"])
    return count


def _with_digits(number: int) -> Iterator[list[RejectedRow]]:
    """The rejected rows in which these digits stand, some at a time."""
    found = RejectedRow.objects.filter(raw__contains=str(number)).select_related("run").order_by("id")
    rows = list(found[:AT_ONCE])
    while rows:
        yield rows
        rows = list(found.filter(id__gt=rows[-1].pk)[:AT_ONCE])


def _mask_row(row: RejectedRow, mask: RecordMask, number: int) -> bool:
    """Mask a row, and store what is said against it; its own fields are left for the caller to store."""
    said = list(RejectReason.objects.filter(reject=row).order_by("id"))
    raw = row.raw.encode() if row.raw_bytes is None else bytes(row.raw_bytes)
    before = Reject(row.line, raw, [Reason(r.code, r.column, r.value, r.message) for r in said])
    after = mask.masked(before)
    if after is before:
        return False
    for name, value in stored(after.raw).items():
        setattr(row, name, value)
    row.note = standing_alone(number).sub(ERASED, row.note)
    if row.state == RejectedRow.State.REPAIRED:
        # When its repair is undone, it is not open again.
        row.note = NOTE
    elif row.state == RejectedRow.State.OPEN or (row.note == note_of(row.run) and row.settled_at is None):
        # It must not be open again when an undo is undone.
        row.state, row.note = RejectedRow.State.DISMISSED, NOTE
    for old, new in zip(said, after.reasons, strict=True):
        old.value, old.message = new.value, new.message
    RejectReason.objects.bulk_update(said, ["value", "message"])
    return True
