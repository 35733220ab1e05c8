"""Filters of the query API, as django-filter builds them from a model's fields: strict, and plain in a form."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any, ClassVar

import django_filters.rest_framework as drf_filters
from django import forms
from django.conf import settings
from django.db import models
from django.db.models import F, Q, QuerySet, Value
from django.db.models.functions import ExtractMonth, StrIndex
from django.db.models.lookups import Exact, GreaterThan
from django.http import QueryDict

from catalog.api import values
from catalog.api.strict import InvalidQuery, Problem
from catalog.contract import ValueRefused, parse_code, parse_integer
from catalog.fields import CodeField

RANGE = ("gt", "gte", "lt", "lte")
NUMBER_LOOKUPS = ("exact", "in", "ne", *RANGE, "range")
CODE_LOOKUPS = ("exact", "in", "ne", "startswith", "contains")
MOMENT_LOOKUPS = ("exact", "in", "ne", *RANGE, "range", "date", "year", "month")

LAST_CODE_CHARACTER = "\x7f"
"""Sorts after everything a code is made of."""


class ReadField(forms.Field):
    """A form field that a reader of `catalog.api.values` cleans; left out and left empty are not the same."""

    widget = forms.TextInput

    def __init__(self, *, read: values.Reader, **options: Any) -> None:
        super().__init__(**options)
        self.read = read

    def clean(self, value: str | None) -> object:
        if value is None:
            return None
        try:
            return values.whole(value, self.read)
        except ValueRefused as refused:
            raise forms.ValidationError(refused.message, code=refused.code) from refused


class StrictFilter(drf_filters.Filter):  # type: ignore[misc]  # django-filter publishes no types
    """One `field__lookup`; `read` turns the text of one value into what `condition` compares with."""

    field_class = ReadField
    reader: values.Reader = staticmethod(values.read_text)
    allowed: tuple[str, ...] = values.TEXT

    alone = False
    """Whether it says which orders are looked at, and not what they must be like: no part of an `or` group."""

    lasting = True
    """Whether what must hold follows from the value alone, and not from what the catalogue knows at the moment."""

    def __init__(self, field_name: str | None = None, lookup_expr: str = "exact", **options: Any) -> None:
        read = self.reader
        if lookup_expr == "isnull":
            read, self.allowed = values.read_flag, values.FLAG
        elif lookup_expr == "in":
            read, self.allowed = values.listed(read), (*self.allowed, "several, with commas between")
        elif lookup_expr == "range":
            read, self.allowed = values.pair(read), (*self.allowed, "two, the first and the last, with a comma between")
        super().__init__(field_name, lookup_expr, read=read, **options)

    @property
    def columns(self) -> frozenset[str]:
        """The columns that the condition reads."""
        return frozenset({self.field_name or ""})

    def read(self, text: str) -> Any:
        """The value of the parameter. Raises `ValidationError` in the contract's words."""
        return self.field.clean(text)

    def condition(self, value: Any, at: int | None = None) -> Q:
        """What must hold; `at` is the change after which the catalogue is looked at, none for now."""
        if self.lookup_expr == "ne":
            # An order without a value has another one than `value`.
            return ~Q(**{f"{self.field_name}": value})
        return Q(**{f"{self.field_name}__{self.lookup_expr}": value})

    def keeps_days_whole(self, value: Any) -> bool:
        """Whether all orders of a day meet it, or none."""
        return True

    def filter(self, queryset: QuerySet[Any], value: Any) -> QuerySet[Any]:
        return queryset if value is None else queryset.filter(self.condition(value))


class NumberFilter(StrictFilter):
    """A number of the contract."""

    reader = staticmethod(parse_integer)
    allowed = values.NUMBER


class FigureFilter(StrictFilter):
    """A count."""

    reader = staticmethod(values.read_figure)
    allowed = values.FIGURE


class CodeFilter(StrictFilter):
    """A code of the contract."""

    reader = staticmethod(parse_code)
    allowed = values.CODE

    def condition(self, value: Any, at: int | None = None) -> Q:
        name = self.field_name
        if self.lookup_expr == "startswith":
            # As a range it can use an index, and SQLite's LIKE would ignore case.
            return Q(**{f"{name}__gte": value, f"{name}__lt": f"{value}{LAST_CODE_CHARACTER}"})
        if self.lookup_expr == "contains":
            return Q(GreaterThan(StrIndex(F(str(name)), Value(value)), 0))
        return super().condition(value, at)


