"""Where the load under way is, for whoever looks at its run: told beside its transaction, which nobody sees into.

A thread tells once a second, whether or not the load has got any further, so that a load that works is told from one
whose process has died. It has no part in the load: what keeps it from telling is logged, and the load goes on.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass

import structlog
from django.db import DatabaseError

from ingestion.models import Run
from ingestion.progress import Listener
from ingestion.reader.exact import Reject
from ingestion.staging import Engine

log = structlog.get_logger(__name__)

EVERY = 1.0
"""Seconds between two tellings; a load that ends before the first of them tells nothing."""

STILL = 10.0
"""Seconds without a word after which something is wrong: the process has died or is held up."""

PATIENCE = 5.0
"""Seconds that a load which has ended waits for the thread."""


@dataclass(frozen=True, slots=True)
class Position:
    """Where the load of a run is: its stage, and since when; `rows` are all that it has read so far."""

    run: int
    stage: str = ""
    seconds: float = 0.0
    rows: int = 0
    done: int = 0
    total: int = 0
    """Bytes that the stage has gone through, and has to; nought where it does not count them."""

    @property
    def rate(self) -> float | None:
        """Rows a second in this stage; None where the stage does not go through the file."""
        return self.rows / self.seconds if self.done and self.seconds else None

    @property
    def left(self) -> float | None:
        """Seconds that the stage will take from here on at the same pace; None where nobody knows."""
        # Text that is read as UTF-8 may have more bytes than the file.
        return max(0.0, self.seconds * (self.total / self.done - 1)) if self.done and self.total else None

    @property
    def share(self) -> float | None:
        """How much of the stage is done, from 0 to 1; None where nobody knows."""
        return min(1.0, self.done / self.total) if self.done and self.total else None


class Telling:
    """A listener that passes on what it is told, and remembers where the load is."""

    def __init__(self, run: int, listener: Listener) -> None:
        self._run = run
        self._listener = listener
        # Replaced as a whole: the thread that reads it sees one state or the next.
        self._state = ("", time.monotonic(), 0, 0, 0)

    def stage(self, name: str, total: int | None = None) -> None:
        """See `Listener`."""
        self._state = (name, time.monotonic(), self._state[2], 0, total or 0)
        self._listener.stage(name, total)

    def advance(self, size: int, rows: int) -> None:
        """See `Listener`."""
        name, begun, before, done, total = self._state
        self._state = (name, begun, before + rows, done + size, total)
        self._listener.advance(size, rows)

    def note(self, sentence: str) -> None:
        """See `Listener`."""
        self._listener.note(sentence)

    def begun(self, run: Run) -> None:
        """See `Listener`."""
        self._listener.begun(run)

    def rejected(self, rejects: Iterable[Reject]) -> None:
        """See `Listener`."""
        self._listener.rejected(rejects)

    def close(self) -> None:
        """See `Listener`."""
        self._listener.close()

    @property
    def position(self) -> Position:
        """Where the load is now."""
        name, begun, rows, done, total = self._state
        return Position(self._run, name, round(time.monotonic() - begun, 3), rows, done, total)


@contextmanager
def told(run: int, listener: Listener, engine: Engine) -> Iterator[Listener]:
    """The listener for a load; while it is under way, `position_of` knows where it is."""
    telling, over = Telling(run, listener), threading.Event()
    thread = threading.Thread(target=_tell, args=(telling, engine, over), name="progress", daemon=True)
    thread.start()
    try:
        yield telling
    finally:
        over.set()
        thread.join(PATIENCE)


def _tell(telling: Telling, engine: Engine, over: threading.Event) -> None:
    # Most loads that somebody waits for, such as the repair of a row, end here.
    if over.wait(EVERY):
        return
    try:
        with engine.bulletin() as write:
            write(json.dumps(asdict(telling.position)))
            while not over.wait(EVERY):
                write(json.dumps(asdict(telling.position)))
    except (DatabaseError, OSError) as error:
        log.warning("load.progress_not_told", reason=" ".join(str(error).split()))


def position_of(run: int, engine: Engine) -> tuple[Position, float] | None:
    """Where the load of a run was when it was last told, and how many seconds ago; None when it has told nothing."""
    found = engine.read_bulletin()
    if found is None:
        return None
    text, age = found
    try:
        position = Position(**json.loads(text))
    except (TypeError, ValueError):
        # Another version of this programme has told it, which has died or is still at work.
        return None
    return (position, age) if position.run == run else None
