"""`manage.py export_rejects`: write the open rejected rows of a run as a file to put right."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

from django.core.management.base import BaseCommand, CommandError, CommandParser

from catalog.changes import NotPossible
from catalog.export.output import write_out
from ingestion.repair import as_csv, exported


class Command(BaseCommand):
    """Arguments in, CSV out."""

    requires_system_checks = ()
    help = (
        "Write the open rejected rows of a run as CSV, the reasons in extra columns at the end; put right, "
        "ingest_csv --repairs RUN takes it back."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Which run, and where to."""
        parser.add_argument("run", type=int, metavar="RUN", help="the number of the run")
        parser.add_argument("--output", default="-", metavar="FILE", help="where to; - is standard output (default)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the file, and say on standard error how many rows it has."""
        try:
            rows = Counted(exported(options["run"]))
        except NotPossible as refused:
            raise CommandError(refused.message) from refused
        try:
            if options["output"] == "-":
                write_out(cast("BinaryIO", self.stdout.buffer), as_csv(rows))
            else:
                with Path(options["output"]).open("wb") as file:
                    file.writelines(as_csv(rows))
        except OSError as error:
            raise CommandError(f"{options['output']} cannot be written: {error.strerror}.") from error
        self.stderr.write(f"{rows.count - 1:,} open rejected rows of run {options['run']}")


class Counted:
    """Rows on their way, and how many of them have passed."""

    def __init__(self, rows: Iterable[list[str]]) -> None:
        self._rows = rows
        self.count = 0

    def __iter__(self) -> Iterator[list[str]]:
        for row in self._rows:
            self.count += 1
            yield row
