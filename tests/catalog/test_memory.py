"""What a process remembers: found once, however many ask at the same time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from time import sleep

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


def test_who_waits_for_a_failure_fails_with_it_and_the_next_one_tries_again() -> None:
    memory: Memory[str] = Memory(10)
    together, sought = Barrier(8), []

    def fail() -> str:
        sought.append(1)
        # Until all others wait for it.
        sleep(0.2)
        raise ValueError("too long")

    def ask(_: int) -> str:
        together.wait(10)
        with pytest.raises(ValueError, match="too long"):
            memory.get("key", fail)
        return "failed"

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(ask, range(8))) == {"failed"}
    assert len(sought) == 1
    assert memory.get("key", lambda: "found") == "found"


def test_failures_leave_nothing_behind() -> None:
    memory: Memory[str] = Memory(10)
    for key in range(100):
        with pytest.raises(ZeroDivisionError):
            memory.get(key, lambda: str(1 // 0))
    assert memory._sought == {}


def test_it_holds_no_more_than_so_many() -> None:
    memory: Memory[int] = Memory(2)
    for number in range(1, 6):
        memory.keep(number, number)
    assert [number for number in range(1, 6) if memory.known(number)] == [5]


def test_it_takes_no_more_room_than_it_has() -> None:
    memory: Memory[bytes] = Memory(100, len)
    for number in range(1000):
        memory.keep(number, b"x" * (number % 70))
        assert sum(map(len, memory._kept.values())) == memory._used <= 100
    memory.keep("too large", b"x" * 101)
    assert memory.known("too large") is None
    for _ in range(5):
        memory.keep("the same", b"x" * 60)
    assert memory.known("the same") == b"x" * 60
    assert memory._used <= 100


def test_what_is_too_large_to_be_kept_drives_nothing_out() -> None:
    memory: Memory[str] = Memory(10, len)
    memory.keep("small", "ab")
    memory.keep("large", "c" * 11)
    memory.keep("small again", "de")
    assert (memory.known("small"), memory.known("large"), memory.known("small again")) == ("ab", None, "de")
