"""Loads as processes of their own, held, watched and compared from outside."""

from __future__ import annotations

import fcntl
import hashlib
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from django.core.management import call_command
from django.db import connection

from catalog.fingerprints import ErasedCustomer
from catalog.models import (
    Change,
    Correction,
    CorrectionEvent,
    KnownValue,
    Order,
    OrderVersion,
    Source,
    ValueRule,
)
from catalog.tally_models import DayTally, QualityCount, StateTally
from ingestion.models import LoadProgress, RejectedRow, RejectReason, RejectRepair, Run
from ingestion.staging.postgresql import LOCK
from ingestion.upload_models import Upload
from tests.conftest import ROOT, RunManage
from tests.counting import assert_counted

SECONDS = 60
"""No process of these tests takes so long; one that does is killed, and the test fails."""


MODELS = (
    *(RejectReason, RejectRepair, RejectedRow, Upload, Run, CorrectionEvent, Correction, ValueRule),
    *(KnownValue, OrderVersion, Order, Source, ErasedCustomer, DayTally, StateTally, QualityCount, Change),
    LoadProgress,
)
CATALOGUE = (Order, OrderVersion, Change, KnownValue, Source, DayTally, StateTally, QualityCount)

# The real command, held at one place: after a method has done its work, it says so and waits for a line.
HELD = """
import importlib, sys, django
from django.core.management import execute_from_command_line
django.setup()
module, owner, method, *arguments = sys.argv[1:]
owner = getattr(importlib.import_module(module), owner)
original = getattr(owner, method)
def held(*args, **kwargs):
    result = original(*args, **kwargs)
    print("held", flush=True)
    sys.stdin.readline()
    return result
setattr(owner, method, held)
execute_from_command_line(["manage.py", *arguments])
"""
STAGED = ("ingestion.staged", "StagedFile", "fill")
WRITTEN = ("ingestion.merge.steps", "Merge", "write")
UNDONE = ("ingestion.undo", "Undo", "_write")

Start = Callable[..., "subprocess.Popen[str]"]


class Files(NamedTuple):
    """An export and the next day's."""

    day1: Path
    day2: Path


def write_files(folder: Path, rows: int) -> Files:
    files = Files(folder / "day1.csv", folder / "day2.csv")
    call_command("generate_orders", rows=rows, seed=11, dirty=0.01, output=str(files.day1))
    call_command("generate_orders", rows=rows, seed=11, dirty=0.01, changed=0.3, output=str(files.day2))
    return files


@contextmanager
def starting(environment: dict[str, str]) -> Iterator[Start]:
    """A way to start loads, or other commands; those that still run in the end are killed."""
    with ExitStack() as stack:

        def popen(
            subject: Path | int,
            *options: str,
            hold: tuple[str, str, str] | None = None,
            command: tuple[str, ...] = ("ingest_csv", "--json"),
        ) -> subprocess.Popen[str]:
            program = ["-c", HELD, *hold] if hold else [str(ROOT / "manage.py")]
            process = subprocess.Popen(
                [sys.executable, *program, *command, str(subject), *options],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=ROOT,
                env=environment,
                text=True,
            )
            stack.enter_context(process)
            too_late = threading.Timer(SECONDS, process.kill)
            too_late.start()
            stack.callback(process.kill)
            stack.callback(too_late.cancel)
            if hold:
                assert process.stdout is not None
                assert process.stdout.readline() == "held\n"
            return process

        yield popen


def end(process: subprocess.Popen[str]) -> tuple[int, dict[str, Any], str]:
    """Let a held process go; its exit code, report and what it wrote to standard error."""
    out, err = process.communicate("go\n")
    return process.returncode, json.loads(out) if out else {}, err


def first_line(process: subprocess.Popen[str]) -> str:
    """The first line on standard error, as soon as it is there."""
    assert process.stderr is not None
    return process.stderr.readline()


def load(run_manage: RunManage, path: Path, *options: str) -> dict[str, Any]:
    """Load a file to the end; its report."""
    done = run_manage("ingest_csv", path, "--json", *options)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


@contextmanager
def load_lock(database_url: str) -> Iterator[None]:
    """The engine's own load lock, held by somebody who is no load."""
    if connection.vendor == "sqlite":
        with Path(f"{connection.settings_dict['NAME']}.load-lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
    else:
        with psycopg.connect(database_url, autocommit=True) as other:
            other.execute("SELECT pg_advisory_lock(%s)", [LOCK])
            yield


def checksum(sql: str) -> tuple[int, str]:
    """How many rows a query has, and a checksum of all their values."""
    digest, count = hashlib.sha256(), 0
    with connection.cursor() as cursor:
        cursor.execute(sql)
        while rows := cursor.fetchmany(5000):
            digest.update(repr(rows).encode())
            count += len(rows)
    return count, digest.hexdigest()


def snapshot() -> list[tuple[int, str]]:
    """All of the catalogue: orders, versions, changes, known values, sources, and what is counted."""
    return [
        checksum(f"SELECT * FROM {model._meta.db_table} ORDER BY " + ", ".join(names))
        for model, names in ((m, [str(f.column) for f in m._meta.pk_fields]) for m in CATALOGUE)
    ]


def assert_complete() -> None:
    """The catalogue has its primary key and every index, is counted rightly, and nothing of a load is left over."""
    assert_counted()
    with connection.cursor() as cursor:
        constraints = connection.introspection.get_constraints(cursor, Order._meta.db_table)
        tables = connection.introspection.table_names(cursor)
    assert {index.name for index in Order._meta.indexes} <= set(constraints)
    assert [c["columns"] for c in constraints.values() if c["primary_key"]] == [["key"]]
    assert not [table for table in tables if table.startswith("ingestion_") and table not in known_tables()]


def known_tables() -> set[str]:
    return {model._meta.db_table for model in MODELS}


def running() -> Run | None:
    return Run.objects.filter(status=Run.Status.RUNNING).first()
