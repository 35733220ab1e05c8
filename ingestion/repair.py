"""Rejected rows put right: read into the contract's fields, checked, loaded again, dismissed, exported."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Iterable, Iterator, Sequence

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from catalog.changes import NotPossible, lock_catalogue
from catalog.contract import COLUMNS, NAMES, Column, ValueRefused, check_row, check_value
from catalog.spreadsheets import harmless
from ingestion.errors import LoadError, Locked
from ingestion.masking import layout_of
from ingestion.merge.repairs import repairable, settled_already
from ingestion.models import RejectedRow, Run
from ingestion.options import Limit, LoadOptions
from ingestion.pipeline import load_file
from ingestion.progress import Silent
from ingestion.reader.exact import split_record
from ingestion.reader.header import Header
from ingestion.reader.records import Record
from ingestion.reader.repair_columns import LINE_COLUMN, REPAIR_COLUMNS

Texts = Sequence[str]
"""Twelve texts in contract order, as they stand in a file."""

ALL = Limit(100, is_percent=True)

MAX_CELL = 30_000
"""Characters of a record in a file of rejected rows; a spreadsheet's cell takes no more. The whole record is kept."""

AT_ONCE = 100
"""Rejected rows that are read at a time: they can be large."""

PIECE = 64 * 1024
"""Characters of CSV that are handed on together, or a little more."""


def fields_of(row: RejectedRow, header: Header | None = None) -> list[str] | None:
    """The twelve texts of a rejected row as they stood in the file, or None when it cannot be split into fields."""
    if row.raw_bytes is not None:
        return None
    header = header or layout_of(row.run)
    fields, reasons = split_record(Record(row.line, row.raw.encode()), header)
    return None if reasons else [fields[position] for position in header.positions]


def check(texts: Texts) -> dict[str, str]:
    """What the contract has against the texts, by column; nothing, if they can be loaded."""
    _, reasons = check_row(texts, settings.SOURCE_TIME_ZONE)
    return {reason.column: f"{reason.message}." for reason in reasons}


def replay(run: Run, rows: Iterable[tuple[RejectedRow, Texts]], *, actor: str) -> Run:
    """Load rejected rows of a run with these texts, all in one run, and return that.

    Raises `NotPossible`, and changes nothing, when one of them is settled already, the run's file is not loaded, or
    another load is under way.
    """
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", newline="", prefix="repair-", suffix=".csv") as file:
        write = csv.writer(file).writerow
        write((*NAMES, LINE_COLUMN))
        for row, texts in rows:
            write((*texts, row.line))
        file.flush()
        # The same words may be right again after an undo or for another row: the ledger has no say here.
        options = LoadOptions(repairs=run.pk, only_open=True, force=True, max_rejects=ALL, wait=False)
        try:
            done = load_file(file.name, options, Silent(), actor=actor, title=f"repair of {run}")
        except Locked as locked:
            raise NotPossible(locked.code, locked.message) from locked
    if done.status != Run.Status.LOADED:
        raise NotPossible(done.reason_code, done.reason)
    return done


def dismiss(rows: QuerySet[RejectedRow], *, actor: str, reason: str) -> int:
    """Settle open rows as not worth loading; their number. Raises `NotPossible` without a reason."""
    if not reason.strip():
        raise NotPossible("no_reason", "Say why the row is dismissed; the reason is kept with it.")
    with transaction.atomic():
        # A repair that is being loaded would not notice.
        lock_catalogue()
        found = RejectedRow.objects.filter(pk__in=rows.order_by().values("pk"), state=RejectedRow.State.OPEN)
        return found.update(
            state=RejectedRow.State.DISMISSED,
            repaired_by=None,
            settled_by=actor,
            settled_at=timezone.now(),
            note=reason.strip(),
        )


def dismiss_one(row: RejectedRow, *, actor: str, reason: str) -> None:
    """Dismiss one row. Raises `NotPossible` when it is settled already, whoever did that."""
    if not dismiss(RejectedRow.objects.filter(pk=row.pk), actor=actor, reason=reason):
        raise NotPossible("settled_already", settled_already(RejectedRow.objects.get(pk=row.pk)))


def open_rows(run: Run) -> QuerySet[RejectedRow]:
    """The rows of a run that wait for somebody, in the order of the file."""
    return RejectedRow.objects.filter(run=run, state=RejectedRow.State.OPEN).order_by("pk")


def exported(number: int) -> Iterator[list[str]]:
    """The open rejected rows of a run as the rows of a CSV file that `--repairs` takes back, its header first.

    Raises `NotPossible` when they cannot be repaired.
    """
    try:
        run = repairable(number)
    except LoadError as error:
        raise NotPossible(error.code, error.message) from error
    return _exported(run)


def _exported(run: Run) -> Iterator[list[str]]:
    yield [*NAMES, *REPAIR_COLUMNS]
    header = layout_of(run)
    for row in _some_at_a_time(run):
        texts = fields_of(row, header) or [""] * len(NAMES)
        reasons = list(row.reasons.all())
        said = "; ".join(f"{r.column}: {r.message}" if r.column else r.message for r in reasons)
        raw = row.raw if len(row.raw) <= MAX_CELL else f"{row.raw[:MAX_CELL]}… {len(row.raw) - MAX_CELL:,} more"
        yield [
            *(unless_valid(text, column) for text, column in zip(texts, COLUMNS, strict=True)),
            *(str(row.line), " ".join(dict.fromkeys(r.code for r in reasons)), harmless(said), harmless(raw)),
        ]


def _some_at_a_time(run: Run) -> Iterator[RejectedRow]:
    """The open rows of a run; no query stays open while somebody takes them in slowly, or runs into a time limit."""
    last = 0
    while rows := list(open_rows(run).filter(pk__gt=last).prefetch_related("reasons")[:AT_ONCE]):
        yield from rows
        last = rows[-1].pk


def as_csv(rows: Iterable[list[str]]) -> Iterator[bytes]:
    """Rows as CSV in UTF-8, some lines at a time."""
    text = io.StringIO(newline="")
    write = csv.writer(text).writerow
    for row in rows:
        write(row)
        if text.tell() > PIECE:
            yield text.getvalue().encode()
            text.seek(0)
            text.truncate()
    yield text.getvalue().encode()


def unless_valid(text: str, column: Column) -> str:
    """`text` made harmless for spreadsheets, unless it is a value that its column takes."""
    neutral = harmless(text)
    if neutral == text:
        return text
    try:
        check_value(column, text, settings.SOURCE_TIME_ZONE)
    except ValueRefused:
        return neutral
    return text
