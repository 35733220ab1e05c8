"""What a process remembers: found once, however many ask at the same time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from catalog.memory import Memory


def test_what_many_ask_for_at_once_is_sought_once() -> None:
    memory: Memory[str] = Memory(10)
    together, sought = Barrier(8), []

    def find() -> str:
        sought.append(1)
        return "found"

    def ask(_: int) -> str:
        together.wait(10)
        return memory.get("key", find)

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(ask, range(8))) == {"found"}
    assert len(sought) == 1


def test_a_failure_is_not_kept_and_holds_nobody_up() -> None:
    memory: Memory[str] = Memory(10)

    def fail() -> str:
        raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011  any will do
        memory.get("key", fail)
    assert memory.get("key", lambda: "found") == "found"


def test_it_holds_no_more_than_so_many() -> None:
    memory: Memory[int] = Memory(2)
    for number in range(1, 6):
        memory.keep(number, number)
    assert [number for number in range(1, 6) if memory.known(number)] == [5]
