"""Addresses of lists of orders, narrowed further than the request at hand."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.conf import settings
from rest_framework.request import Request
from rest_framework.reverse import reverse

from catalog.api.filters import FORMAT, OR
from catalog.grouping import Dimension
from catalog.periods import begins, next_day


class Links:
    """Links to the list of orders, under the filters of a request and one condition more."""

    def __init__(self, request: Request, own: Iterable[str], *conditions: tuple[str, Any]) -> None:
        """`own` are the parameters of the view, which mean nothing to a list; `conditions` hold in every link."""
        self.url = reverse("order-list", request=request)
        params, own = request.query_params, {*own, FORMAT, *(name for name, _ in conditions)}
        self.given = [(name, text) for name in params if name not in own for text in params.getlist(name)]
        self.given += [(name, str(value)) for name, value in conditions]
        self.names = {name for name, _ in self.given}

    def all(self) -> str:
        """The list of all orders that the request is about."""
        return self._without(()).rstrip("?&")

    def to(self, by: Sequence[Dimension], values: Sequence[Iterable[Any]]) -> list[str]:
        """The lists of the orders that have some values, as many links as there are tuples of values."""
        # What is said of a column already is either the same or what it is replaced by.
        start = self._without({name for one in by if not one.unit for name in (one.column, f"{one.column}__isnull")})
        return [
            start + "&".join(self._condition(one, value) for one, value in zip(by, row, strict=False)) for row in values
        ]

    def _without(self, names: Collection[str]) -> str:
        kept = urlencode([(name, text) for name, text in self.given if name not in names])
        return f"{self.url}?{kept}&" if kept else f"{self.url}?"

    def _condition(self, by: Dimension, value: Any) -> str:
        if value is None:
            return f"{by.column}__isnull=true"
        if by.unit:
            name, text = f"{by.column}__range", _span(by, value)
            # Two ranges cannot be given, but any number of groups.
            return f"{OR}=({name}=({text}))" if name in self.names else f"{name}={text}"
        if isinstance(value, datetime):
            return f"{by.column}={_moment(value)}"
        return f"{by.column}={str(value).lower() if isinstance(value, bool) else value}"


def _span(by: Dimension, first: Any) -> str:
    """The first and the last day or moment of a period."""
    zone = ZoneInfo(by.zone)
    if by.unit == "hour":
        return f"{_moment(first)},{_moment(first + timedelta(minutes=59, seconds=59, microseconds=999_999))}"
    following = next_day(first, by.unit)
    if zone == settings.SOURCE_TIME_ZONE:
        return f"{first},{date.max if following is None else following - timedelta(days=1)}"
    last = begins(following, zone) - (timedelta() if following is None else timedelta(microseconds=1))
    return f"{_moment(begins(first, zone))},{_moment(last)}"


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"
