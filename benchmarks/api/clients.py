"""Clients with connections that stay open, all in one loop: cheap, as they share the machine with what they measure."""

from __future__ import annotations

import gc
import re
import select
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from statistics import median, quantiles
from typing import NamedTuple

from benchmarks.machine import FailedError

LENGTH = re.compile(rb"\r\n[Cc]ontent-[Ll]ength: *([0-9]+)\r\n")
HEAD_END = b"\r\n\r\n"
LAST_CHUNK = b"0\r\n\r\n"
BLOCK = 1 << 18
SILENCE = 120
"""Seconds without any answer after which a server has failed."""


HEADERS = {"Host": "127.0.0.1", "Accept": "application/json"}
"""The same in every request: an answer, and its ETag, may depend on them."""


def request(path: str, **headers: str) -> bytes:
    """The bytes that ask for a path."""
    lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in HEADERS.items())]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode()


class Load(NamedTuple):
    """What is asked for, one after the other, by whichever client is free; and the status of a right answer."""

    requests: Sequence[bytes]
    status: int = 200


class Round(NamedTuple):
    """What some clients saw in some seconds; times in milliseconds, `cost` in microseconds of their own processor."""

    rate: float
    p50: float
    p99: float
    cost: float


@dataclass(slots=True)
class Connection:
    """A connection, what has come of an answer so far, and when its request was sent."""

    socket: socket.socket
    answer: bytes = b""
    sent: float = 0.0

    def ask(self, asked: bytes) -> None:
        self.answer = b""
        self.sent = time.perf_counter()
        self.socket.send(asked)

    def receive(self) -> bool:
        """Take what has come; whether that was the rest of the answer."""
        block = self.socket.recv(BLOCK)
        if not block:
            raise FailedError("The server has closed a connection in the middle of a measurement.")
        self.answer = self.answer + block if self.answer else block
        return is_complete(self.answer)


def is_complete(answer: bytes) -> bool:
    """Whether an answer has come to its end."""
    head = answer.find(HEAD_END)
    if head < 0:
        return False
    if answer[9:12] == b"304":
        # It may tell the length of the body that it does not have.
        return True
    if length := LENGTH.search(answer, 0, head + 2):
        return len(answer) >= head + len(HEAD_END) + int(length[1])
    return answer.endswith(LAST_CHUNK)


class Clients:
    """Some connections to one server, used for everything that is compared, so that both sides have the same."""

    def __init__(self, sockets: Sequence[socket.socket]) -> None:
        self.connections = {}
        self.poll = select.epoll()
        for each in sockets:
            each.setblocking(False)
            self.connections[each.fileno()] = Connection(each)
            self.poll.register(each, select.EPOLLIN)

    def close(self) -> None:
        self.poll.close()
        for connection in self.connections.values():
            connection.socket.close()

    def run(self, load: Load, seconds: float) -> Round:
        """Ask and ask again for some seconds. Raises `FailedError` at the first wrong answer."""
        gc.collect()
        gc.disable()
        used, begun = time.process_time(), time.perf_counter()
        try:
            times = self._ask(cycle(load.requests), str(load.status).encode(), begun + seconds)
        finally:
            gc.enable()
        took, used = time.perf_counter() - begun, time.process_time() - used
        p50, p99 = (median(times), quantiles(times, n=100, method="inclusive")[98]) if times[1:] else times * 2
        return Round(len(times) / took, p50 * 1e3, p99 * 1e3, used / len(times) * 1e6)

    def _ask(self, requests: Iterator[bytes], status: bytes, until: float) -> list[float]:
        times: list[float] = []
        for connection in self.connections.values():
            connection.ask(next(requests))
        busy = len(self.connections)
        while busy:
            ready = self.poll.poll(SILENCE)
            if not ready:
                raise FailedError(f"The server has not answered for {SILENCE} seconds.")
            for number, _ in ready:
                connection = self.connections[number]
                if not connection.receive():
                    continue
                now = time.perf_counter()
                times.append(now - connection.sent)
                if connection.answer[9:12] != status:
                    raise FailedError(f"A wrong answer: {connection.answer[:1000].decode(errors='replace')}")
                if now < until:
                    connection.ask(next(requests))
                else:
                    busy -= 1
        return times


@dataclass(frozen=True, slots=True)
class Turns:
    """How often, and for how many seconds each time."""

    rounds: int
    seconds: float

    def __str__(self) -> str:
        return f"{self.rounds} turns of {self.seconds:g} s"

    def measure(self, loads: Mapping[str, tuple[Clients, Load]]) -> dict[str, Round]:
        """All loads one after the other, a few times, so that a slow minute hits all alike; the medians."""
        for clients, load in loads.values():
            clients.run(load, self.seconds / 3)
        seen: dict[str, list[Round]] = {name: [] for name in loads}
        for _ in range(self.rounds):
            for name, (clients, load) in loads.items():
                seen[name].append(clients.run(load, self.seconds))
        return {name: Round(*map(median, zip(*rounds, strict=True))) for name, rounds in seen.items()}
