"""A file that is taken away piece by piece while it is written."""

from __future__ import annotations


class Sink:
    """What those who write files write to; it never goes back, so what is taken is final."""

    closed = False

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._pieces.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """There is nothing to do: it is all here already."""

    def close(self) -> None:
        self.closed = True

    def taken(self) -> bytes:
        """All that was written since the last time."""
        taken = b"".join(self._pieces)
        self._pieces.clear()
        return taken
