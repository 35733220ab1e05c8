"""`ordering=`: several fields with commas between, each way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import Model, QuerySet
from django.http import QueryDict
from rest_framework.filters import BaseFilterBackend
from rest_framework.request import Request

from catalog.api.keyset import Key, Keys, ordered
from catalog.api.strict import InvalidQuery, Problem, nearest
from catalog.contract import BLANKS, shown

PARAMETER = "ordering"

Sorts = Mapping[str, tuple[str, ...]]
"""What may be ordered by, and what breaks ties: the fields of the index that serves it, where there is one."""


class StrictOrdering(BaseFilterBackend):
    """Orders by what the view's `sorts` allows; by its `ordering` unless told otherwise."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: Any) -> QuerySet[Any]:
        return ordered(queryset, ordering_of(request.query_params, view, queryset.model))


def ordering_of(params: QueryDict, view: Any, model: type[Model]) -> Keys:
    """The keys that rows are ordered by, the primary key last. Raises `InvalidQuery`."""
    names = [name.strip(BLANKS) for name in str(params.get(PARAMETER, view.ordering)).split(",")]
    _check(names, view.sorts)
    keys: dict[str, Key] = {}
    descending = False
    for position, name in enumerate(names):
        descending = name.startswith("-")
        fields = view.sorts[name.lstrip("-")]
        # The rest of the index serves the last of them only.
        for field in fields if position == len(names) - 1 else fields[:1]:
            nullable = bool(getattr(model._meta.get_field(field), "null", False))
            keys.setdefault(field, Key(field, descending, nullable, field in getattr(view, "common", ())))
    pk = model._meta.pk.attname
    keys.setdefault(pk, Key(pk, descending))
    return tuple(keys.values())


def _check(names: list[str], sorts: Sorts) -> None:
    allowed = tuple(text for field in sorts for text in (field, f"-{field}"))
    messages = [
        f"Cannot order by {shown(name)}; allowed are {', '.join(sorts)}, each with or without a '-' before it."
        f"{nearest(name, allowed)}"
        for name in names
        if name not in allowed
    ]
    fields = [name.lstrip("-") for name in names]
    messages += [f"'{field}' is given twice." for field in sorts if fields.count(field) > 1]
    if messages:
        raise InvalidQuery(*(Problem(PARAMETER, message, allowed) for message in messages))
