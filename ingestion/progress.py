"""How a load tells where it is."""

from __future__ import annotations

import queue
import sys
import threading
import time
from collections.abc import Generator, Iterable
from typing import Any, Protocol, TextIO, TypeVar

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from ingestion.models import Run
from ingestion.reader.exact import Reject

Item = TypeVar("Item")


class Listener(Protocol):
    """Told what a load does."""

    def stage(self, name: str, total: int | None = None) -> None:
        """A stage begins; `total` is the number of bytes it will go through, where that is known."""

    def advance(self, size: int, rows: int) -> None:
        """`size` more bytes and `rows` more rows are done."""

    def note(self, sentence: str) -> None:
        """Something the user should know now."""

    def begun(self, run: Run) -> None:
        """The load has the lock, and its run is recorded; a dry run has none."""

    def rejected(self, rejects: Iterable[Reject]) -> None:
        """What was rejected, in the order in which it was found; for this moment only."""

    def close(self) -> None:
        """The load has ended."""


class Silent:
    """Tells nothing but notes, which go to standard error."""

    def stage(self, name: str, total: int | None = None) -> None:
        """See `Listener`."""

    def advance(self, size: int, rows: int) -> None:
        """See `Listener`."""

    def note(self, sentence: str) -> None:
        """See `Listener`."""
        print(sentence, file=sys.stderr, flush=True)

    def begun(self, run: Run) -> None:
        """See `Listener`."""

    def rejected(self, rejects: Iterable[Reject]) -> None:
        """See `Listener`."""

    def close(self) -> None:
        """See `Listener`."""


class Lines(Silent):
    """A plain line every few seconds, for logs."""

    SECONDS = 10

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._stage, self._total, self._bytes, self._rows = "", 0, 0, 0
        self._begun = self._said = time.monotonic()

    def stage(self, name: str, total: int | None = None) -> None:
        """See `Listener`."""
        self._stage, self._total, self._bytes, self._rows = name, total or 0, 0, 0
        self._begun = time.monotonic()
        self._say_if_due()

    def advance(self, size: int, rows: int) -> None:
        """See `Listener`."""
        self._bytes += size
        self._rows += rows
        self._say_if_due()

    def _say_if_due(self) -> None:
        now = time.monotonic()
        if now - self._said < self.SECONDS:
            return
        self._said = now
        text = self._stage
        if self._rows:
            elapsed = now - self._begun
            left = elapsed * (self._total / self._bytes - 1) if self._bytes and self._total else 0
            text += f": {self._rows:,} rows, {self._rows / elapsed:,.0f} rows/s, about {left:.0f} s left"
        print(text, file=self._stream, flush=True)


class Bar(Silent):
    """A bar with stage, rows a second and time left, for a terminal."""

    def __init__(self, stream: TextIO) -> None:
        self._console = Console(file=stream)
        self._progress = Progress(
            TextColumn("{task.description:<9}"),
            BarColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
        )
        self._task: TaskID | None = None
        self._rows, self._begun = 0, time.monotonic()

    def stage(self, name: str, total: int | None = None) -> None:
        """See `Listener`."""
        self._progress.start()
        if self._task is not None:
            self._progress.remove_task(self._task)
        self._rows, self._begun = 0, time.monotonic()
        self._task = self._progress.add_task(name, total=total, rate="")

    def advance(self, size: int, rows: int) -> None:
        """See `Listener`."""
        self._rows += rows
        if self._task is not None:
            rate = self._rows / max(time.monotonic() - self._begun, 0.001)
            self._progress.update(self._task, advance=size, rate=f"{self._rows:,} rows, {rate:,.0f}/s")

    def note(self, sentence: str) -> None:
        """See `Listener`."""
        self._console.print(sentence, markup=False, highlight=False)

    def close(self) -> None:
        """See `Listener`."""
        self._progress.stop()


def read_ahead(items: Iterable[Item], depth: int = 2) -> Generator[Item]:
    """The same items, made in a second thread, at most `depth` ahead: reading and writing overlap.

    An error in making them is raised where they are used; when the user stops early, so does the thread.
    """
    ready: queue.Queue[tuple[Item | None, BaseException | None]] = queue.Queue(depth)
    stopped = threading.Event()
    thread = threading.Thread(target=_produce, args=(items, ready, stopped), name="reader", daemon=True)
    thread.start()
    try:
        while True:
            item, error = ready.get()
            if isinstance(error, StopIteration):
                return
            if error is not None:
                raise error
            yield item  # type: ignore[misc]
    finally:
        stopped.set()
        thread.join()


def _produce(items: Iterable[Item], ready: queue.Queue[Any], stopped: threading.Event) -> None:
    try:
        for item in items:
            if not _handed_over(ready, (item, None), stopped):
                return
        _handed_over(ready, (None, StopIteration()), stopped)
    except BaseException as error:  # noqa: BLE001  handed over, and raised where the items are used
        _handed_over(ready, (None, error), stopped)


def _handed_over(ready: queue.Queue[Any], message: object, stopped: threading.Event) -> bool:
    while not stopped.is_set():
        try:
            ready.put(message, timeout=0.1)
        except queue.Full:
            continue
        return True
    return False
