"""What is wrong with a query, and the query that was perhaps meant."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict
from rest_framework.request import Request

from catalog.api.browsable.addresses import address
from catalog.api.strict import nearest
from catalog.read_only import visible

MEANT = re.compile(r" ?Did you mean '(?P<meant>[A-Za-z0-9_-]+)'\?")
"""As `catalog.api.strict.nearest` says it."""

FEW = 12
OURS = ("code", "allowed")


@dataclass(frozen=True, slots=True)
class Told:
    """One thing that is wrong; `url` is the query with `meant` in its place."""

    parameter: str
    message: str
    meant: str = ""
    url: str = ""
    allowed: tuple[str, ...] = ()

    @property
    def many(self) -> bool:
        """Whether what is allowed is better not shown at once."""
        return len(self.allowed) > FEW


def problems_of(data: Any, request: Request) -> list[Told]:
    """The problems that the body of a 400 tells of, by parameter."""
    allowed = data.get("allowed", {}) if isinstance(data, Mapping) else {}
    told = []
    for name, messages in data.items():
        if name in OURS or not isinstance(messages, list):
            continue
        for place, message in enumerate(map(str, messages)):
            choices = tuple(map(str, allowed.get(name, ()))) if place == 0 else ()
            told.append(_told(str(name), message, choices, request))
    return told


def _told(name: str, message: str, allowed: tuple[str, ...], request: Request) -> Told:
    match = MEANT.search(message)
    meant = match["meant"] if match else ""
    url = _corrected(name, message, meant, request) if meant else ""
    text = MEANT.sub("", message) if url else message
    return Told(visible(name), visible(text), meant if url else "", url, tuple(map(visible, allowed)))


def _corrected(name: str, message: str, meant: str, request: Request) -> str:
    """The query with the nearest match in the place of what was given; nothing where that place is not clear."""
    params = request.query_params
    if message.startswith("Unknown"):
        return _renamed(name, meant, request) if name in params and meant not in params else ""
    parts = str(params.get(name, "")).split(",")
    fixed = [meant if f"{part.strip()!r}" in message and nearest(part.strip(), [meant]) else part for part in parts]
    return address(request.path, params, {name: ",".join(fixed)}) if fixed != parts else ""


def _renamed(name: str, meant: str, request: Request) -> str:
    """The query with another name for a parameter, at the same place."""
    params = QueryDict(mutable=True)
    for other, texts in request.query_params.lists():
        params.setlist(meant if other == name else other, texts)
    return address(request.path, params)