class MomentFilter(StrictFilter):
    """A timestamp; a bare date stands for its whole day."""

    reader: values.Reader = staticmethod(values.read_moment)
    allowed: tuple[str, ...] = values.MOMENT
    PARTS: ClassVar[dict[str, tuple[values.Reader, tuple[str, ...]]]] = {
        "date": (values.read_day, values.DAY),
        "year": (values.read_year, values.YEAR),
        "month": (values.read_month, values.MONTH),
    }

    def __init__(self, field_name: str | None = None, lookup_expr: str = "exact", **options: Any) -> None:
        if lookup_expr in self.PARTS:
            self.reader, self.allowed = self.PARTS[lookup_expr]
        super().__init__(field_name, lookup_expr, **options)

    def condition(self, value: Any, at: int | None = None) -> Q:
        if self.lookup_expr == "isnull":
            return super().condition(value, at)
        if self.lookup_expr == "month":
            zone = settings.SOURCE_TIME_ZONE
            return Q(Exact(ExtractMonth(str(self.field_name), tzinfo=zone), value))
        if self.lookup_expr == "range":
            first, last = value
            return self.within(values.Span(first.start, last.end))
        if self.lookup_expr == "ne":
            return ~self.within(value)
        anywhere = Q()
        for span in self.spans(value):
            anywhere |= self.within(span)
        return anywhere

    def spans(self, value: Any) -> list[values.Span]:
        """What a value stands for; a month of any year is no span."""
        if self.lookup_expr in ("isnull", "month"):
            return []
        return list(value) if self.lookup_expr in ("in", "range") else [value]

    def keeps_days_whole(self, value: Any) -> bool:
        return all(span.is_of_days for span in self.spans(value))

    def within(self, span: values.Span) -> Q:
        name = self.field_name
        return {
            "gt": Q(**{f"{name}__gte": span.end}),
            "gte": Q(**{f"{name}__gte": span.start}),
            "lt": Q(**{f"{name}__lt": span.start}),
            "lte": Q(**{f"{name}__lt": span.end}),
        }.get(self.lookup_expr, Q(**{f"{name}__gte": span.start, f"{name}__lt": span.end}))


class ChoiceFilter(StrictFilter):
    """One of a few words."""

    def __init__(
        self, field_name: str | None = None, lookup_expr: str = "exact", *, choices: Iterable[str], **options: Any
    ) -> None:
        self.allowed = tuple(choices)
        self.reader = values.choice(self.allowed)
        super().__init__(field_name, lookup_expr, **options)


class StrictFilterSet(drf_filters.FilterSet):  # type: ignore[misc]  # django-filter publishes no types
    """Filters built from `Meta.fields`, each of the kind of its column."""

    FILTER_DEFAULTS = {
        models.BigIntegerField: {"filter_class": NumberFilter},
        models.DateTimeField: {"filter_class": MomentFilter},
        models.CharField: {"filter_class": StrictFilter},
        CodeField: {"filter_class": CodeFilter},
    }

    further: tuple[str, ...] = ()
    """Parameters besides the filters that say what is asked for."""

    repeatable: tuple[str, ...] = ()

    def __init__(self, data: QueryDict | None = None, queryset: Any = None, *, request: Any = None, **_: Any) -> None:
        # django-filter copies every filter and makes up a form for each request, which for a hundred filters takes
        # longer than the query. Ours keep nothing of a request, so all requests share them.
        self.filters: dict[str, StrictFilter] = self.base_filters
        self.data = QueryDict() if data is None else data
        self.queryset = queryset
        self.request = request
        self.is_bound = data is not None

    @classmethod
    def filter_for_field(cls, field: Any, field_name: str, lookup_expr: str | None = None) -> StrictFilter:
        """The filter of a column; what a lookup means is the filter's own business here."""
        options = {"choices": [str(value) for value, _ in field.flatchoices]} if field.choices else {}
        kinds = (cls.FILTER_DEFAULTS[kind] for kind in type(field).__mro__ if kind in cls.FILTER_DEFAULTS)
        kind: type[StrictFilter] = ChoiceFilter if field.choices else next(kinds)["filter_class"]
        return kind(field_name, lookup_expr or "exact", **options)

    @cached_property
    def given(self) -> dict[str, Any]:
        """The values of the filters that the request names. Raises `InvalidQuery` with every one that is wrong."""
        read: dict[str, Any] = {}
        problems: list[Problem] = []
        for name in self.data:
            if name not in self.filters:
                continue
            try:
                read[name] = self.filters[name].read(str(self.data[name]))
            except forms.ValidationError as refused:
                problems += [Problem(name, message, self.filters[name].allowed) for message in refused.messages]
        if problems:
            raise InvalidQuery(*problems)
        return read

    def check(self) -> None:
        """Raise `InvalidQuery` with everything that is wrong."""
        self.given  # noqa: B018  reading is checking

    @property
    def qs(self) -> QuerySet[Any]:
        return self.filter_queryset(self.queryset.all())

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        for name, value in self.given.items():
            queryset = self.filters[name].filter(queryset, value)
        return queryset
