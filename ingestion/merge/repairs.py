"""What a load of rejected rows that were put right does to those: set by set, in the transaction of the load.

`repairs` is a small table of the load's own: the line of each row, and the id of the rejected row that it names.
`wrong` has the lines of those that were rejected again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import islice

import pyarrow as pa
from django.db import models
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL
from django.utils import timezone

from catalog.contract import BLANKS, Reason, shown
from ingestion.errors import Refused
from ingestion.merge import sql
from ingestion.models import LINES_PER_RUN, RejectedRow, RejectRepair, Run, reject_id
from ingestion.reader.header import Header
from ingestion.reader.repair_columns import LINE_COLUMN
from ingestion.staging import Engine

REPAIRS, WRONG = ('"ingestion_repairs"', '"ingestion_wrong"')
REJECTS = f'"{RejectedRow._meta.db_table}"'
AT_ONCE = 10_000

UNKNOWN = (
    f"SELECT p.line, p.reject FROM {REPAIRS} p LEFT JOIN {REJECTS} r ON r.id = p.reject "
    "WHERE r.id IS NULL ORDER BY p.line LIMIT 1"
)
NAMED = f"SELECT reject FROM {REPAIRS}"
NOT_REPAIRED = f"SELECT p.reject FROM {REPAIRS} p JOIN {WRONG} w ON w.line = p.line"

# Orders to which a repair that is in force has given a state.
KEEP_REPAIRED = (
    "INSERT INTO {kept} (key) SELECT key FROM {orders} WHERE change_id IN ({changes}) UNION "
    "SELECT key FROM {versions} WHERE change_id IN ({changes}) ON CONFLICT DO NOTHING"
).format(
    kept=sql.KEPT,
    orders=sql.ORDERS,
    versions=sql.VERSIONS,
    changes=f"SELECT change_id FROM \"{Run._meta.db_table}\" WHERE kind = 'repair' AND status = 'loaded'",
)

# What a person has dismissed stays so, even where a file has it again. Takes the new run.
REMEMBER = (
    f'INSERT INTO "{RejectRepair._meta.db_table}" (reject_id, run_id) SELECT DISTINCT p.reject, %s FROM {REPAIRS} p '
    f"JOIN {REJECTS} r ON r.id = p.reject WHERE r.state <> 'dismissed' AND p.reject NOT IN ({NOT_REPAIRED})"
)

# Where a problem stays open is told by the row that is wrong again. Takes the new run.
REFER_BACK = (
    f"UPDATE {REJECTS} AS n SET note = "
    "CASE o.state WHEN 'open' THEN 'was still wrong; see line ' ELSE 'settled before as line ' END "
    f"|| o.line || ' of run ' || o.run_id FROM {REPAIRS} p JOIN {REJECTS} o ON o.id = p.reject "
    "WHERE n.run_id = %s AND n.line = p.line"
)


def repairable(number: int) -> Run:
    """The run with this number, whose rejected rows may be repaired. Raises `Refused`."""
    run = Run.objects.filter(pk=number).first() if 0 < number < LINES_PER_RUN else None
    if run is None:
        raise Refused("no_such_run", f"There is no run {number}.")
    if run.why_not_repairable:
        raise Refused("not_loaded", run.why_not_repairable)
    return run


def check_header(header: Header) -> None:
    """Without its line nobody knows which rejected row a row repairs. Raises `Refused`."""
    if LINE_COLUMN not in header.names:
        raise Refused(
            "missing_column",
            f"The header lacks {LINE_COLUMN}, the line of the rejected row that each row repairs; begin with a file "
            "of export_rejects, which has it.",
        )


class Repairs:
    """The rejected rows of one run that a load repairs."""

    def __init__(self, engine: Engine, repaired: Run) -> None:
        self.engine = engine
        self.repaired = repaired

    @contextmanager
    def tables(self) -> Iterator[None]:
        """What the other methods work on."""
        line: tuple[str, models.Field] = ("line", models.BigIntegerField())
        with ExitStack() as stack:
            for name, extra in (("ingestion_repairs", [("reject", models.BigIntegerField())]), ("ingestion_wrong", [])):
                stack.enter_context(self.engine.scratch_table(name, [line, *extra], key=True))
            yield

    def name(self, texts: Iterable[tuple[int, str | Reason]], wrong: Iterable[int], *, only_open: bool) -> None:
        """Take down which rejected row each row of the file names, and which lines are `wrong` again.

        Raises `Refused` when a row names none; with `only_open`, also when one is settled already.
        """
        pairs = ((line, self._reject(line, text)) for line, text in texts)
        self.engine.write(REPAIRS, ["line", "reject"], tables_of(pairs, "line", "reject"))
        self.engine.write(WRONG, ["line"], tables_of(((line,) for line in wrong), "line"))
        for line, reject in self.engine.rows(UNKNOWN):
            raise self._unknown(line, str(reject % LINES_PER_RUN))
        settled = RejectedRow.objects.filter(pk__in=RawSQL(NAMED, [])).exclude(state=RejectedRow.State.OPEN)
        if only_open and (first := settled.order_by("pk").first()):
            raise Refused("settled_already", settled_already(first))

    def _reject(self, line: int, text: str | Reason) -> int:
        if isinstance(text, Reason):
            raise Refused(
                "unknown_reject",
                f"Line {line} does not say which rejected row it repairs: {text.message}. Put the line right.",
            )
        digits = text.strip(BLANKS)
        if not (digits.isascii() and digits.isdecimal() and len(digits) < len(str(LINES_PER_RUN))):
            raise self._unknown(line, text)
        return reject_id(self.repaired.pk, int(digits))

    def _unknown(self, line: int, text: str) -> Refused:
        return Refused(
            "unknown_reject",
            f"Line {line} has {shown(text)} as its {LINE_COLUMN}, but run {self.repaired.pk} rejected no such line. "
            "Take the number from a file of export_rejects; a row that was never rejected belongs in another file.",
        )

    def count(self) -> int:
        """How many open rejected rows are repaired: those of which every row was accepted."""
        return self._now_repaired().count()

    def settle(self, run: Run) -> None:
        """Write down what became of the rejected rows, and that what `run` rejects is open in one place only."""
        by = {"settled_by": run.actor, "settled_at": timezone.now()}
        RejectedRow.objects.filter(run=run).update(state=RejectedRow.State.DISMISSED, **by)
        self.engine.execute(REFER_BACK, [run.pk])
        self.engine.execute(REMEMBER, [run.pk])
        self._now_repaired().update(state=RejectedRow.State.REPAIRED, repaired_by=run, note="", **by)

    @staticmethod
    def _now_repaired() -> QuerySet[RejectedRow]:
        named = RejectedRow.objects.filter(state=RejectedRow.State.OPEN, pk__in=RawSQL(NAMED, []))
        return named.exclude(pk__in=RawSQL(NOT_REPAIRED, []))


def settled_already(row: RejectedRow) -> str:
    """What whoever comes second is told."""
    if not row.settled_by:
        return f"Line {row.line} of run {row.run_id} is {row.state} already: {row.note}."
    by = f" in run {row.repaired_by_id}" if row.state == RejectedRow.State.REPAIRED else ""
    return f"Line {row.line} of run {row.run_id} was {row.state} by {row.settled_by}{by} already."


def tables_of(rows: Iterable[tuple[int, ...]], *names: str) -> Iterator[pa.Table]:
    """Rows of numbers in portions, as `Engine.write` takes them."""
    rows = iter(rows)
    while some := list(islice(rows, AT_ONCE)):
        yield pa.table(
            {name: pa.array(column, pa.int64()) for name, column in zip(names, zip(*some, strict=True), strict=True)}
        )
