"""Filters of the query API, as django-filter builds them from a model's fields: strict, and plain in a form."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import django_filters.rest_framework as drf_filters
from django import forms
from django.db import models
from django.db.models import Q, QuerySet

from catalog.api import values
from catalog.api.strict import InvalidQuery, Problem
from catalog.contract import ValueRefused, parse_code, parse_integer
from catalog.fields import CodeField

RANGE = ("gt", "gte", "lt", "lte")
NUMBER_LOOKUPS = ("exact", "in", *RANGE)
CODE_LOOKUPS = ("exact", "in", "startswith")

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

    def __init__(self, field_name: str | None = None, lookup_expr: str = "exact", **options: Any) -> None:
        read = self.reader
        if lookup_expr == "isnull":
            read, self.allowed = values.read_flag, values.FLAG
        elif lookup_expr == "in":
            read, self.allowed = values.listed(read), (*self.allowed, "several, with commas between")
        super().__init__(field_name, lookup_expr, read=read, **options)

    @property
    def hint(self) -> str:
        """What stands in an empty input: the choices where they are few."""
        return " / ".join(self.allowed) if self.lookup_expr == "isnull" else ""

    def condition(self, value: Any) -> Q:
        return Q(**{f"{self.field_name}__{self.lookup_expr}": value})

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

    def condition(self, value: Any) -> Q:
        if self.lookup_expr == "startswith":
            # As a range it can use an index, and SQLite's LIKE would ignore case.
            name = self.field_name
            return Q(**{f"{name}__gte": value, f"{name}__lt": f"{value}{LAST_CODE_CHARACTER}"})
        return super().condition(value)


class MomentFilter(StrictFilter):
    """A timestamp; a bare date stands for its whole day."""

    reader = staticmethod(values.read_moment)
    allowed = values.MOMENT

    def condition(self, value: Any) -> Q:
        if self.lookup_expr == "isnull":
            return super().condition(value)
        spans: list[values.Span] = value if self.lookup_expr == "in" else [value]
        anywhere = Q()
        for span in spans:
            anywhere |= self.within(span)
        return anywhere

    @property
    def hint(self) -> str:
        return super().hint if self.lookup_expr in ("isnull", "in") else self.allowed[0]

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

    @property
    def hint(self) -> str:
        return " / ".join(self.allowed)


class StrictFilterSet(drf_filters.FilterSet):  # type: ignore[misc]  # django-filter publishes no types
    """Filters built from `Meta.fields`, each of the kind of its column."""

    FILTER_DEFAULTS = {
        models.BigIntegerField: {"filter_class": NumberFilter},
        models.DateTimeField: {"filter_class": MomentFilter},
        models.CharField: {"filter_class": StrictFilter},
        CodeField: {"filter_class": CodeFilter},
    }

    @classmethod
    def filter_for_lookup(
        cls, field: models.Field[Any, Any], lookup_type: str
    ) -> tuple[type[StrictFilter], dict[str, Any]]:
        """The filter's class and options; lists and `isnull` are the filter's own business here."""
        if field.choices:
            return ChoiceFilter, {"choices": [str(value) for value, _ in field.flatchoices]}
        for kind in type(field).__mro__:
            if kind in cls.FILTER_DEFAULTS:
                return cls.FILTER_DEFAULTS[kind]["filter_class"], {}
        raise TypeError(f"{field} has no strict filter")

    def check(self) -> None:
        """Raise `InvalidQuery` with every value that cannot be read."""
        problems = [
            Problem(name, message, self.filters[name].allowed)
            for name, messages in self.errors.items()
            for message in messages
        ]
        if problems:
            raise InvalidQuery(*problems)
