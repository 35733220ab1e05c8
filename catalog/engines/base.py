"""What the read side asks of a database beyond what Django offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import F
from django.db.models.expressions import Combinable

Row = tuple[Any, ...]

PIECE = 128 * 1024
"""Bytes of CSV that are handed on together, or a little more: a network likes pieces neither small nor huge."""


LATEST_CHANGE = "SELECT id, at FROM catalog_change ORDER BY id DESC LIMIT 1"
"""Written out, as it is asked with nearly every request; all other SQL comes from Django's own compiler."""


class Reader(ABC):
    """One database, as a reader sees it. Values are parameters."""

    BEGIN: str
    """Begins a transaction that only reads, and all of it at one moment."""

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self.connection = connection

    @abstractmethod
    def fetch(self, sql: str, params: Sequence[Any], *, one_plan: bool) -> list[Row]:
        """All rows of a query, in the quickest way that the driver has.

        `one_plan`: whatever the values are, the best way to the rows is the same, so that it need be found once only.
        """

    @abstractmethod
    def latest_change(self) -> tuple[int, datetime] | None:
        """The number and the moment of the latest change, if there is one: what nearly every request asks first."""

    @abstractmethod
    def begin(self, seconds: float | None) -> None:
        """Get the connection ready for a request: it works, and statements may take so long; None for any time."""

    @abstractmethod
    def end(self) -> None:
        """The request is over, and whatever comes outside of requests has no limit of theirs."""

    @abstractmethod
    def was_too_long(self, error: BaseException) -> bool:
        """Whether an error says that a statement took longer than `begin` allowed."""

    @abstractmethod
    def without_waiting(self) -> AbstractContextManager[None]:
        """Write a trifle while reading: raises `OperationalError` where that would have to wait for a load."""

    @abstractmethod
    def begin_snapshot(self, seconds: int) -> None:
        """Read everything as of one moment, until the connection is closed; no query takes longer than `seconds`."""

    @abstractmethod
    def csv(self, sql: str, params: Sequence[Any]) -> Iterator[bytes]:
        """The rows of a query as lines of CSV without a header, some at a time, never a part of a line.

        Quoted where it has to be; a missing value is empty, and `""` where a row is nothing else. Closing the iterator
        ends the query.
        """

    @abstractmethod
    def moment(self, name: F) -> Combinable:
        """A timestamp as `csv` needs it to write `2018-07-12 17:33:04.5+00`."""

    @abstractmethod
    def estimate(self, sql: str, params: Sequence[Any]) -> int | None:
        """About how many rows a query has, without running it; None where the database has no idea."""

    @abstractmethod
    def zones(self) -> frozenset[str]:
        """The names of the time zones that the database knows."""

    @contextmanager
    def one_moment(self) -> Iterator[None]:
        """Everything that is read inside is of one moment, however many queries it takes."""
        # Inside of a transaction it is for whoever has begun it to say what is read.
        if self.connection.in_atomic_block:
            yield
            return
        with self.connection.cursor() as cursor:
            cursor.execute(self.BEGIN)
        try:
            yield
        finally:
            with self.connection.cursor() as cursor:
                cursor.execute("ROLLBACK")
