"""Measure the query API on this machine: `python -m benchmarks.api [--orders N] [GROUP ...]`, or `make bench-api`.

Prints a table in Markdown. Nothing else should run meanwhile; all of it takes about an hour and 20 GB of disk.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from benchmarks.api import answers, pages
from benchmarks.api.admin import admin
from benchmarks.api.bench import Bench
from benchmarks.api.clients import Turns
from benchmarks.api.datasette import datasette
from benchmarks.api.growth import growth
from benchmarks.api.lines import HEADING, Line
from benchmarks.api.site import CLIENTS, WORKERS
from benchmarks.loads import Files
from benchmarks.machine import FailedError, describe, postgresql
from tests.postgresql import CannotStartError

GROUPS: dict[str, Callable[[Bench], Iterator[Line]]] = {
    "floor": pages.floor,
    "lists": pages.lists,
    "single": pages.single,
    "unchanged": pages.unchanged,
    "deep": pages.deep,
    "facets": answers.facets,
    "exports": answers.exports,
    "datasette": datasette,
    "growth": growth,
    "admin": admin,
}


def main() -> None:
    """Make catalogues and servers as they are needed, measure group by group."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.api", description=__doc__.partition("\n")[0])
    parser.add_argument(
        "groups", nargs="*", metavar="GROUP", help=f"what to measure: {', '.join(GROUPS)} (default: all)"
    )
    parser.add_argument("--orders", type=int, default=1_000_000, help="orders of the catalogue (default: a million)")
    parser.add_argument(
        "--large-orders", type=int, default=10_000_000, help="orders of that of `growth` (default: 10 million)"
    )
    parser.add_argument("--rounds", type=int, default=5, help="turns that each side takes (default: 5)")
    parser.add_argument("--seconds", type=float, default=4, help="how long each turn is (default: 4)")
    options = parser.parse_args()
    if unknown := set(options.groups) - GROUPS.keys():
        parser.error(f"there is no {', '.join(sorted(unknown))}; choose of {', '.join(GROUPS)}")
    turns = Turns(options.rounds, options.seconds)
    try:
        measure(options.groups or list(GROUPS), options.orders, options.large_orders, turns)
    except (CannotStartError, FailedError) as error:
        sys.exit(str(error))


def measure(groups: list[str], orders: int, large_orders: int, turns: Turns) -> None:
    """Print a line for each result as soon as it is there."""
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as exports,
        tempfile.TemporaryDirectory(prefix="bench-") as data,
        postgresql(Path(data)) as server,
        closing(Bench(server, Files(Path(exports), orders, large_orders), turns)) as bench,
    ):
        Path(exports).chmod(0o755)
        print(f"{describe(server)}\n")
        print(f"{orders:,} generated rows, {WORKERS} workers of gunicorn, {CLIENTS} clients; medians of {turns}.\n")
        print(HEADING, flush=True)
        for group in groups:
            for line in GROUPS[group](bench):
                print(line, flush=True)


if __name__ == "__main__":
    main()
