"""Logs are JSON, one event a line, and each line about a request names it."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.conftest import ROOT, RunManage

LOG_AN_ERROR = """
import logging
try:
    1 / 0
except ZeroDivisionError:
    logging.getLogger("orders").exception("It did not %s", "work")
"""


@contextmanager
def gunicorn(environment: dict[str, str], log: Path) -> Iterator[str]:
    """The site as gunicorn serves it, on a free port; gives its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "gunicorn"],
            cwd=ROOT,
            env=environment | {"BIND": f"127.0.0.1:{port}"},
            stdout=file,
            stderr=file,
        )
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


def status(url: str, **headers: str) -> int:
    """The HTTP status of a page, once the server listens."""
    deadline = time.monotonic() + 30
    while True:
        try:
            with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=10) as response:
                return int(response.status)
        except urllib.error.HTTPError as error:
            error.close()
            return error.code
        except urllib.error.URLError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def test_each_line_of_the_server_is_json_and_names_its_request(environment: dict[str, str], tmp_path: Path) -> None:
    log = tmp_path / "log"
    with gunicorn(environment | {"LOG_LEVEL": "INFO"}, log) as site:
        assert status(f"{site}/no/such/page", **{"X-Request-Id": "anything"}) == 404
        assert status(f"{site}/no/such/page") == 404
    events = [json.loads(line) for line in log.read_text().splitlines()]
    assert all(event["level"] and event["logger"] and event["timestamp"].endswith("Z") for event in events)
    finished = [event for event in events if event["event"] == "request_finished"]
    assert [(event["request"], event["code"]) for event in finished] == [("GET /no/such/page", 404)] * 2
    assert [len(event["request_id"]) for event in finished] == [36, 36]
    assert any(event["logger"] == "gunicorn.error" for event in events)


def test_a_proxy_may_name_the_request(environment: dict[str, str], tmp_path: Path) -> None:
    log = tmp_path / "log"
    with gunicorn(environment | {"DJANGO_BEHIND_PROXY": "on"}, log) as site:
        assert status(f"{site}/no/such/page", **{"X-Request-Id": "from-the-proxy"}) == 404
    assert [json.loads(line)["request_id"] for line in log.read_text().splitlines()] == ["from-the-proxy"]


def test_an_error_with_its_traceback_is_one_line(run_manage: RunManage) -> None:
    done = run_manage("shell", "--no-imports", "-c", LOG_AN_ERROR)
    event = json.loads(done.stderr)
    assert event["event"] == "It did not work"
    assert event["level"] == "error"
    assert "ZeroDivisionError: division by zero" in event["exception"]


def test_people_may_have_them_as_text(run_manage: RunManage) -> None:
    done = run_manage("shell", "--no-imports", "-c", LOG_AN_ERROR, LOG_FORMAT="console")
    assert "It did not work" in done.stderr
    assert not done.stderr.startswith("{")


def test_below_the_level_nothing_is_logged(run_manage: RunManage) -> None:
    assert run_manage("shell", "--no-imports", "-c", LOG_AN_ERROR, LOG_LEVEL="critical").stderr == ""
