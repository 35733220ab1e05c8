"""Loading into PostgreSQL (and Citus, which speaks the same): COPY, advisory lock, index builds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

import pyarrow as pa
from django.db import IntegrityError, transaction
from pyarrow import csv

from catalog.models import Order
from ingestion.models import LoadProgress
from ingestion.staging.base import Engine

LOCK = 0x6F726465727301
"""The advisory lock of loads: an arbitrary number, this product's own."""

TABLE = Order._meta.db_table
PRIMARY_KEY = f"{TABLE}_pkey"
PROGRESS = f'"{LoadProgress._meta.db_table}"'


class PostgreSQL(Engine):
    """See `Engine`. Readers are never locked out but for the moment in which a first load is committed."""

    scratch = "UNLOGGED"
    fills_catalogue_directly = True

    @contextmanager
    def lock(self, *, wait: bool, on_wait: Callable[[], None]) -> Iterator[bool]:
        held = self.value("SELECT pg_try_advisory_lock(%s)", [LOCK])
        if not held and wait:
            on_wait()
            self.execute("SELECT pg_advisory_lock(%s)", [LOCK])
            held = True
        try:
            yield held
        finally:
            if held and self.connection.connection is not None and not self.connection.connection.closed:
                self.execute("SELECT pg_advisory_unlock(%s)", [LOCK])

    @contextmanager
    def session(self) -> Iterator[None]:
        # A statement of a load may run for minutes; if the loader dies meanwhile, the server notices.
        settings = {
            "client_connection_check_interval": "2s",
            "maintenance_work_mem": "256MB",
            "work_mem": "128MB",
            "statement_timeout": "0",
        }
        for name, value in settings.items():
            self.execute("SELECT set_config(%s, %s, false)", [name, value])
        try:
            yield
        finally:
            if self.connection.connection is not None and not self.connection.connection.closed:
                for name in settings:
                    self.execute(f"RESET {name}")

    @contextmanager
    def bulletin(self) -> Iterator[Callable[[str], None]]:
        # What a transaction has written, nobody else sees before it ends: this is written beside it.
        beside = self.connection.copy()
        try:
            with beside.cursor() as cursor:
                cursor.execute("SELECT set_config('statement_timeout', '2s', false)")
                yield lambda text: cursor.execute(
                    f"INSERT INTO {PROGRESS} (id, at, text) VALUES (1, clock_timestamp(), %s) "
                    "ON CONFLICT (id) DO UPDATE SET at = EXCLUDED.at, text = EXCLUDED.text",
                    [text],
                )
                cursor.execute(f"DELETE FROM {PROGRESS}")
        finally:
            beside.close()

    def read_bulletin(self) -> tuple[str, float] | None:
        # By one clock: that of the loader may differ from that of the reader.
        with self.connection.cursor() as cursor:
            cursor.execute(f"SELECT text, EXTRACT(EPOCH FROM clock_timestamp() - at)::float8 FROM {PROGRESS}")
            found: tuple[str, float] | None = cursor.fetchone()
        return found

    def write(self, table: str, columns: Sequence[str], batches: Iterable[pa.Table]) -> None:
        names = ", ".join(map(self.quote, columns))
        sql = f"COPY {table} ({names}) FROM STDIN (FORMAT csv)"
        with self.connection.cursor() as cursor, self.connection.wrap_database_errors, cursor.copy(sql) as copy:
            for batch in batches:
                copy.write(_csv(batch))

    def index_names(self) -> set[str]:
        joined = "pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
        found = f"SELECT c.relname FROM {joined} WHERE i.indrelid = to_regclass(%s)"
        return {name for (name,) in self.rows(found, [self.quote(TABLE)])}

    def drop_indexes(self) -> None:
        super().drop_indexes()
        self.execute(f"ALTER TABLE {self.quote(TABLE)} DROP CONSTRAINT IF EXISTS {self.quote(PRIMARY_KEY)}")
        self.execute(f"DROP INDEX IF EXISTS {self.quote(PRIMARY_KEY)}")

    def add_unique_key(self) -> bool:
        try:
            with transaction.atomic():
                self.execute(f"CREATE UNIQUE INDEX {self.quote(PRIMARY_KEY)} ON {self.quote(TABLE)} (key)")
        except IntegrityError:
            return False
        return True

    def restore_indexes(self) -> None:
        super().restore_indexes()
        if self._has_primary_key():
            return
        # Building an index lets readers go on; only making it the primary key locks them out, so that is last.
        self.execute(f"CREATE UNIQUE INDEX IF NOT EXISTS {self.quote(PRIMARY_KEY)} ON {self.quote(TABLE)} (key)")
        self.execute(
            f"ALTER TABLE {self.quote(TABLE)} ADD CONSTRAINT {self.quote(PRIMARY_KEY)} "
            f"PRIMARY KEY USING INDEX {self.quote(PRIMARY_KEY)}"
        )

    def _has_primary_key(self) -> bool:
        found = "SELECT count(*) FROM pg_constraint WHERE conrelid = to_regclass(%s) AND contype = 'p'"
        return bool(self.value(found, [self.quote(TABLE)]))


def _csv(batch: pa.Table) -> pa.Buffer:
    """The batch as CSV; a missing value is an empty field. No value of the contract needs quoting."""
    plain = batch.cast(
        pa.schema([(f.name, pa.string() if pa.types.is_dictionary(f.type) else f.type) for f in batch.schema])
    )
    sink = pa.BufferOutputStream()
    # One chunk: for a chunk without rows, write_csv writes whatever its buffer holds.
    csv.write_csv(plain.combine_chunks(), sink, csv.WriteOptions(include_header=False, quoting_style="none"))
    return sink.getvalue()
