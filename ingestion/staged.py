"""One file on its way into the staging table, and what is learnt of it on that way."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from catalog.contract import CODE_COLUMNS, COLUMNS, Reason
from catalog.keys import MAX_SOURCE_NUMBER, ORDERS_PER_SOURCE, order_key
from catalog.models import Change, KnownValue, Order, Source
from ingestion.errors import Refused
from ingestion.masking import ErasedInBatches
from ingestion.merge.sql import LAYER, ORDERS
from ingestion.merge.steps import Clash, Merge
from ingestion.models import Run
from ingestion.progress import Listener, read_ahead
from ingestion.reader.batches import Batch, OrderReader
from ingestion.reader.exact import Reject
from ingestion.rejects import RejectSpool
from ingestion.staging import STAGED_COLUMNS, Engine

MAX_NEW_VALUES = 1000
"""New codes of one column that a run reports and remembers. More are no vocabulary but a wrong column."""


class StagedFile:
    """Fills the staging table from a reader; counts what it reads in the run, and spools the rejects."""

    def __init__(self, engine: Engine, reader: OrderReader, rejects: RejectSpool, run: Run) -> None:
        self.engine = engine
        self.reader = reader
        self.rejects = rejects
        self.run = run
        self.accepted = 0
        self.run.missing = {column.name: 0 for column in COLUMNS if not column.required}
        self.sources: set[str] = set()
        self._erased = ErasedInBatches()
        self._numbers = dict(Source.objects.values_list("code", "number"))
        self._new_numbers: dict[str, int] = {}
        self._known: dict[str, set[str]] = {name: set() for name in CODE_COLUMNS}
        for name, value in KnownValue.objects.values_list("field", "value"):
            self._known[name].add(value)
        self._new: dict[str, set[str]] = {name: set() for name in CODE_COLUMNS}

    @contextmanager
    def table(self, change: Change | None) -> Iterator[str]:
        """The quoted name of the table to fill: the catalogue's own when a `change` is given, else one to merge."""
        self._change = change
        if change is not None:
            self._table = ORDERS
            yield ORDERS
            return
        fields: dict[str, Any] = {name: Order._meta.get_field(name) for name in (*STAGED_COLUMNS, *LAYER)}
        with self.engine.scratch_table("ingestion_staged", fields.items(), key=False) as name:
            self._table = name
            yield name

    def fill(self, listener: Listener) -> None:
        """Read the whole file into the table."""
        columns = [*STAGED_COLUMNS, "change_id"] if self._change else list(STAGED_COLUMNS)
        with closing(self._batches(listener)) as batches:
            self.engine.write(self._table, columns, batches)

    def _batches(self, listener: Listener) -> Generator[pa.Table]:
        with closing(read_ahead(self.reader.batches())) as ahead:
            for batch in ahead:
                self._take_note(batch)
                if batch.rows.num_rows:
                    yield self._with_keys(self._erased.blanked(batch.rows))
                listener.advance(batch.bytes, batch.read)

    def _take_note(self, batch: Batch) -> None:
        self.run.read += batch.read
        self.accepted += batch.rows.num_rows
        self.rejects.add(batch.rejects)
        for name in self.run.missing:
            self.run.missing[name] += batch.rows[name].null_count
        for name in CODE_COLUMNS:
            for value in _distinct(batch.rows[name]):
                if name == "source":
                    self.sources.add(value)
                if value not in self._known[name] and len(self._new[name]) < MAX_NEW_VALUES:
                    self._new[name].add(value)

    def _with_keys(self, rows: pa.Table) -> pa.Table:
        sources = rows["source"].combine_chunks()
        # A code of the dictionary may stand on rejected rows only.
        present = set(_distinct(rows["source"]))
        codes = sources.dictionary.to_pylist()
        numbers = np.array([self._number(code) if code in present else 0 for code in codes], dtype=np.int64)
        keys = numbers[sources.indices.to_numpy()] * ORDERS_PER_SOURCE + rows["order_id"].to_numpy()
        table = rows.add_column(0, "key", pa.array(keys))
        if self._change is not None:
            table = table.append_column("change_id", pa.repeat(pa.scalar(self._change.pk, pa.int64()), len(table)))
        return table

    def _number(self, source: str) -> int:
        if source and source not in self._numbers:
            self._numbers[source] = max(self._numbers.values(), default=0) + 1
            self._new_numbers[source] = self._numbers[source]
            if self._numbers[source] > MAX_SOURCE_NUMBER:
                raise Refused("too_many_sources", f"More than {MAX_SOURCE_NUMBER:,} sources: is the column right?")
        return self._numbers.get(source, 0)

    def settle_twins(self, merge: Merge, *, direct: bool) -> None:
        """Count and drop repeated rows; reject those that contradict each other."""
        if direct and self.engine.add_unique_key():
            return
        before = self.rejects.count
        self.run.duplicate = merge.settle_twins(self._reject_clashes)
        self.accepted = self.run.read - self.rejects.count - self.run.duplicate
        if self.rejects.count > before:
            self._forget_rejected_values()

    def _forget_rejected_values(self) -> None:
        """Codes that stand on rejected rows only are not new to the catalogue: it does not have them."""
        for name, values in self._new.items():
            if values:
                sql = f"SELECT DISTINCT {self.engine.quote(name)} FROM {self._table}"  # noqa: S608  names of the model
                values &= {code for (code,) in self.engine.rows(sql)}
        self._new_numbers = {code: n for code, n in self._new_numbers.items() if code in self._new["source"]}

    def _reject_clashes(self, clashes: Iterator[Clash]) -> None:
        """Reject the rows, with their raw text read from the file again."""
        with RejectSpool() as found:
            found.add(Reject(c.line, b"", [_clash_reason(c)], (c.source, c.order_id)) for c in clashes)
            self.rejects.add(reject._replace(raw=raw) for reject, raw in self.reader.raw_records(iter(found)))

    def kept_keys(self) -> Iterator[int]:
        """Keys of orders that the file has, though their rows were rejected."""
        for reject in self.rejects:
            if reject.key is not None and reject.key[0] in self._numbers:
                yield order_key(self._numbers[reject.key[0]], reject.key[1])

    def store_new_values(self, change: Change) -> None:
        """Remember the codes and sources that were not seen before."""
        Source.objects.bulk_create(Source(number=number, code=code) for code, number in self._new_numbers.items())
        self.run.new_values = {name: sorted(values) for name, values in self._new.items() if values}
        KnownValue.objects.bulk_create(
            KnownValue(field=name, value=value, change=change)
            for name, values in self.run.new_values.items()
            for value in values
        )


def _distinct(column: pa.ChunkedArray) -> list[str]:
    values = pc.unique(column.combine_chunks())
    return [value for value in values.to_pylist() if value is not None]


def _clash_reason(clash: Clash) -> Reason:
    name = f"{clash.source}/{clash.order_id}"
    return Reason(
        "conflicting_duplicate",
        "order_id",
        str(clash.order_id),
        f"the file has order {name} more than once with different values, first on line {clash.first_line}",
    )
