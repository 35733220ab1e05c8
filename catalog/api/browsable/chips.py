"""What is in force of a query, each with the address at which it is not."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from django.http import QueryDict

from catalog.api.browsable.addresses import CURSOR, FORMAT, address
from catalog.read_only import visible

LONGEST = 80


@dataclass(frozen=True, slots=True)
class Chip:
    """One parameter; `url` is the query without it."""

    name: str
    value: str
    url: str
    wrong: bool = False


def chips(path: str, params: QueryDict, wrong: Collection[str] = ()) -> list[Chip]:
    """A chip for each value in the query, but for where the page begins and how it is written."""
    found = []
    for name, texts in params.lists():
        if name in (CURSOR, FORMAT):
            continue
        for place, text in enumerate(texts):
            others = [*texts[:place], *texts[place + 1 :]]
            url = address(path, params, {name: others}) if others else address(path, params, without=(name,))
            found.append(Chip(visible(name), cut(visible(str(text))), url, name in wrong))
    return found


def cut(text: str) -> str:
    """A text of which the end may be left out."""
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
