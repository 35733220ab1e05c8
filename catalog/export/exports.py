"""One export: the orders of a query at one moment, as the pieces of a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import chain

from django.db.models import OrderBy
from django.utils import timezone

from catalog.export.columns import Column
from catalog.export.formats import Format
from catalog.export.snapshot import Snapshot
from catalog.order_query import OrderQuery


class TooManyOrdersError(Exception):
    """The format cannot hold what the query finds."""


class Export:
    """The pieces of a file, to be gone through once. `close` gives back all that it holds, at any time.

    What can be refused is refused before the first piece; a failure later on is an exception between two pieces.
    """

    def __init__(
        self,
        ask: Callable[[], OrderQuery],
        columns: Sequence[Column],
        file_format: Format,
        *,
        ordering: Sequence[OrderBy],
        raw: bool,
    ) -> None:
        self.columns, self.format = columns, file_format
        self.raw = raw or not file_format.for_spreadsheets
        self.orders = 0
        self._snapshot = Snapshot()
        try:
            # Asked for only now: what the filters look up is then never older than what is read.
            query = ask()
            self._queryset = query.orders().order_by(*ordering)
            self.change, self.at = self._snapshot.change(query.at)
            self._check_size()
        except BaseException:
            self.close()
            raise

    def _check_size(self) -> None:
        most = self.format.most
        if most is not None and self._snapshot.has_more_than(most, self._queryset):
            raise TooManyOrdersError

    @property
    def file_name(self) -> str:
        """The name of a file that says what is in it."""
        return f"orders-{(self.at or timezone.now()):%Y-%m-%dT%H-%M-%SZ}.{self.format.name}"

    def begin(self) -> None:
        """Find the first orders, so that a query that fails does so before anything is sent."""
        rows = self._snapshot.rows(self._queryset, self.columns, raw=self.raw)
        try:
            first = next(rows, b"")
        except BaseException:
            self.close()
            raise
        self._rows = chain([first] if first else [], rows)

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self.format.pieces(self._counted(), self.columns)
        finally:
            self.close()

    def _counted(self) -> Iterator[bytes]:
        for piece in self._rows:
            self.orders += piece.count(b"\n")
            yield piece

    def close(self) -> None:
        self._snapshot.close()


def utc(moment: datetime) -> str:
    """A moment as the API writes it."""
    return moment.isoformat().replace("+00:00", "Z")
