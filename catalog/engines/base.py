"""What the read side asks of a database beyond what Django offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

Row = tuple[Any, ...]


class Reader(ABC):
    """One database, as a reader sees it. SQL comes from Django's own compiler, values are parameters."""

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self.connection = connection

    @abstractmethod
    def fetch(self, sql: str, params: Sequence[Any], *, one_plan: bool) -> list[Row]:
        """All rows of a query, in the quickest way that the driver has.

        `one_plan`: whatever the values are, the best way to the rows is the same, so that it need be found once only.
        """

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
