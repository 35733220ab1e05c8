"""What a process remembers of the catalogue, for as long as the catalogue stays as it is."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from concurrent.futures import Future
from threading import Lock
from typing import Generic, TypeVar

T = TypeVar("T")


class Memory(Generic[T]):
    """So many answers at most, none of them None; each key names the version of the catalogue.

    Where `size` tells how much of the memory an answer takes, `most` is for all of them together.
    """

    def __init__(self, most: int, size: Callable[[T], int] = lambda found: 1) -> None:
        self.most = most
        self._size = size
        self._used = 0
        self._kept: dict[Hashable, T] = {}
        self._keeping = Lock()
        self._sought: dict[Hashable, Future[T]] = {}

    def known(self, key: Hashable) -> T | None:
        """What is kept under a key."""
        return self._kept.get(key)

    def keep(self, key: Hashable, found: T) -> None:
        """Keep what was found, and let go of all else when it is too much."""
        size = self._size(found)
        with self._keeping:
            if key in self._kept:
                self._used -= self._size(self._kept.pop(key))
            if size > self.most:
                return
            if self._used + size > self.most:
                self._forget()
            self._kept[key] = found
            self._used += size

    def clear(self) -> None:
        """Forget everything."""
        with self._keeping:
            self._forget()

    def __len__(self) -> int:
        return len(self._kept)

    def _forget(self) -> None:
        self._kept.clear()
        self._used = 0

    def get(self, key: Hashable, find: Callable[[], T]) -> T:
        """What is kept under a key, or what `find` finds.

        Whoever asks for the same meanwhile waits for it, and fails with it: what takes too long takes as long again.
        """
        found = self.known(key)
        if found is not None:
            return found
        own: Future[T] = Future()
        sought = self._sought.setdefault(key, own)
        if sought is not own:
            return sought.result()
        try:
            found = find()
            self.keep(key, found)
            own.set_result(found)
        except BaseException as error:
            own.set_exception(error)
            raise
        finally:
            del self._sought[key]
        return found
