"""The benchmark of the query API runs; how fast anything is, it says itself, and no test."""

from __future__ import annotations

import subprocess
import sys

import pytest

from benchmarks.api.clients import is_complete
from benchmarks.api.lines import Line
from tests.conftest import ROOT

LENGTH = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 12\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.postgresql_only
def test_the_api_is_measured() -> None:
    groups = ("lists", "single", "unchanged", "deep", "facets", "exports")
    size = ("--orders", "1000", "--rounds", "1", "--seconds", "0.02")
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.api", *size, *groups], check=False, capture_output=True, cwd=ROOT, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    for what in (
        "first, made anew",
        "first, asked for before",
        "one order by key, asked for before",
        "304",
        "by cursor, one website",
        "four facets",
        "export of",
    ):
        assert what in done.stdout


def test_a_group_that_does_not_exist_is_named() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.api", "list"], check=False, capture_output=True, cwd=ROOT, text=True
    )
    assert done.returncode == 2
    assert "there is no list; choose of floor, lists, " in done.stderr


@pytest.mark.parametrize(
    ("answer", "complete"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Len", False),
        (LENGTH, False),
        (LENGTH + b"hello, worl", False),
        (LENGTH + b"hello, world", True),
        (CHUNKED + b"2\r\n{}\r\n", False),
        (CHUNKED + b"2\r\n{}\r\n0\r\n\r\n", True),
        (b'HTTP/1.1 304 Not Modified\r\nETag: "1"\r\n\r\n', True),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 12\r\n\r\n", True),
    ],
)
def test_clients_see_where_an_answer_ends(answer: bytes, complete: bool) -> None:
    assert is_complete(answer) is complete


@pytest.mark.parametrize(
    ("line", "limit", "verdict"),
    [
        (Line("pages", "8/s", "2/s", 4.0, least=4), "at least 4", "met"),
        (Line("pages", "8/s", "2/s", 3.99, least=4), "at least 4", "missed"),
        (Line("pages", "8/s", "2/s", 1.31, most=1.3), "at most 1.3", "missed"),
        (Line("pages", "8/s", "2/s", 3.99), "", ""),
        (Line("pages", "not there yet", least=4), "at least 4", ""),
    ],
)
def test_a_line_tells_whether_its_limit_is_met(line: Line, limit: str, verdict: str) -> None:
    assert (line.limit, line.verdict) == (limit, verdict)
