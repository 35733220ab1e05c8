"""Where values and rows lead."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.urls import NoReverseMatch, reverse
from rest_framework.request import Request

from catalog.contract import CODE_PATTERN

Row = Mapping[str, Any]

NUMBERED = {"customer_id": "customer", "product_id": "product"}
"""What sources number on their own."""

LIST = "-list"


def named(place: str, **kwargs: Any) -> str:
    """The address of a place, or nothing where the site has none of that name."""
    try:
        return reverse(place, kwargs=kwargs)
    except NoReverseMatch:
        return ""


def value_url(row: Row, name: str) -> str:
    """The address of what a value of a row names."""
    value = row.get(name)
    if name == "run" and isinstance(value, int):
        return named("run-detail", pk=value)
    if name in NUMBERED and value is not None and row.get("source"):
        return named(NUMBERED[name], **{"source": row["source"], name: value})
    if name == "order" and isinstance(value, str):
        source, _, number = value.partition("/")
        return named("order-detail", source=source, order_id=number) if CODE_PATTERN.fullmatch(source) else ""
    return ""


def row_url(row: Row, request: Request) -> str:
    """The address of the one thing that a row of a list shows."""
    if "order_id" in row and "source" in row:
        return named("order-detail", source=row["source"], order_id=row["order_id"])
    match = request.resolver_match
    if match is None or not str(match.url_name).endswith(LIST):
        return ""
    place = f"{str(match.url_name).removesuffix(LIST)}-detail"
    keys = {"pk": row.get("id")} if "id" in row else {"line": row.get("line")}
    return named(place, **match.kwargs, **keys)
