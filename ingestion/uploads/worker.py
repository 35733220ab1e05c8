"""The worker: one process that takes up uploads, one after the other."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog
from django.db import DatabaseError, InterfaceError, close_old_connections, connection

from ingestion.errors import Interrupted
from ingestion.uploads.folder import worker_lock
from ingestion.uploads.work import clear_up, work_once

log = structlog.get_logger(__name__)

PAUSE = 1.0
HOUR = 3600.0


class Worker:
    """Works until it is told to end (SIGTERM, Ctrl-C), or with `once` until nothing waits.

    A load that is under way then ends in good order and begins anew with the next worker. A second worker waits until
    the first has ended, and takes over.
    """

    def __init__(self, say: Callable[[str], None], *, once: bool = False) -> None:
        self._say = say
        self._once = once
        self._is_over = self._is_loading = False
        self._clear_up_at = 0.0

    def run(self) -> None:
        """All of it. Raises OSError when the folder of uploads cannot be used."""
        is_spare = False
        before = {number: signal.signal(number, self._stop) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            while not self._is_over:
                with worker_lock() as held:
                    if held:
                        self._work()
                        return
                if self._once:
                    self._say("Another worker is there and does the work.")
                    return
                if not is_spare:
                    self._say("Another worker is there; this one waits, and takes over when it ends.")
                is_spare = True
                time.sleep(PAUSE)
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _stop(self, *_: object) -> None:
        was_over, self._is_over = self._is_over, True
        if self._is_loading and not was_over:
            raise Interrupted

    @contextmanager
    def _loading(self) -> Iterator[None]:
        self._is_loading = True
        try:
            if self._is_over:
                raise Interrupted
            yield
        finally:
            self._is_loading = False

    def _work(self) -> None:
        log.info("worker.started")
        while not self._is_over:
            found = False
            try:
                found = self._step()
            except Interrupted:
                return
            except (DatabaseError, InterfaceError) as error:
                # SQLite may be busy with somebody else's load, a server may be restarted: it will be back.
                log.warning("worker.database", reason=" ".join(str(error).split()))
                connection.close()
            if self._once and not found:
                return
            if not found:
                time.sleep(PAUSE)

    def _step(self) -> bool:
        close_old_connections()
        if time.monotonic() >= self._clear_up_at:
            clear_up()
            self._clear_up_at = time.monotonic() + HOUR
        return work_once(self._loading)
