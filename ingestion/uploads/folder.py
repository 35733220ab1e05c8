"""The folder in which uploaded files wait: nobody else's to read, each file under a name that nobody chose.

Besides the files it holds the lock that says whether a worker is there, and what the worker is just doing.
"""

from __future__ import annotations

import fcntl
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from django.conf import settings

ARRIVING, DOING = ".part", ".doing"
OURS = re.compile(r"([0-9a-f]{32})(\.part|\.doing)?")
LOCK = "worker-lock"
TRIES = 10


def folder() -> Path:
    """The folder, made if it is not there. Raises OSError."""
    path = Path(settings.UPLOAD_FOLDER)
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def path_of(content: UUID, ending: str = "") -> Path:
    """Where a file lies; with an ending, something that belongs to it."""
    return Path(settings.UPLOAD_FOLDER) / f"{content.hex}{ending}"


def create(path: Path) -> BinaryIO:
    """A new file that only its owner can read. Raises OSError."""
    folder()
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b")


def settle(content: UUID) -> None:
    """Give a file that has wholly arrived its final name. Raises OSError."""
    path_of(content, ARRIVING).rename(path_of(content))
    # The name, too, must outlast a loss of power: a row of the database is about to refer to it.
    directory = os.open(folder(), os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def remove(content: UUID | None) -> None:
    """Delete a file and what belongs to it; what cannot be deleted now, `sweep` will find."""
    if content is not None:
        for ending in ("", ARRIVING, DOING):
            with suppress(OSError):
                path_of(content, ending).unlink(missing_ok=True)


def sweep(kept: set[UUID], *, older_than: float) -> int:
    """Delete what belongs to no upload and is older than so many seconds; how many files that were."""
    count = 0
    for path in folder().iterdir():
        found = OURS.fullmatch(path.name)
        if found is None or UUID(found[1]) in kept:
            continue
        with suppress(OSError):
            if time.time() - path.stat().st_mtime > older_than:
                path.unlink()
                count += 1
    return count


def tell(content: UUID, sentence: str) -> None:
    """Say what is being done with a file. Nothing depends on it, so nothing fails when it cannot be said."""
    with suppress(OSError):
        written = path_of(content, DOING)
        written.touch(mode=0o600)
        written.write_text(sentence)


def tell_no_more(content: UUID) -> None:
    """Nothing is being done with it."""
    with suppress(OSError):
        path_of(content, DOING).unlink(missing_ok=True)


def told(content: UUID) -> str:
    """What is being done with a file, if that is known."""
    try:
        return path_of(content, DOING).read_text()
    except (OSError, UnicodeDecodeError):
        return ""


@contextmanager
def worker_lock() -> Iterator[bool]:
    """True inside for the one worker, False while there is another. It ends with the process, however that ends."""
    with (folder() / LOCK).open("w") as file:
        yield _locked(file.fileno())


def _locked(number: int) -> bool:
    # Somebody who just asks whether a worker is there has the lock for a moment.
    for _ in range(TRIES):
        with suppress(BlockingIOError):
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        time.sleep(0.05)
    return False


def has_worker() -> bool:
    """Whether there is a worker."""
    try:
        with (Path(settings.UPLOAD_FOLDER) / LOCK).open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
