"""What a process remembers of the catalogue, for as long as the catalogue stays as it is."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Generic, TypeVar

T = TypeVar("T")


class Memory(Generic[T]):
    """So many answers at most, none of them None; each key names the version of the catalogue."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._kept: dict[Hashable, T] = {}
        self._sought: dict[Hashable, Future[T]] = {}

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
