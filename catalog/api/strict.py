"""Refusing a query: every problem at once, each with the nearest match and what is allowed."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict
from rest_framework import status
from rest_framework.exceptions import APIException
from rest_framework.settings import api_settings

from catalog.contract import shown

RESERVED = frozenset({"detail", "code", "allowed"})
"""Keys of the error's own; a parameter of that name is reported under DRF's `non_field_errors`."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one parameter, and what would be right."""

    parameter: str
    message: str
    allowed: tuple[str, ...] = ()


class InvalidQuery(APIException):
    """A query that cannot be answered as it was meant."""

    status_code = status.HTTP_400_BAD_REQUEST
    default_code = "invalid_query"

    def __init__(self, *problems: Problem) -> None:
        messages: dict[str, list[str]] = {}
        for problem in problems:
            key, message = problem.parameter, problem.message
            if key in RESERVED:
                key, message = str(api_settings.NON_FIELD_ERRORS_KEY), f"{key}: {message}"
            messages.setdefault(key, []).append(message)
        super().__init__(messages, self.default_code)
        self.problems = problems
        self.allowed = {problem.parameter: list(problem.allowed) for problem in problems if problem.allowed}


def gather(*steps: Callable[[], Any]) -> list[Any]:
    """Run every step, and return what each found; raise one `InvalidQuery` with the problems of all that refused."""
    found: list[Any] = []
    problems: list[Problem] = []
    for step in steps:
        try:
            found.append(step())
        except InvalidQuery as refused:
            problems += refused.problems
    if problems:
        raise InvalidQuery(*problems)
    return found


def nearest(word: str, known: Iterable[str]) -> str:
    """` Did you mean '…'?`, or nothing when nothing known comes near."""
    found = difflib.get_close_matches(word[:200], list(known), n=1)
    return f" Did you mean '{found[0]}'?" if found else ""


def one_of(parameter: str, text: str, known: Sequence[str]) -> str:
    """`text`, which must be one of `known`."""
    if text in known:
        return text
    message = f"{shown(text)} is not one of {', '.join(known)}.{nearest(text, known)}"
    raise InvalidQuery(Problem(parameter, message, tuple(known)))


def check_names(params: QueryDict, known: Sequence[str], repeatable: Sequence[str] = ()) -> None:
    """Refuse parameters that are not known, or are given more than once and not `repeatable`."""
    problems = []
    for name in params:
        if name not in known:
            problems.append(unknown(name, known))
        elif name not in repeatable and len(params.getlist(name)) > 1:
            problems.append(Problem(name, f"Given {len(params.getlist(name))} times; it can be given once only."))
    if problems:
        raise InvalidQuery(*problems)


def unknown(name: str, known: Sequence[str]) -> Problem:
    """What to say of a parameter that does not exist: is it the name that is wrong, or only the lookup?"""
    field, _, lookup = name.rpartition("__")
    family = tuple(other for other in known if other == field or other.startswith(f"{field}__"))
    if field and family:
        return Problem(name, f"Unknown lookup {shown(lookup)} for {field}.{nearest(name, family)}", family)
    return Problem(name, f"Unknown parameter.{nearest(name, known)}", tuple(known))
