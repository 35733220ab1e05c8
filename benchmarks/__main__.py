"""Measure loads on this machine: `python -m benchmarks [--rows N] [--large-rows N] [GROUP ...]`, or `make bench`.

Prints a table in Markdown. Nothing else should run meanwhile; all of it takes about half an hour and 20 GB of disk.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks import loads
from benchmarks.loads import Files, Result
from benchmarks.machine import FailedError, describe, postgresql
from benchmarks.overlays import overlays
from tests.postgresql import CannotStartError

GROUPS = loads.GROUPS | {"overlays": overlays}


def main() -> None:
    """Make the files, start a server, measure group by group."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.partition("\n")[0])
    parser.add_argument(
        "groups", nargs="*", metavar="GROUP", help=f"what to measure: {', '.join(GROUPS)} (default: all)"
    )
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of a file (default: a million)")
    parser.add_argument(
        "--large-rows", type=int, default=10_000_000, help="rows of the large file (default: 10 million)"
    )
    options = parser.parse_args()
    if unknown := set(options.groups) - GROUPS.keys():
        parser.error(f"there is no {', '.join(sorted(unknown))}; choose of {', '.join(GROUPS)}")
    try:
        measure(options.groups or list(GROUPS), options.rows, options.large_rows)
    except (CannotStartError, FailedError) as error:
        sys.exit(str(error))


def measure(groups: list[str], rows: int, large_rows: int) -> None:
    """Print a line for each result as soon as it is there."""
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as exports,
        tempfile.TemporaryDirectory(prefix="bench-") as data,
        postgresql(Path(data)) as server,
    ):
        Path(exports).chmod(0o755)
        print(f"{describe(server)}\n")
        print("| what | took | against | times as fast | target |")
        print("| --- | --- | --- | --- | --- |", flush=True)
        files = Files(Path(exports), rows, large_rows)
        for group in groups:
            for result in GROUPS[group](server, files):
                print(line(result), flush=True)


def line(result: Result) -> str:
    """A row of the table."""
    ratio = "" if result.ratio is None else f"{result.ratio:.2f}"
    return f"| {result.what} | {result.figure} | {result.against} | {ratio} | {result.target} |"


if __name__ == "__main__":
    main()
