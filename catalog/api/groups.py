"""`or=(…)`: alternatives, each one condition or an `and(…)` of several, as far down as need be.

group     = "(" member { "," member } ")"
member    = name "=" value | "and" group | "or" group
value     = text without "," "(" ")" | "(" text that may have commas ")"
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from catalog.contract import shown

MAX_DEPTH = 4
MAX_CONDITIONS = 50
"""Most conditions of all groups of a request together."""


class GroupRefused(Exception):
    """A group that cannot be read; the message says what is wrong and where."""


@dataclass(frozen=True, slots=True)
class Condition:
    """`name=text` in a group."""

    name: str
    text: str


@dataclass(slots=True)
class Group:
    """Several conditions or groups: one of them must hold, or all of them where `every`."""

    every: bool
    members: list[Condition | Group] = field(default_factory=list)

    def conditions(self) -> Iterator[Condition]:
        """All conditions, also those of the groups inside."""
        for member in self.members:
            if isinstance(member, Condition):
                yield member
            else:
                yield from member.conditions()


def parse_group(text: str) -> Group:
    """The group that a parameter `or` holds. Raises `GroupRefused`."""
    parser = _Parser(text)
    group = parser.group(every=False, depth=1)
    if parser.position < len(text):
        raise GroupRefused(f"there is more after the closing bracket: {shown(text[parser.position :])}")
    return group


class _Parser:
    """Reads a text from left to right."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0
        self.conditions = 0

    def group(self, *, every: bool, depth: int) -> Group:
        if depth > MAX_DEPTH:
            raise GroupRefused(f"groups are nested deeper than {MAX_DEPTH}")
        self._expect("(")
        group = Group(every)
        while True:
            group.members.append(self._member(depth))
            if self._next() == ",":
                self.position += 1
                continue
            self._expect(")")
            return group

    def _member(self, depth: int) -> Condition | Group:
        name = self._until("=(),").strip()
        if self._next() == "(" and name in ("and", "or"):
            return self.group(every=name == "and", depth=depth + 1)
        if not name:
            raise GroupRefused(f"a condition is missing {self._where()}")
        if self._next() != "=":
            raise GroupRefused(f"{shown(name)} is no condition; write it like website=VVNL")
        self.position += 1
        self.conditions += 1
        if self.conditions > MAX_CONDITIONS:
            raise GroupRefused(f"there are more than {MAX_CONDITIONS} conditions")
        return Condition(name, self._value())

    def _value(self) -> str:
        if self._next() != "(":
            return self._until("(),")
        self.position += 1
        value = self._until("()")
        self._expect(")")
        return value

    def _next(self) -> str:
        return self.text[self.position : self.position + 1]

    def _until(self, stops: str) -> str:
        start = self.position
        while self.position < len(self.text) and self.text[self.position] not in stops:
            self.position += 1
        return self.text[start : self.position]

    def _expect(self, sign: str) -> None:
        if self._next() != sign:
            raise GroupRefused(f"'{sign}' is missing {self._where()}")
        self.position += 1

    def _where(self) -> str:
        if self.position >= len(self.text):
            return "at the end"
        return f"before {shown(self.text[self.position :])}"
