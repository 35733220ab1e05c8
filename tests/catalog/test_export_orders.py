"""`manage.py export_orders`: the API's queries, errors and files, on the command line."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from rest_framework.test import APIClient

from catalog.engines import reader_for
from tests.conftest import ROOT, RunManage
from tests.exporting import READERS, download
from tests.factories import make_order, make_orders
from tests.read_side import api

__all__ = ["api"]

pytestmark = pytest.mark.django_db(transaction=True)

QUERY = "website=VVNL&order_date__gte=2018-01-01T03:00:00&ordering=-order_date"


@pytest.mark.parametrize("format_", list(READERS))
def test_the_file_is_that_of_the_api(api: APIClient, run_manage: RunManage, tmp_path: Path, format_: str) -> None:
    make_orders(9)
    make_order(10, website="-NL")
    path = tmp_path / f"orders.{format_}"

    done = run_manage("export_orders", f"?{QUERY}", "--format", format_, "--output", path)

    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.startswith("7 orders, as of change ")
    query = dict(part.split("=") for part in QUERY.split("&"))
    expected = READERS[format_](download(api, format=format_, **query))
    assert len(expected) == 7
    assert READERS[format_](path.read_bytes()) == expected
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_standard_output_unless_told_otherwise(run_manage: RunManage) -> None:
    make_order(1, website="-NL")
    for raw, expected in ((False, "'-NL"), (True, "-NL")):
        done = run_manage("export_orders", "fields=website", *(["--raw"] if raw else []))
        assert (done.returncode, done.stdout) == (0, f"website\n{expected}\n")


def test_what_is_wrong_is_said_in_sentences(run_manage: RunManage, tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    done = run_manage("export_orders", "webiste=VVNL&order_date=soon&page_size=9", "--output", path)
    assert (done.returncode, done.stdout) == (1, "")
    said = done.stderr.splitlines()
    assert "CommandError: webiste: Unknown parameter. Did you mean 'website'?" in said
    assert "page_size: Unknown parameter." in said
    assert any(sentence.startswith("order_date: 'soon' is not a timestamp like") for sentence in said)
    twice = run_manage("export_orders", "format=csv", "--format", "xlsx")
    assert twice.stderr == "CommandError: format: Given 2 times; it can be given once only.\n"
    assert not path.exists()


def test_a_place_that_cannot_be_written_to_is_named(run_manage: RunManage, tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "orders.csv"
    done = run_manage("export_orders", "--output", path)
    assert (done.returncode, done.stderr) == (
        1,
        f"CommandError: {path} cannot be written: No such file or directory.\n",
    )


def test_a_broken_export_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "orders.csv"
    path.write_text("yesterday's")
    make_orders(5000)
    monkeypatch.setattr(type(reader_for(connection)), "csv", breaking(type(reader_for(connection)).csv))

    with pytest.raises(CommandError, match="The database has broken the export off, which is not whole: it is gone"):
        call_command("export_orders", output=str(path))

    assert path.read_text() == "yesterday's"
    assert list(tmp_path.iterdir()) == [path]


def breaking(csv: Any) -> Any:
    """The rows of a query up to a point at which the database is gone."""

    def broken(*arguments: Any) -> Iterator[bytes]:
        rows = csv(*arguments)
        yield next(rows)
        raise OperationalError("it is gone\nreally")

    return broken


def test_who_reads_the_output_may_stop(environment: dict[str, str]) -> None:
    make_orders(20_000)
    command = f"{sys.executable} {ROOT / 'manage.py'} export_orders | head -n 2; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", command], check=True, capture_output=True, env=environment, text=True, timeout=60
    )
    header, order, code = done.stdout.splitlines()
    assert (header[:9], order[-3:], code) == ("order_id,", "+00", "0")
    assert "Traceback" not in done.stderr
