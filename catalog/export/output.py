"""Writing what a command makes: to standard output, or to a file that is whole or not there."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO


def write_out(out: BinaryIO, pieces: Iterable[bytes]) -> None:
    """Write to standard output; who reads it may stop at any time."""
    try:
        out.writelines(pieces)
        out.flush()
    except BrokenPipeError:
        # Who reads has seen enough. Python would complain once more when it flushes at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def write_whole(path: Path, pieces: Iterable[bytes]) -> None:
    """Write a file under another name, which it gives up only when it is complete."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("xb") as file:
            file.writelines(pieces)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
