"""Servers that are measured: the product as it is deployed, and what else answers HTTP."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from benchmarks.api.clients import HEADERS, Clients, is_complete, request
from benchmarks.machine import KEY, ROOT, FailedError

WORKERS = 2
CLIENTS = 8
SECONDS_TO_START = 60
TRIES = 400
"""Connections that are opened to find some for each worker."""


class Answer(NamedTuple):
    """What a server says."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Site:
    """A server on this machine."""

    port: int
    process: subprocess.Popen[bytes]

    def get(self, path: str) -> Answer:
        """One answer, whatever it is."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=600)) as connection:
            connection.request("GET", path, headers=HEADERS)
            response = connection.getresponse()
            return Answer(response.status, dict(response.headers), response.read())

    def json(self, path: str) -> Any:
        """The body of a right answer."""
        answer = self.get(path)
        if answer.status != 200:
            raise FailedError(f"{path}: status {answer.status}, {answer.body[:1000].decode(errors='replace')}")
        return answer.json()

    def lacks(self, path: str) -> str:
        """Why a path is not there (yet), in a few words; empty when it is."""
        answer = self.get(path)
        if answer.status in (400, 404):
            return f"not there yet (status {answer.status})"
        if answer.status != 200:
            raise FailedError(f"{path}: status {answer.status}, {answer.body[:1000].decode(errors='replace')}")
        return ""

    def follow(self, path: str, pages: int, link: str = "next") -> list[str]:
        """The paths of a page and of those after it, at most so many, as the links of the answers have them."""
        paths = [path]
        while len(paths) < pages and (address := self.json(paths[-1])[link]):
            parts = urlsplit(address)
            paths.append(f"{parts.path}?{parts.query}")
        return paths

    def connect(self) -> socket.socket:
        """A connection of our own."""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    @contextmanager
    def clients(self, count: int) -> Iterator[Clients]:
        """So many clients."""
        with closing(Clients(self.connections(count))) as clients:
            yield clients

    def connections(self, count: int) -> list[socket.socket]:
        """So many connections."""
        return [self.connect() for _ in range(count)]


class Product(Site):
    """The product under gunicorn, two workers unless told otherwise."""

    def connections(self, count: int) -> list[socket.socket]:
        """As many for each worker: who accepts a connection is left to chance, and decides how long it waits."""
        most = -(-count // len(self.workers()))
        held: list[socket.socket] = []
        shares: Counter[bytes] = Counter()
        for _ in range(TRIES):
            connection = self.connect()
            worker = ask(connection, "/plain/worker/").rpartition(b"\r\n\r\n")[2]
            if shares[worker] == most:
                connection.close()
                continue
            shares[worker] += 1
            held.append(connection)
            if len(held) == count:
                return held
        raise FailedError(f"One of gunicorn's workers accepts no connections: {dict(shares)}.")

    def workers(self) -> list[int]:
        """The processes that answer."""
        pid = self.process.pid
        return [int(text) for text in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def peak(self) -> float:
        """The most memory that a worker has had since it was last asked, in megabytes (of 10^6 bytes)."""
        peaks = []
        for pid in self.workers():
            status = Path(f"/proc/{pid}/status").read_text()
            peaks.append(int(status.partition("VmHWM:")[2].split()[0]) * 1024 / 1e6)
            Path(f"/proc/{pid}/clear_refs").write_text("5")
        return max(peaks)


def ask(connection: socket.socket, path: str) -> bytes:
    """One short answer on a connection, head and all."""
    connection.sendall(request(path))
    answer = b""
    while not is_complete(answer):
        block = connection.recv(65536)
        if not block:
            raise FailedError(f"The server has closed the connection on which {path} was asked for.")
        answer += block
    return answer


@contextmanager
def product(url: str, log: Path, workers: int = WORKERS, memory: str = "off") -> Iterator[Product]:
    """The product on the database at `url`, with its own configuration of gunicorn; anybody may read.

    Unless it is told how much to remember, it makes each answer anew, so that asking again measures nothing else.
    """
    port = free_port()
    environment = {
        "DJANGO_SETTINGS_MODULE": "benchmarks.plain_api.settings",
        "DJANGO_SECRET_KEY": KEY,
        "DJANGO_ALLOWED_HOSTS": "127.0.0.1",
        "DJANGO_INSECURE_HTTP": "on",
        "API_ANONYMOUS_READ": "on",
        "API_MEMORY": memory,
        "DATABASE_URL": url,
        "BIND": f"127.0.0.1:{port}",
        "WEB_CONCURRENCY": str(workers),
        "LOG_LEVEL": "ERROR",
    }
    command = (sys.executable, "-m", "gunicorn", "--config", "gunicorn.conf.py")
    with served(command, log, environment) as process:
        site = Product(port, process)
        wait_for(site, "/healthz", log)
        yield site


@contextmanager
def served(
    command: Sequence[str | Path], log: Path, environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A server that runs as long as the block; what it says goes to `log`."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def wait_for(site: Site, path: str, log: Path) -> None:
    """Until the server answers. Raises `FailedError` with what it said instead."""
    deadline = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < deadline and site.process.poll() is None:
        try:
            if site.get(path).status == 200:
                return
        except OSError:
            pass
        time.sleep(0.1)
    raise FailedError(f"The server did not start:\n{log.read_text(errors='replace')[-2000:]}")


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
