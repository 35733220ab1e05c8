"""`manage.py generate_orders`: write a made-up order export."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO, cast

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ingestion.generator import Recipe, generate


class Command(BaseCommand):
    help = "Write a made-up order export of any size, with the shape and the dirt of a real one."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--rows", type=int, required=True, metavar="N", help="how many rows to write")
        parser.add_argument("--seed", type=int, required=True, metavar="S", help="the same seed gives the same file")
        parser.add_argument(
            "--dirty", type=float, default=0.0, metavar="SHARE", help="share of rows that look wrong and load (0 to 1)"
        )
        parser.add_argument(
            "--broken", type=float, default=0.0, metavar="SHARE", help="share of rows that break the contract (0 to 1)"
        )
        parser.add_argument(
            "--changed",
            type=float,
            default=0.0,
            metavar="SHARE",
            help="share of orders that have moved on since the file without this option (0 to 1): the next day's file",
        )
        parser.add_argument("--output", default="-", metavar="FILE", help="where to; - is standard output (default)")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            names = ("rows", "seed", "dirty", "broken", "changed")
            recipe = Recipe(**{name: options[name] for name in names})
        except ValueError as error:
            raise CommandError(str(error)) from error
        pieces = generate(recipe)
        if options["output"] == "-":
            self._write_out(pieces)
        else:
            self._write_file(pieces, Path(options["output"]))

    def _write_out(self, pieces: Iterable[bytes]) -> None:
        out = cast("BinaryIO", self.stdout.buffer)
        try:
            out.writelines(pieces)
            out.flush()
        except BrokenPipeError:
            # Who reads has seen enough. Python would complain once more when it flushes at its end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        except OSError as error:
            raise CommandError(f"Standard output cannot be written: {error.strerror}.") from error

    def _write_file(self, pieces: Iterable[bytes], path: Path) -> None:
        try:
            with path.open("wb") as file:
                file.writelines(pieces)
        except OSError as error:
            raise CommandError(f"{path} cannot be written: {error.strerror}.") from error
