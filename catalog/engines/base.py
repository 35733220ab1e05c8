"""What the read side asks of a database beyond what Django offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
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
