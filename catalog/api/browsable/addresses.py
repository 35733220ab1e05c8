"""Addresses of queries: the one at hand with something added, changed or left out."""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Mapping, Sequence

from django.conf import settings
from django.http import QueryDict

from catalog.contract import BLANKS

CURSOR, FORMAT = "cursor", "format"
READABLE = "/:,()"
"""What addresses may hold as it is; lists and groups are made of it."""

MINUTES = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")


def address(
    path: str,
    params: QueryDict,
    given: Mapping[str, str | Sequence[str]] | None = None,
    *,
    without: Collection[str] = (),
) -> str:
    """`path` with the parameters of a query, some of them left out or given other values; it begins at page one."""
    query = params.copy()
    for name in (CURSOR, *without):
        query.pop(name, None)
    for name, value in (given or {}).items():
        query.setlist(name, [value] if isinstance(value, str) else list(value))
    return f"{path}?{query.urlencode(safe=READABLE)}" if query else path


def tidied(params: QueryDict) -> QueryDict:
    """The query that a form means: an input left empty is no parameter, and a time need not tell its seconds."""
    meant = QueryDict(mutable=True)
    for name, texts in params.lists():
        given = [text for text in texts if text.strip(BLANKS)]
        if given:
            meant.setlist(name, [f"{text}:00" if MINUTES.fullmatch(text) else text for text in given])
    return meant


def curl(url: str) -> str:
    """The same question from a shell; who may not read unknown needs a token in it."""
    command = ["curl"] if settings.API_ANONYMOUS_READ else ["curl", "--header", "Authorization: Token YOUR_TOKEN"]
    return shlex.join([*command, url])
