"""The site served by gunicorn, as in production, and read over a plain socket."""

from __future__ import annotations

import http.client
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.conftest import ROOT

SECONDS = 30


@contextmanager
def serving(environment: dict[str, str], **variables: str) -> Iterator[int]:
    """One worker of gunicorn on the test database, which anyone may read; its port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {
        "BIND": f"127.0.0.1:{port}",
        "WEB_CONCURRENCY": "1",
        "API_ANONYMOUS_READ": "on",
        "LOG_LEVEL": "CRITICAL",
    }
    process = subprocess.Popen([sys.executable, "-m", "gunicorn"], cwd=ROOT, env=environment | settings | variables)
    try:
        wait_for(port, process)
        yield port
    finally:
        process.terminate()
        process.wait(SECONDS)


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    """Until the server answers."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            if get(port, "/healthz").read():
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError("gunicorn does not answer")


def get(port: int, address: str) -> http.client.HTTPResponse:
    """The answer, with its body still to be read; the client takes little in at a time."""
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    client.sock = socket.socket()
    client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
    client.sock.settimeout(SECONDS)
    client.sock.connect(("127.0.0.1", port))
    client.request("GET", address)
    return client.getresponse()
