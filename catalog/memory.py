"""What a process remembers of the catalogue, for as long as the catalogue stays as it is."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

T = TypeVar("T")


class Memory(Generic[T]):
    """So many answers at most, none of them None; each key names the version of the catalogue."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._kept: dict[Hashable, T] = {}
        self._sought: dict[Hashable, Lock] = {}

    def known(self, key: Hashable) -> T | None:
        """What is kept under a key."""
        return self._kept.get(key)

    def keep(self, key: Hashable, found: T) -> None:
        """Keep what was found, and let go of all else when it is too much."""
        if len(self._kept) >= self.most:
            self.clear()
        self._kept[key] = found

    def clear(self) -> None:
        """Forget everything."""
        self._kept.clear()

    def get(self, key: Hashable, find: Callable[[], T]) -> T:
        """What is kept under a key, or what `find` finds; whoever asks for the same meanwhile waits for it."""
        found = self.known(key)
        if found is not None:
            return found
        with self._sought.setdefault(key, Lock()):
            found = self.known(key)
            if found is None:
                found = find()
                self.keep(key, found)
        self._sought.pop(key, None)
        return found
