"""Loading into SQLite: a temporary staging table, one sorted insert, a lock file."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from django.db import models

from catalog.models import Order
from ingestion.staging.base import Engine

SETTINGS = {
    # Sorting in small portions, each in the processor's cache and in a thread beside the scan, builds indexes a
    # quarter faster than sorting in large ones.
    "cache_size": -8192,
    "threads": 2,
    # The planner needs to know roughly; without a limit it would read every index from end to end.
    "analysis_limit": 1000,
}


class SQLite(Engine):
    """See `Engine`. In WAL mode readers see the catalogue as it was until the load is committed."""

    scratch = "TEMP"
    # Rows arrive in no order, and a table is stored by its key: staged and sorted, it is written front to back.
    fills_catalogue_directly = False

    @contextmanager
    def lock(self, *, wait: bool, on_wait: Callable[[], None]) -> Iterator[bool]:
        # The operating system lets go of the lock when the process ends, however it ends.
        with self._beside("load-lock").open("w") as file:
            held = _try_lock(file)
            if not held and wait:
                on_wait()
                fcntl.flock(file, fcntl.LOCK_EX)
                held = True
            yield held

    @contextmanager
    def session(self) -> Iterator[None]:
        # Staging writes to a temporary database only; with IMMEDIATE it would keep all other writers out
        # from its first row on.
        connection: Any = self.connection
        connection.ensure_connection()
        mode, connection.transaction_mode = connection.transaction_mode, "DEFERRED"
        before = {name: self.value(f"PRAGMA {name}") for name in SETTINGS}
        self._set(SETTINGS)
        try:
            yield
        finally:
            self._set(before)
            connection.transaction_mode = mode

    @contextmanager
    def bulletin(self) -> Iterator[Callable[[str], None]]:
        # A file, as the database can be written by one process only, and that is the load.
        path = self._beside("load-progress")
        whole = self._beside("load-progress.new")

        def write(text: str) -> None:
            whole.write_text(text, encoding="utf-8")
            whole.replace(path)

        yield write
        path.unlink(missing_ok=True)

    def read_bulletin(self) -> tuple[str, float] | None:
        try:
            with self._beside("load-progress").open(encoding="utf-8") as file:
                return file.read(), time.time() - os.fstat(file.fileno()).st_mtime
        except FileNotFoundError:
            return None

    def _beside(self, what: str) -> Path:
        return Path(f"{self.connection.settings_dict['NAME']}.{what}")

    def _set(self, settings: dict[str, int]) -> None:
        for name, value in settings.items():
            self.execute(f"PRAGMA {name} = {value}")

    def write(self, table: str, columns: Sequence[str], batches: Iterable[pa.Table]) -> None:
        sql = f"INSERT INTO {table} ({', '.join(map(self.quote, columns))}) VALUES ({', '.join('?' * len(columns))})"
        self.connection.ensure_connection()
        # Django's executemany would keep every row in memory until the last is written.
        driver = self.connection.connection
        for batch in batches:
            with self.connection.wrap_database_errors:
                driver.executemany(sql, zip(*map(_values, batch.columns), strict=True))

    def indexes_in_the_way(self) -> Iterable[models.Index]:
        # To make one of few rows, the whole table would be read again.
        return [index for index in super().indexes_in_the_way() if not getattr(index, "is_of_few_rows", False)]

    def index_names(self) -> set[str]:
        # Django would parse the SQL of the whole table for the same answer, and take longer than a small load.
        listed = "SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = %s"
        return {name for (name,) in self.rows(listed, [Order._meta.db_table])}

    def add_unique_key(self) -> bool:
        # The key is the table's own row number and always unique.
        return True


def _try_lock(file: Any) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _values(column: pa.ChunkedArray) -> list[Any]:
    """A column as Python values; timestamps in the text form in which Django stores them."""
    array = column.combine_chunks()
    if pa.types.is_dictionary(array.type):
        codes = np.array([*array.dictionary.to_pylist(), None], dtype=object)
        return list(codes[pc.fill_null(array.indices, len(codes) - 1).to_numpy(zero_copy_only=False)])
    if pa.types.is_timestamp(array.type):
        text = array.cast(pa.string())
        whole_seconds = pc.ends_with(text, ".000000")
        return list(pc.if_else(whole_seconds, pc.utf8_slice_codeunits(text, 0, 19), text).to_pylist())
    return list(array.to_numpy().tolist() if not array.null_count else array.to_pylist())
