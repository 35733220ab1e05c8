"""What a load asks of a database, and what every database does alike."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pyarrow as pa
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

from catalog.contract import NAMES
from catalog.models import Order

STAGED_COLUMNS = ("key", "line", *NAMES)
"""The columns of a staged row, in the order in which `Engine.write` takes them."""


class Engine(ABC):
    """One database, as a load sees it. Tables and columns come from the models, values are parameters."""

    scratch: str
    """The word that makes a table one that a crash may empty: nothing but the load at hand needs it."""

    fills_catalogue_directly: bool
    """Whether a first load is best written straight into the empty catalogue instead of a staging table."""

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self.connection = connection

    @abstractmethod
    def lock(self, *, wait: bool, on_wait: Callable[[], None]) -> AbstractContextManager[bool]:
        """Hold the load lock: True inside, or False if somebody else has it and `wait` is off.

        `on_wait` is called once when it has to wait. The lock ends with the process, however that ends.
        """

    @abstractmethod
    def session(self) -> AbstractContextManager[None]:
        """The connection set up for a load, and as it was afterwards."""

    @abstractmethod
    def bulletin(self) -> AbstractContextManager[Callable[[str], None]]:
        """A text that every process can read at once, whatever transaction is open here; gone afterwards.

        Inside, each call puts its text in the place of the one before. For one writer at a time, who may be in another
        thread than the load. What a killed process leaves behind stays until the next writer.
        """

    @abstractmethod
    def read_bulletin(self) -> tuple[str, float] | None:
        """The text, and how many seconds ago it was written; None where there is none."""

    @abstractmethod
    def write(self, table: str, columns: Sequence[str], batches: Iterable[pa.Table]) -> None:
        """Append rows to a table, in bulk; each batch has just `columns`, in that order."""

    @abstractmethod
    def add_unique_key(self) -> bool:
        """Make the catalogue's key unique again after `drop_indexes`; False if there are duplicates."""

    def execute(self, sql: str, params: Sequence[Any] = ()) -> int:
        """Run one statement; the number of rows it touched."""
        with self.connection.cursor() as cursor:
            cursor.execute(sql, params)
            return int(cursor.rowcount)

    def rows(self, sql: str, params: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        """The rows of one query, fetched some at a time."""
        with self.connection.chunked_cursor() as cursor:
            cursor.execute(sql, params)
            while chunk := cursor.fetchmany(2000):
                yield from chunk

    def value(self, sql: str, params: Sequence[Any] = ()) -> Any:
        """The single value of a query."""
        with self.connection.cursor() as cursor:
            cursor.execute(sql, params)
            return cursor.fetchone()[0]

    def quote(self, name: str) -> str:
        """A table or column name, quoted."""
        return self.connection.ops.quote_name(name)

    @contextmanager
    def scratch_table(self, name: str, columns: Iterable[tuple[str, models.Field]], *, key: bool) -> Iterator[str]:
        """An empty table of the load's own, gone afterwards; its quoted name. `key`: the first column is unique."""
        quoted = self.quote(name)
        lines = [f"{self.quote(column)} {self._type(field)}{_default(field)}" for column, field in columns]
        if key:
            lines[0] += " PRIMARY KEY"
        self.execute(f"CREATE {self.scratch} TABLE {quoted} ({', '.join(lines)})")
        yield quoted
        self.execute(f"DROP TABLE {quoted}")

    def _type(self, field: models.Field) -> str:
        parameters = field.db_parameters(self.connection)
        collation = parameters.get("collation")
        return str(parameters["type"]) + (f" COLLATE {self.quote(collation)}" if collation else "")

    @abstractmethod
    def index_names(self) -> set[str]:
        """The names of the indexes that the catalogue's table has."""

    def indexes_in_the_way(self) -> Iterable[models.Index]:
        """The catalogue's secondary indexes that are quicker made anew than kept up to date while it is filled."""
        return Order._meta.indexes

    def drop_indexes(self) -> None:
        """Take these indexes away, so that the catalogue can be filled fast."""
        for index in self.indexes_in_the_way():
            self.execute(f"DROP INDEX IF EXISTS {self.quote(index.name)}")

    def restore_indexes(self) -> None:
        """Make every index of the catalogue that is missing."""
        present = self.index_names()
        for index in Order._meta.indexes:
            if index.name not in present:
                self.execute(str(index.create_sql(Order, self.connection.schema_editor())))

    def analyze(self, table: str) -> None:
        """Let the query planner look at a table that has just been filled."""
        self.execute(f"ANALYZE {self.quote(table)}")


def _default(field: models.Field) -> str:
    """The default of a column that the database fills by itself: a number or a truth."""
    return f" DEFAULT {int(field.default)}" if field.has_db_default() else ""
