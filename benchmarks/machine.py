"""Programs run and measured, a PostgreSQL for them to work on, and what machine this is."""

from __future__ import annotations

import json
import os
import platform
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import psycopg

from tests.postgresql import TemporaryPostgreSQL

ROOT = Path(__file__).resolve().parent.parent

KEY = secrets.token_urlsafe(50)
"""The secret of all programs of one measurement, so that each knows the sessions of the others."""

# As on a small server that is used in earnest: every commit is on the disk when it is reported.
SERVER = {
    "listen_addresses": "",
    "shared_buffers": "1GB",
    "max_wal_size": "4GB",
    # Containers often have a tiny /dev/shm.
    "dynamic_shared_memory_type": "mmap",
}


class Run(NamedTuple):
    """What a program took: seconds of wall clock, and its peak memory in megabytes (of 10^6 bytes)."""

    seconds: float
    megabytes: float
    output: str


class FailedError(Exception):
    """A program that is measured has failed; the message is what it said."""


def run(*command: str | Path, url: str = "", stdin: Path | None = None) -> Run:
    """Run a program to its end, on the database at `url`."""
    environment = {**os.environ, "DJANGO_SECRET_KEY": KEY, "LOG_LEVEL": "ERROR"}
    if url:
        environment["DATABASE_URL"] = url
    with tempfile.TemporaryFile() as output, (stdin or Path(os.devnull)).open("rb") as source:
        begun = time.perf_counter()
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdin=source, stdout=output, stderr=output)
        # wait4 tells the peak memory of this one process.
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        text = output.read().decode(errors="replace")
    if process.returncode:
        raise FailedError(f"{' '.join(map(str, command))}: exit code {process.returncode}\n{text[-2000:]}")
    return Run(seconds, usage.ru_maxrss * 1024 / 1e6, text)


def manage(*arguments: str | Path, url: str) -> Run:
    """Run one of the product's own commands."""
    return run(sys.executable, "manage.py", *arguments, url=url)


def ingest(path: Path, *, url: str, status: str = "loaded") -> tuple[Run, dict[str, Any]]:
    """Load a file with the product; what that took, and the report."""
    done = manage("ingest_csv", path, "--json", "--no-progress", url=url)
    report: dict[str, Any] = json.loads(done.output)
    if report["status"] != status:
        raise FailedError(f"{path} was {report['status']} instead of {status}: {report['reason']}")
    return done, report


@dataclass
class PostgreSQL:
    """A server with databases that come and go."""

    folder: Path
    programs: Path

    def url(self, database: str) -> str:
        """How the product is told of a database."""
        return f"postgres://postgres@/{quote(database)}?host={quote(str(self.folder), safe='')}"

    def connect(self, database: str) -> psycopg.Connection:
        """A connection of our own."""
        return psycopg.connect(host=str(self.folder), user="postgres", dbname=database, autocommit=True)

    @contextmanager
    def database(self, name: str) -> Iterator[str]:
        """A new database with the product's tables, dropped afterwards; its name."""
        with self.connect("postgres") as connection:
            connection.execute(f"CREATE DATABASE {name}")
        try:
            manage("migrate", "--verbosity", "0", url=self.url(name))
            yield name
        finally:
            with self.connect("postgres") as connection:
                connection.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def psql(self, database: str, sql: str) -> Run:
        """Run one statement, or one of psql's own like `\\copy`, in psql."""
        options = ("-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", self.folder, "-U", "postgres", "-d", database)
        return run(self.programs / "psql", *options, "-c", sql)


@contextmanager
def postgresql(folder: Path) -> Iterator[PostgreSQL]:
    """A server whose data is in `folder`, an empty folder of nobody else's."""
    server = TemporaryPostgreSQL(folder, SERVER)
    server.start()
    try:
        yield PostgreSQL(folder, server.programs)
    finally:
        server.stop()


def describe(server: PostgreSQL) -> str:
    """The machine and the programs, in one sentence."""
    with server.connect("postgres") as connection:
        row = connection.execute("SHOW server_version").fetchone()
    settings = ", ".join(f"{name}={value}" for name, value in SERVER.items() if value.endswith("GB"))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{platform.system()} {platform.machine()}, {_processor()}, {len(os.sched_getaffinity(0))} cores, "
        f"{memory:.0f} GiB; Python {platform.python_version()}, PostgreSQL {row[0] if row else '?'} ({settings}, "
        "everything else as it comes)"
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")
