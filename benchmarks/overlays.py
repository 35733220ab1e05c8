"""Rules, corrections and undos on a catalogue of the usual size, on PostgreSQL, each against what it should be near."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

from benchmarks.loads import Files, Result, in_turns, versus
from benchmarks.machine import PostgreSQL, Run, ingest, manage, run

RULE = ("website", "VVBE", "VVNL")
"""A website that one order in ten was placed on."""


def overlays(server: PostgreSQL, files: Files) -> Iterator[Result]:
    """A rule switched on, a load taken back, and a load over many corrections."""
    yield rule_on(server, files)
    changed = first_rows(files.generate("changed.csv", files.rows, "--changed", "1"), files.rows // 10)
    yield undo(server, files, "a load that changes one order in ten", changed)
    brought = files.generate("brought.csv", files.rows // 10, "--seed", "2")
    yield undo(server, files, "a load that brings one order in ten", brought)
    yield load_over_corrections(server, files)


@contextmanager
def full(server: PostgreSQL, files: Files) -> Iterator[str]:
    """A database with the catalogue of day 1."""
    with server.database("overlays") as database:
        ingest(files.day1, url=server.url(database))
        server.psql(database, "VACUUM ANALYZE")
        yield database


def rule_on(server: PostgreSQL, files: Files) -> Result:
    """Against one plain UPDATE of the same orders, with the work of the same indexes."""
    field, old, new = RULE
    count = 0

    def ours() -> Run:
        nonlocal count
        with full(server, files) as database:
            taken = run(sys.executable, "-m", "benchmarks.overlays", "rule", url=server.url(database))
            count = int(taken.output)
            return taken

    def theirs() -> Run:
        with full(server, files) as database:
            return server.psql(database, f"UPDATE catalog_order SET {field} = '{new}' WHERE {field} = '{old}'")

    mine, plain = in_turns(ours, theirs)
    return versus(f"a rule switched on that touches {count:,} of {files.rows:,}", mine, plain, "`UPDATE`", "0.2")


def first_rows(path: Path, rows: int) -> Path:
    """The beginning of a file, as a file."""
    part = path.with_suffix(".part.csv")
    with path.open("rb") as whole, part.open("wb") as file:
        file.writelines(islice(whole, rows + 1))
    return part


def undo(server: PostgreSQL, files: Files, what: str, path: Path) -> Result:
    """Against the load that is taken back."""
    with full(server, files) as database:
        loaded, report = ingest(path, url=server.url(database))
        undone = manage("undo_run", str(report["run"]), url=server.url(database))
    figures = f"{report['updated']:,} changed, {report['inserted']:,} new"
    return versus(f"undo of {what} ({figures})", undone, loaded, "the load", "0.2")


def load_over_corrections(server: PostgreSQL, files: Files) -> Result:
    """One load over ten thousand corrections, against the same over none."""

    def day2(corrections: int) -> Callable[[], Run]:
        def load() -> Run:
            with full(server, files) as database:
                if corrections:
                    number = str(corrections)
                    run(sys.executable, "-m", "benchmarks.overlays", "correct", number, url=server.url(database))
                    server.psql(database, "VACUUM ANALYZE")
                return ingest(files.day2, url=server.url(database))[0]

        return load

    mine, without = in_turns(day2(files.rows // 100), day2(0))
    what = f"{files.rows:,} rows, 1 % changed, over {files.rows // 100:,} corrections"
    return versus(what, mine, without, "over none", "0.91")


def step(name: str, *arguments: str) -> None:
    """What is timed as a process of its own: a rule switched on, or corrections made."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "talpa_site.settings"
    import django  # noqa: PLC0415  only this process needs it

    django.setup()
    from catalog import corrections, rules  # noqa: PLC0415  models can be imported only now
    from catalog.models import Order, ValueRule  # noqa: PLC0415

    if name == "rule":
        field, old, new = RULE
        rule = ValueRule.objects.create(field=field, old=old, new=new, reason="a benchmark")
        print(rules.switch_on(rule, actor="benchmark"))
    else:
        chosen = Order.objects.filter(pk__in=Order.objects.order_by("pk").values("pk")[: int(arguments[0])])
        print(corrections.correct_many(chosen, "order_status", "CORRECTED", actor="benchmark", reason="a benchmark"))


if __name__ == "__main__":
    step(*sys.argv[1:])
