"""What a person can decide about corrections, in words and in deeds; for one of them or for many at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from catalog.corrections import correct_again, keep, retire


@dataclass(frozen=True)
class Decision:
    """`label` names it, `many` begins a sentence with how many, `meaning` says what it does, `done` what it has done.

    `decide` does it.
    """

    name: str
    label: str
    many: str
    meaning: str
    done: str
    decide: Callable[..., int]


KEEP = Decision(
    "keep",
    "Keep the correction",
    "Keep the corrections in",
    "The order goes on showing the correction; nobody is asked again until the source has yet another value.",
    "Kept",
    keep,
)
TAKE_SOURCE = Decision(
    "take_source",
    "Take the source's value",
    "Take the source's values in",
    "The correction ends; the order shows what its source says, or what a value rule makes of it.",
    "Took the source's value instead of",
    retire,
)
WRITE = Decision(
    "write",
    "Write another value",
    "Write another value in",
    "A new correction with a third value replaces the present one.",
    "Wrote another value instead of",
    correct_again,
)
RETIRE = Decision(
    "retire",
    "Retire the correction",
    "Retire",
    "The correction ends; the order shows what its source says, or what a value rule makes of it.",
    "Retired",
    retire,
)

FOR_CONFLICTS = (KEEP, TAKE_SOURCE, WRITE)
FOR_OTHERS = (RETIRE,)
