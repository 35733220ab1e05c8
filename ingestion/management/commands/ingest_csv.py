"""`manage.py ingest_csv`: load order exports into the catalogue."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, connection

from ingestion.errors import Interrupted, LoadError
from ingestion.models import Run
from ingestion.options import Limit, LoadOptions
from ingestion.pipeline import load_file
from ingestion.progress import Bar, Lines, Listener, Silent
from ingestion.reader.batches import ReadOptions
from ingestion.reader.header import DELIMITERS
from ingestion.reader.text import text_encoding
from ingestion.report import as_json, as_text

GOOD = {Run.Status.LOADED, Run.Status.SKIPPED}


class Command(BaseCommand):
    """Arguments in, report out."""

    # Pages and their URLs have no part in a load.
    requires_system_checks = ()
    help = "Load order exports (CSV, plain or compressed) into the catalogue; every row is accounted for."

    def add_arguments(self, parser: CommandParser) -> None:
        """The options of product and reader; each default is the careful one."""
        yes: dict[str, Any] = {"action": "store_true"}
        parser.add_argument("paths", nargs="+", metavar="PATH", help="a file to load; - is standard input")
        parser.add_argument("--dry-run", **yes, help="do everything but commit, and print the same figures")
        parser.add_argument("--json", **yes, help="print one JSON object a file instead of the report")
        parser.add_argument("--force", **yes, help="load content again that is already loaded")
        parser.add_argument(
            "--max-rejects",
            type=a(Limit.parse),
            metavar="N|N%",
            help="refuse the file if more rows are rejected (default: 5%%; 100%% with --repairs)",
        )
        parser.add_argument(
            "--repairs",
            type=int,
            metavar="RUN",
            help="load rejected rows of that run, put right in a file of export_rejects, and settle them",
        )
        parser.add_argument("--full-snapshot", **yes, help="mark orders as removed that the file no longer has")
        parser.add_argument(
            "--max-removals",
            type=a(Limit.parse),
            default="1%",
            metavar="N|N%",
            help="refuse the file if more orders would be marked as removed (default: 1%%)",
        )
        parser.add_argument(
            "--encoding",
            type=a(text_encoding),
            help="encoding of the text (default: by its byte order mark, else UTF-8)",
        )
        parser.add_argument(
            "--delimiter",
            type=a(delimiter),
            metavar="CHARACTER",
            help="one of , ; | and tab (default: the one under which the header reads as the contract)",
        )
        parser.add_argument("--allow-extra-columns", **yes, help="pass over columns that are not in the contract")
        parser.add_argument(
            "--wait",
            action=argparse.BooleanOptionalAction,
            default=True,
            help="wait for a load that is under way, or refuse at once (default: wait)",
        )
        parser.add_argument("--no-progress", **yes, help="show no progress")

    def handle(self, *args: Any, **options: Any) -> None:
        """Load each file; exit with 1 if any was not loaded."""
        if options["repairs"] is not None and options["full_snapshot"]:
            raise CommandError(
                "--repairs loads some rows of a file, never all: leave out --full-snapshot.", returncode=2
            )
        if options["max_rejects"] is None:
            options["max_rejects"] = Limit(5 if options["repairs"] is None else 100, is_percent=True)
        load = LoadOptions(
            read=ReadOptions(options["encoding"], options["delimiter"], options["allow_extra_columns"]),
            **{
                name: options[name]
                for name in ("dry_run", "force", "full_snapshot", "max_rejects", "max_removals", "wait", "repairs")
            },
        )
        try:
            if Run._meta.db_table not in connection.introspection.table_names():
                raise CommandError("The database has no tables yet; make them with: manage.py migrate")
            with _interruptible():
                statuses = [self._load(path, load, options) for path in options["paths"]]
        except DatabaseError as error:
            sentence = " ".join(str(error).split())
            raise CommandError(f"The database does not answer as it should: {sentence}") from error
        if not GOOD.issuperset(statuses):
            sys.exit(1)

    def _load(self, path: str, load: LoadOptions, options: dict[str, Any]) -> str:
        run = load_file(path, load, listener(show=not options["no_progress"]))
        render = as_json if options["json"] else as_text
        self.stdout.write(render(run, dry_run=load.dry_run))
        self.stdout.flush()
        if run.reason_code == Interrupted.CODE:
            sys.exit(1)
        return run.status


def a(parse: Callable[[str], Any]) -> Callable[[str], Any]:
    """`parse` as argparse wants it: a bad value ends the command with its sentence."""

    def parsed(text: str) -> Any:
        try:
            return parse(text)
        except (ValueError, LoadError) as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return parsed


def delimiter(text: str) -> str:
    """A delimiter by itself or by its name."""
    names = {name: mark for mark, name in DELIMITERS.items()} | {"\\t": "\t"}
    mark = names.get(text, text)
    if mark not in DELIMITERS:
        raise ValueError(f"'{text}' is no delimiter; use one of , ; | or tab.")
    return mark


def listener(*, show: bool) -> Listener:
    """A bar on a terminal, lines elsewhere."""
    if not show:
        return Silent()
    return Bar(sys.stderr) if sys.stderr.isatty() else Lines(sys.stderr)


@contextmanager
def _interruptible() -> Iterator[None]:
    """Inside, the signals that end a process end the load in good order."""
    before = {number: signal.signal(number, _interrupt) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt(*_: object) -> None:
    raise Interrupted
