"""Loads, timed against what else could be done with the same file on the same database in the same run."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from benchmarks.machine import PostgreSQL, Run, ingest, manage, run
from catalog.contract import COLUMNS, NAMES, Kind

COLUMN_LIST = ", ".join(NAMES)
SEED = "1"
SLOW_ROWS = 20_000
"""How many rows a means gets that would need a quarter of an hour for all of them."""

TURNS = 3
"""How often a pair is measured whose ratio counts and which takes a minute at most."""

KEY = "(CASE source WHEN 'services' THEN 1 ELSE 2 END) * 1000000000000 + order_id"
"""The order's key as an expression, for tables that are filled without the product."""


class Result(NamedTuple):
    """One line of the table: what took how long, against what, and how many times as fast that is."""

    what: str
    figure: str
    against: str = ""
    ratio: float | None = None
    target: str = ""


@dataclass
class Files:
    """Generated exports in a folder, each made when it is first asked for."""

    folder: Path
    rows: int
    large_rows: int

    @cached_property
    def day1(self) -> Path:
        return self.generate("day1.csv", self.rows)

    @cached_property
    def day2(self) -> Path:
        """The same orders, of which one in a hundred has moved on."""
        return self.generate("day2.csv", self.rows, "--changed", "0.01")

    @cached_property
    def broken(self) -> Path:
        return self.generate("broken.csv", self.rows, "--broken", "0.01")

    @cached_property
    def large(self) -> Path:
        return self.generate("large.csv", self.large_rows)

    @cached_property
    def few(self) -> Path:
        return self.generate("few.csv", SLOW_ROWS)

    def generate(self, name: str, rows: int, *options: str) -> Path:
        path = self.folder / name
        size = ("--rows", str(rows), "--seed", SEED, "--dirty", "0.01", "--output")
        manage("generate_orders", *size, path, *options, url=f"sqlite:///{self.folder}/none.sqlite3")
        return path


def versus(what: str, ours: Run, theirs: Run, against: str, target: str) -> Result:
    """A line with a ratio."""
    return Result(
        what, f"{ours.seconds:.1f} s", f"{against}: {theirs.seconds:.1f} s", theirs.seconds / ours.seconds, target
    )


