"""The form in which a query is written down: an input for each parameter, each of its kind."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict

from catalog.api import values
from catalog.api.browsable.addresses import CURSOR
from catalog.api.lookups import ChoiceFilter, CodeFilter, FigureFilter, MomentFilter, NumberFilter, StrictFilter
from catalog.contract import CODE_COLUMNS, MAX_INTEGER
from catalog.models import KnownValue
from catalog.read_only import visible

USUAL = (
    *("search", "source", "website", "order_status", "voucher_status", "payment_status"),
    *("order_date__gte", "order_date__lte", "customer_id", "product_id", "quality", "has_correction", "removed"),
)
"""What is asked most, in this order; what a list has not is left out."""

WORDS = {
    "exact": "",
    "in": "one of",
    "ne": "not",
    "gt": "above",
    "gte": "from",
    "lt": "below",
    "lte": "up to",
    "range": "between",
    "isnull": "missing",
    "startswith": "starts with",
    "contains": "contains",
    "icontains": "contains",
    "date": "on the day",
    "year": "in the year",
    "month": "in the month",
}
"""How a label says a lookup."""

OF_MOMENTS = {"gt": "after", "lt": "before"}

FITS = {
    "number": re.compile("[0-9]{0,18}"),
    "date": re.compile(r"(\d{4}-\d\d-\d\d)?"),
    "datetime-local": re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?)?"),
}
"""What a browser shows in an input of that kind. Of anything else it would show nothing."""

MOST_KNOWN = 200
"""Codes on offer for one column; a file of nonsense must not fill the page."""


@dataclass(frozen=True, slots=True)
class Input:
    """One input; `choices` makes it a choice between a few words, `known` offers codes while one writes."""

    name: str
    label: str
    kind: str
    value: str
    hint: str = ""
    known: str = ""
    lowest: int | None = None
    highest: int | None = None
    choices: tuple[tuple[str, str], ...] = ()
    errors: tuple[str, ...] = ()
    number: int = 0
    short: str = ""

    @property
    def in_use(self) -> bool:
        return bool(self.value or self.errors)

    @property
    def id(self) -> str:
        """Where its label points; a parameter that can be repeated has several inputs."""
        return f"q-{self.name}-{self.number}" if self.number else f"q-{self.name}"


@dataclass(frozen=True, slots=True)
class Form:
    """`usual` is what one sees, with what is in use besides; all the rest stands in groups below."""

    usual: tuple[Input, ...]
    more: tuple[tuple[str, tuple[Input, ...]], ...]
    known: Mapping[str, Sequence[str]]


def form_of(view: Any, filterset: Any, params: QueryDict, errors: Mapping[str, Sequence[str]]) -> Form:
    """The form of a view of many, filled in with what was asked; `errors` by parameter."""
    filters: Mapping[str, StrictFilter] = filterset.filters
    inputs = {name: filter_input(name, filter_, params, errors) for name, filter_ in filters.items()}
    first = [name for name in USUAL if name in filters] if "order_id" in filters else plain(filters)
    others = [name for name in (*filterset.further, *view.parameters) if name != CURSOR]
    repeatable = {*filterset.repeatable, *view.repeatable}
    own = [field for name in others for field in own_inputs(name, view, params, errors, repeatable)]
    # What only this view takes is what it is about.
    special = [field for field in own if field.name not in OWN]
    more = [("the answer", tuple(field for field in own if field.name in OWN)), *groups(filters, inputs, first)]
    in_use = [field for _, fields in more for field in fields if field.in_use]
    rest = [(name, tuple(field for field in fields if not field.in_use)) for name, fields in more]
    return Form(
        (*special, *(inputs[name] for name in first), *in_use),
        tuple((name, fields) for name, fields in rest if fields),
        known_values(filters),
    )


def plain(filters: Mapping[str, StrictFilter]) -> list[str]:
    """The filters that compare for sameness."""
    return [name for name, filter_ in filters.items() if filter_.lookup_expr == "exact"]


def groups(
    filters: Mapping[str, StrictFilter], inputs: Mapping[str, Input], without: Collection[str]
) -> Iterator[tuple[str, tuple[Input, ...]]]:
    """The other inputs, those of a column together."""
    columns = dict.fromkeys(column_of(name, filter_) for name, filter_ in filters.items())
    for column in columns:
        names = [name for name in filters if column_of(name, filters[name]) == column and name not in without]
        if names:
            yield column, tuple(inputs[name] for name in names)


def column_of(name: str, filter_: StrictFilter) -> str:
    return name.removesuffix(f"__{filter_.lookup_expr}")


def filter_input(name: str, filter_: StrictFilter, params: QueryDict, errors: Mapping[str, Sequence[str]]) -> Input:
    """The input of a filter: a choice, a number, a date, or a text."""
    value = str(params.get(name, ""))
    lookup = str(filter_.lookup_expr)
    moment = isinstance(filter_, MomentFilter)
    words = OF_MOMENTS.get(lookup, WORDS.get(lookup, lookup)) if moment else WORDS.get(lookup, lookup)
    label = f"{column_of(name, filter_)} {words}".replace("_", " ").strip()
    limits: dict[str, Any] = {}
    kind = kind_of(filter_)
    if kind == "number":
        limits = {"lowest": 0 if isinstance(filter_, FigureFilter) else 1, "highest": MAX_INTEGER}
    choices = choices_of(filter_)
    if choices and value not in ("", *(word for word, _ in choices)):
        choices = ()
    return Input(
        name,
        label,
        kind if kind not in FITS or FITS[kind].fullmatch(value) else "text",
        value,
        "; ".join(filter_.allowed),
        column_of(name, filter_) if isinstance(filter_, CodeFilter) and lookup in ("exact", "ne") else "",
        **limits,
        choices=choices,
        errors=brief(errors.get(name, ())),
        short=words,
    )


def brief(messages: Sequence[str]) -> tuple[str, ...]:
    """What is wrong; what would be right is said above the form."""
    return tuple(visible(message).partition(";")[0] for message in messages)


def kind_of(filter_: StrictFilter) -> str:
    """The kind of input that fits the values of a filter."""
    lookup = str(filter_.lookup_expr)
    if lookup in ("in", "range", "isnull"):
        return "text"
    if isinstance(filter_, NumberFilter | FigureFilter) or lookup in ("year", "month"):
        return "number"
    if isinstance(filter_, MomentFilter):
        return "date" if lookup in ("gte", "lte", "date") else "datetime-local"
    return "text"


def choices_of(filter_: StrictFilter) -> tuple[tuple[str, str], ...]:
    """The words that a filter takes, if they are few."""
    if filter_.lookup_expr == "isnull":
        return (("true", "yes"), ("false", "no"))
    if not isinstance(filter_, ChoiceFilter):
        return ()
    said = {"true": "yes", "false": "no"}
    return tuple((word, said.get(word, word)) for word in filter_.allowed)


OWN: Mapping[str, dict[str, Any]] = {
    "or": {"label": "alternatives", "hint": "(website=VVNL,and(order_status=PAID,customer_id=7))"},
    "as_of": {"label": "as it stood at", "kind": "datetime-local", "hint": "; ".join(values.MOMENT)},
    "fields": {"label": "columns", "hint": "order_id,website,order_status"},
    "ordering": {"label": "order by", "hint": "-order_date,website"},
    "page_size": {"label": "rows on a page", "kind": "number", "lowest": 1, "highest": 1000},
    "count": {"label": "how to count", "choices": ("exact", "estimated", "none")},
}
"""Parameters that are no filters."""


def own_inputs(
    name: str, view: Any, params: QueryDict, errors: Mapping[str, Sequence[str]], repeatable: Iterable[str]
) -> Iterator[Input]:
    """The inputs of a parameter that is no filter; one more than there are values if it can be repeated."""
    options = dict(OWN.get(name, {}))
    texts = [str(text) for text in params.getlist(name)]
    label, kind = options.pop("label", name.replace("_", " ")), options.pop("kind", "text")
    words = tuple((word, word) for word in options.pop("choices", ()))
    if not texts or name in repeatable:
        texts.append("")
    for number, text in enumerate(texts):
        yield Input(
            name,
            label,
            kind if kind not in FITS or FITS[kind].fullmatch(text) else "text",
            text,
            known=name if name == "ordering" and getattr(view, "sorts", None) else "",
            choices=words if text in ("", *(word for word, _ in words)) else (),
            errors=brief(errors.get(name, ())) if number == 0 else (),
            number=number,
            **options,
        )


def known_values(filters: Mapping[str, StrictFilter]) -> dict[str, list[str]]:
    """The codes that loads have brought, for the columns that can be filtered by."""
    columns = [name for name in CODE_COLUMNS if name in filters]
    known: dict[str, list[str]] = {name: [] for name in columns}
    if columns:
        rows = KnownValue.objects.filter(field__in=columns).values_list("field", "value")
        for field, value in rows[: MOST_KNOWN * len(columns)]:
            if len(known[field]) < MOST_KNOWN:
                known[field].append(value)
    return known
