"""Staged rows -> catalogue: settle what the file says twice, compare, keep what is superseded, write."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from django.db import models

from catalog.models import Order, field_of
from ingestion.merge import overlay, sql, undo_sql
from ingestion.merge.repairs import KEEP_REPAIRED
from ingestion.staging import Engine

KEY: tuple[str, models.Field] = ("key", models.BigIntegerField())
LINE: tuple[str, models.Field] = ("line", models.BigIntegerField())


@dataclass(frozen=True)
class Clash:
    """A row whose key another row of the same file has with other values; `first_line` is the first of them."""

    line: int
    source: str
    order_id: int
    first_line: int


@dataclass
class Written:
    """How many orders the merge wrote."""

    inserted: int = 0
    updated: int = 0
    removed: int = 0


class Merge:
    """The steps of one load, in the load's transaction. `staged` is the quoted name of the staging table."""

    def __init__(self, engine: Engine, staged: str) -> None:
        self.engine = engine
        self.staged = staged

    def settle_twins(self, on_clashes: Callable[[Iterator[Clash]], None]) -> int:
        """Drop repeated rows, and all rows of keys with different ones; the number of repeated rows.

        `on_clashes` is given the clashing rows by line, and must use them up before it returns.
        """
        with self._tables("twins", "clashes"):
            if not self.engine.execute(sql.find_twins(self.staged)):
                return 0
            if self.engine.execute(sql.find_clashes(self.staged)):
                on_clashes(Clash(*row) for row in self.engine.rows(sql.clashing_rows(self.staged)))
                self.engine.execute(sql.delete_clashes(self.staged))
            return self.engine.execute(sql.delete_repeats(self.staged))

    def overlay(self, change: int) -> tuple[int, int]:
        """Turn what the source says into what the catalogue shows.

        Returns how many corrections have retired because the source caught up, and how many are in conflict now.
        """
        with self._tables("corrected"):
            outcome = overlay.overlay_corrections(self.engine, self.staged, change)
        self.overlay_rules()
        return outcome

    def overlay_rules(self) -> None:
        """The same where there can be no correction yet: in an empty catalogue."""
        overlay.overlay_rules(self.engine, self.staged)

    @contextmanager
    def compared(self) -> Iterator[Written]:
        """Compare with the catalogue; inside, the differences stand ready to be written."""
        with self._tables("delta"):
            self.engine.execute(sql.compare(self.staged))
            yield Written(inserted=self._count("is_new IS TRUE"), updated=self._count("is_new IS FALSE"))

    @contextmanager
    def everything(self) -> Iterator[Written]:
        """Like `compared`, but every staged row is taken for different."""
        with self._tables("delta"):
            self.engine.execute(undo_sql.all_differ(self.staged))
            yield Written(inserted=self._count("is_new IS TRUE"), updated=self._count("is_new IS FALSE"))

    def find_removed(self, sources: Sequence[str], kept: Iterator[int], *, keep_repaired: bool) -> int:
        """Find the orders that a full snapshot no longer has, apart from the `kept` keys; their number.

        `keep_repaired`: nor those that a person has put right, as they may be what cannot be read of the file.
        """
        if not sources:
            return 0
        with self._tables("kept"):
            for key in kept:
                self.engine.execute(sql.keep_key(), [key])
            if keep_repaired:
                self.engine.execute(KEEP_REPAIRED)
            return self.engine.execute(sql.find_removed(self.staged, len(sources)), sources)

    def write(self, change: int) -> None:
        """Write the differences and the history of what they supersede."""
        self.engine.execute(sql.keep_versions(), [change])
        self.engine.execute(sql.update(self.staged), [change])
        self.engine.execute(sql.mark_removed(), [change])
        self.engine.execute(sql.insert_new(self.staged), [change])

    def write_all(self, change: int) -> None:
        """Write every staged row into the empty catalogue."""
        self.engine.execute(sql.insert_all(self.staged), [change])

    def _count(self, condition: str) -> int:
        return int(self.engine.value(f"SELECT count(*) FROM {sql.DELTA} WHERE {condition}"))

    @contextmanager
    def _tables(self, *wanted: str) -> Iterator[None]:
        extra: dict[str, list[tuple[str, models.Field]]] = {
            "twins": [LINE],
            "corrected": [(name, field_of(Order, name)) for name in (*overlay.FIELDS, *sql.LAYER)],
            "delta": [("is_new", models.BooleanField(null=True))],
        }
        with ExitStack() as stack:
            for name in wanted:
                table = self.engine.scratch_table(f"ingestion_{name}", [KEY, *extra.get(name, [])], key=True)
                stack.enter_context(table)
            yield
