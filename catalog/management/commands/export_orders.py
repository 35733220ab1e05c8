"""`manage.py export_orders`: the orders of a query of the API, as a file."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, BinaryIO, cast

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError
from django.http import QueryDict

from catalog.api.export import RAW, export_of
from catalog.api.filters import FORMAT
from catalog.api.strict import InvalidQuery
from catalog.export.exports import Export, utc
from catalog.export.formats import FORMATS
from catalog.export.output import write_out, write_whole


class Command(BaseCommand):
    """Arguments in, a file out."""

    requires_system_checks = ()
    help = "Write the orders of a query as a file, all as of one moment: the same queries as /api/v1/orders/export/."

    def add_arguments(self, parser: CommandParser) -> None:
        """What, how, and where to."""
        parser.add_argument(
            "query", nargs="?", default="", metavar="QUERY", help="like website=VVNL&order_date__gte=2018"
        )
        parser.add_argument("--format", choices=FORMATS, help="the kind of file (csv)")
        parser.add_argument("--output", default="-", metavar="FILE", help="where to; - is standard output (default)")
        parser.add_argument("--raw", action="store_true", help="leave values as they are that spreadsheets calculate")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the file, and say on standard error what it has."""
        output = options["output"]
        try:
            with closing(export_of(parameters(options))) as export:
                export.begin()
                self._write(self._watched(export), output)
        except InvalidQuery as refused:
            raise CommandError("\n".join(f"{p.parameter}: {p.message}" for p in refused.problems)) from refused
        except DatabaseError as error:
            cause = str(error).strip().partition("\n")[0]
            raise CommandError(f"The database has broken the export off, which is not whole: {cause}") from error
        except OSError as error:
            raise CommandError(f"{output} cannot be written: {error.strerror}.") from error
        at = f" of {utc(export.at)}" if export.at else ""
        self.stderr.write(f"{export.orders:,} orders, as of change {export.change}{at}")

    def _write(self, pieces: Iterable[bytes], output: str) -> None:
        if output == "-":
            write_out(cast("BinaryIO", self.stdout.buffer), pieces)
        else:
            write_whole(Path(output), pieces)

    def _watched(self, export: Export) -> Iterator[bytes]:
        """The pieces; on a terminal, how many orders have passed is said once a second."""
        told = time.monotonic()
        for piece in export:
            yield piece
            if self.stderr.isatty() and time.monotonic() - told >= 1:
                told = time.monotonic()
                self.stderr.write(f"{export.orders:,} orders …", ending="\r")


def parameters(options: dict[str, Any]) -> QueryDict:
    """The query with what the options say."""
    params = QueryDict(options["query"].removeprefix("?"), mutable=True)
    if options["format"]:
        params.appendlist(FORMAT, options["format"])
    if options["raw"]:
        params.appendlist(RAW, "true")
    return params
