"""Rejected rows in tests: exported, put right and loaded again through the commands."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from django.core.management import call_command

from ingestion.models import RejectedRow
from tests.loading import Loaded, ingest

ALL = ("--max-rejects", "100%")


def load(path: Path, *options: str) -> int:
    """The run of a file that is loaded, whatever it has of rejects."""
    report = ingest(path, *ALL, *options).report
    assert report["status"] == "loaded", report
    number: int = report["run"]
    return number


def export(run: int, tmp_path: Path) -> list[dict[str, str]]:
    """What `export_rejects` writes of a run."""
    path = tmp_path / "fix.csv"
    call_command("export_rejects", str(run), output=str(path), stderr=io.StringIO())
    return list(csv.DictReader(io.StringIO(path.read_bytes().decode(), newline="")))


def repair(run: int, tmp_path: Path, changed: list[dict[str, str]], *options: str) -> Loaded:
    """Load rows of an export of `run`, as a person has left them."""
    path = tmp_path / "fixed.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(changed[0]))
        writer.writeheader()
        writer.writerows(changed)
    return ingest(path, "--repairs", str(run), *options)


def states(run: int) -> dict[int, str]:
    return dict(RejectedRow.objects.filter(run=run).order_by("line").values_list("line", "state"))


def row_on(run: int, number: int) -> RejectedRow:
    return RejectedRow.objects.get(run=run, line=number)