def in_turns(ours: Callable[[], Run], theirs: Callable[[], Run]) -> tuple[Run, Run]:
    """Both a few times, one after the other, so that a slow minute of the machine hits both; the medians."""
    pairs = [(ours(), theirs()) for _ in range(TURNS)]
    first, second = (sorted(runs)[TURNS // 2] for runs in zip(*pairs, strict=True))
    return first, second


def first_load(server: PostgreSQL, files: Files) -> Iterator[Result]:
    """Into an empty PostgreSQL, and then the day after."""

    def ours() -> Run:
        with server.database("ours") as database:
            return ingest(files.day1, url=server.url(database))[0]

    def theirs() -> Run:
        with server.database("theirs") as database:
            return copy_into_baseline(server, database, files.day1)

    rows = f"{files.rows:,}"
    yield versus(
        f"first load of {rows} rows, PostgreSQL", *in_turns(ours, theirs), "`\\copy` into the same indexes", "2.5"
    )
    with server.database("ours") as database:
        ingest(files.day1, url=server.url(database))
        later, report = ingest(files.day2, url=server.url(database))
        again, _ = ingest(files.day2, url=server.url(database), status="skipped")
    with server.database("theirs") as database:
        copy_into_baseline(server, database, files.day1)
        upserted = upsert_into_baseline(server, database, files.day2)
    changed = f"{report['updated']:,}"
    yield versus(f"{rows} rows, {changed} changed, PostgreSQL", later, upserted, "`INSERT … ON CONFLICT` of all", "3")
    yield Result("the same content again, PostgreSQL", f"{again.seconds:.2f} s", target="under 2 s")
    with server.database("rejects") as database:
        broken, report = ingest(files.broken, url=server.url(database))
    yield Result(
        f"first load with {report['rejected']:,} rejects and {report['duplicate']:,} repeated rows, PostgreSQL",
        f"{broken.seconds:.1f} s",
    )


def copy_into_baseline(server: PostgreSQL, database: str, path: Path) -> Run:
    """What PostgreSQL takes by itself, without looking at any value."""
    make_baseline(server, database)
    return server.psql(database, f"\\copy baseline ({COLUMN_LIST}) FROM '{path}' (FORMAT csv, HEADER)")


def upsert_into_baseline(server: PostgreSQL, database: str, path: Path) -> Run:
    """The next day's file, staged beforehand, over what is there."""
    server.psql(database, "CREATE UNLOGGED TABLE staged (LIKE baseline INCLUDING DEFAULTS INCLUDING GENERATED)")
    server.psql(database, f"\\copy staged ({COLUMN_LIST}) FROM '{path}' (FORMAT csv, HEADER)")
    server.psql(database, "VACUUM ANALYZE baseline")
    values = ", ".join(f"{name} = EXCLUDED.{name}" for name in NAMES)
    return server.psql(
        database,
        f"INSERT INTO baseline ({COLUMN_LIST}) SELECT {COLUMN_LIST} FROM staged "
        f"ON CONFLICT (key) DO UPDATE SET {values}",
    )


def make_baseline(server: PostgreSQL, database: str) -> None:
    """A table that COPY can fill: the catalogue's own, but the key follows from the row by itself."""
    with server.connect(database) as connection:
        connection.execute("CREATE TABLE baseline (LIKE catalog_order INCLUDING DEFAULTS INCLUDING CONSTRAINTS)")
        connection.execute("ALTER TABLE baseline ALTER change_id SET DEFAULT 1")
        connection.execute("ALTER TABLE baseline DROP COLUMN key")
        connection.execute(f"ALTER TABLE baseline ADD COLUMN key bigint GENERATED ALWAYS AS ({KEY}) STORED PRIMARY KEY")
        indexes = "SELECT indexdef FROM pg_indexes WHERE tablename = 'catalog_order' AND indexname LIKE 'order_by_%'"
        for (definition,) in connection.execute(indexes).fetchall():
            connection.execute(re.sub(r"INDEX \S+ ON public\.catalog_order ", "INDEX ON baseline ", definition))


def sqlite(server: PostgreSQL, files: Files) -> Iterator[Result]:
    """Into an empty SQLite, against its own shell."""
    what = f"first load of {files.rows:,} rows, SQLite"
    with new_database(server, files, "SQLite") as url:
        first, _ = ingest(files.day1, url=url)
        later, report = ingest(files.day2, url=url)
        script = files.folder / "import.sql"
        if shutil.which("sqlite3"):
            script.write_text(import_script(files.day1, Path(url.removeprefix("sqlite:///"))))

    def ours() -> Run:
        with new_database(server, files, "SQLite") as url:
            return ingest(files.day1, url=url)[0]

    def theirs() -> Run:
        path = files.folder / "theirs.sqlite3"
        path.unlink(missing_ok=True)
        return run("sqlite3", path, stdin=script)

    if script.exists():
        yield versus(what, *in_turns(ours, theirs), "sqlite3 `.import`, then the same indexes", "0.8")
    else:
        yield Result(what, f"{first.seconds:.1f} s", "there is no sqlite3 shell here")
    changed = f"{report['updated']:,}"
    yield Result(f"{files.rows:,} rows, {changed} changed, SQLite", f"{later.seconds:.1f} s")


def import_script(path: Path, ours: Path) -> str:
    """For the sqlite3 shell: fill a bare table, then build the indexes that our table has."""
    types = {Kind.INTEGER: "INTEGER", Kind.CODE: "TEXT", Kind.TIMESTAMP: "TEXT"}
    columns = ", ".join(f"{c.name} {types[c.kind]}{' NOT NULL' if c.required else ''}" for c in COLUMNS)
    listed = run("sqlite3", ours, "SELECT sql FROM sqlite_master WHERE type = 'index' AND name LIKE 'order_by_%'")
    indexes = [line for line in listed.output.splitlines() if line]
    return "\n".join(
        [
            "PRAGMA journal_mode = WAL;",
            "PRAGMA synchronous = NORMAL;",
            f"CREATE TABLE catalog_order ({columns});",
            f".import --csv --skip 1 {path} catalog_order",
            f"ALTER TABLE catalog_order ADD COLUMN key INTEGER GENERATED ALWAYS AS ({KEY}) VIRTUAL;",
            "ALTER TABLE catalog_order ADD COLUMN change_id INTEGER DEFAULT 1;",
            "ALTER TABLE catalog_order ADD COLUMN removed INTEGER DEFAULT 0;",
            "CREATE UNIQUE INDEX primary_key ON catalog_order (key);",
            *(f"{definition};" for definition in indexes),
        ]
    )


def memory(server: PostgreSQL, files: Files) -> Iterator[Result]:
    """The loader's peak at two sizes, first and later loads; and the same content again in a full catalogue."""
    for engine in ("PostgreSQL", "SQLite"):
        with new_database(server, files, engine) as url:
            small, _ = ingest(files.day1, url=url)
        with new_database(server, files, engine) as url:
            large, report = ingest(files.large, url=url)
            again, _ = ingest(files.large, url=url, status="skipped")
            forced = manage("ingest_csv", files.large, "--force", "--json", "--no-progress", url=url)
        sizes = f"{files.rows:,} and {files.large_rows:,} rows"
        yield Result(
            f"peak memory, {engine}, {sizes}",
            f"{small.megabytes:.0f} and {large.megabytes:.0f} MB",
            ratio=large.megabytes / small.megabytes,
            target="under 400 MB, 0.9 to 1.1",
        )
        speed = report["read"] / large.seconds
        yield Result(
            f"first load of {files.large_rows:,} rows, {engine}", f"{large.seconds:.0f} s, {speed:,.0f} rows/s"
        )
        yield Result(
            f"all of it again with --force, {engine}", f"{forced.seconds:.0f} s, peak {forced.megabytes:.0f} MB"
        )
        yield Result(
            f"the same content again, {files.large_rows:,} rows, {engine}", f"{again.seconds:.2f} s", target="under 2 s"
        )


@contextmanager
def new_database(server: PostgreSQL, files: Files, engine: str) -> Iterator[str]:
    """The URL of an empty database of that engine."""
    if engine == "PostgreSQL":
        with server.database("fresh") as database:
            yield server.url(database)
        return
    path = files.folder / "fresh.sqlite3"
    manage("migrate", "--verbosity", "0", url=f"sqlite:///{path}")
    yield f"sqlite:///{path}"
    for file in files.folder.glob("fresh.sqlite3*"):
        file.unlink()


def peers(server: PostgreSQL, files: Files) -> Iterator[Result]:
    """The same first load by what people use today; into PostgreSQL, with the same indexes."""
    python = (sys.executable, "-m", "benchmarks.peers")
    with server.database("product") as database:
        ours, report = ingest(files.day1, url=server.url(database))
    speed = report["read"] / ours.seconds
    for name, means, path, rows in (
        ("`bulk_create(update_conflicts=True)`", "bulk_create", files.day1, files.rows),
        (f"django-import-export in bulk mode, {SLOW_ROWS:,} rows only", "import_export", files.few, SLOW_ROWS),
    ):
        with server.database("peer") as database:
            theirs = run(*python, means, path, url=server.url(database))
        yield peer(name, rows / theirs.seconds, speed)
    if not shutil.which("pgloader"):
        yield Result("pgloader", "not installed here")
        return
    with server.database("peer") as database:
        make_baseline(server, database)
        script = files.folder / "pgloader.load"
        script.write_text(pgloader_script(files.day1, server.folder, database))
        loaded = run("pgloader", "--no-ssl-cert-verification", script)
        yield peer("pgloader", files.rows / loaded.seconds, speed)


def peer(name: str, theirs: float, ours: float) -> Result:
    """A line about somebody else, in rows a second."""
    return Result(name, f"{theirs:,.0f} rows/s", f"the product: {ours:,.0f} rows/s", ours / theirs)


def pgloader_script(path: Path, socket: Path, database: str) -> str:
    """The file in pgloader's own language."""
    fields = ", ".join(c.name if c.required else f"{c.name} [null if blanks]" for c in COLUMNS)
    return (
        f"LOAD CSV FROM '{path}' ({fields})\n"
        f"INTO postgresql://postgres@unix:{socket}:5432/{database}?baseline ({COLUMN_LIST})\n"
        "WITH skip header = 1, fields optionally enclosed by '\"', fields terminated by ',';\n"
    )


GROUPS: dict[str, Callable[[PostgreSQL, Files], Iterator[Result]]] = {
    "postgresql": first_load,
    "sqlite": sqlite,
    "memory": memory,
    "peers": peers,
}
