"""`/orders/aggregate/`: figures of the orders, group by group."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from django import forms
from django.db.models import Q
from django.http import QueryDict
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.api.dimensions import (
    DIMENSIONS,
    MOST_MESSAGES,
    TZ,
    dimension,
    read_names,
    read_size,
    read_zone,
    with_sources,
)
from catalog.api.lookups import RANGE, FigureFilter, MomentFilter, StrictFilter
from catalog.api.ordering import PARAMETER as ORDERING
from catalog.api.pagination import PAGE_SIZE
from catalog.api.schema import answers
from catalog.api.schema.shapes import FIGURE_TEXT, MOMENT_TEXT
from catalog.api.strict import InvalidQuery, Problem, gather, unknown
from catalog.api.values import bounded
from catalog.api.views import OfOrders
from catalog.contract import BLANKS, ValueRefused, shown
from catalog.grouping import METRICS, OF_DAYS, Grouping

GROUP_BY, FIGURES, HAVING = "group_by", "metrics", "having"
USUAL_SIZE, MOST_SIZE = 1000, 10_000

MOMENTS = ("first_order_date", "last_order_date", "first_payment_date", "last_payment_date")
OFFERED = tuple(name for name in METRICS if name not in OF_DAYS)


def _filters() -> dict[str, StrictFilter]:
    """What groups can be chosen by: every metric with its lookups."""
    filters = {}
    for name in OFFERED:
        kind = MomentFilter if name in MOMENTS else FigureFilter
        for lookup in ("exact", "ne", *RANGE, *(("isnull",) if name in MOMENTS else ())):
            filters[name if lookup == "exact" else f"{name}__{lookup}"] = kind(name, lookup)
    return filters


CHOICES = _filters()
_RANGE = f"(__(ne|{'|'.join(RANGE)}))?"
CONDITION = (
    f"(({'|'.join(name for name in OFFERED if name not in MOMENTS)}){_RANGE}={FIGURE_TEXT}"
    f"|({'|'.join(MOMENTS)})({_RANGE}={MOMENT_TEXT}|__isnull=(true|false)))"
)
"""The pattern of one condition."""

EXAMPLE = "count__gte=10,distinct_customers__lt=5"


@dataclass(frozen=True, slots=True)
class Having:
    """A condition on groups, and the metrics that it reads."""

    q: Q
    metrics: frozenset[str]


def read_having(params: QueryDict) -> Having:
    """Conditions on metrics with commas between, which must all hold. Raises `InvalidQuery`."""
    if HAVING not in params:
        return Having(Q(), frozenset())
    q, metrics, problems = Q(), set(), []
    try:
        parts = [part for text in params.getlist(HAVING) for part in bounded(str(text)).split(",")]
    except ValueRefused as refused:
        raise InvalidQuery(Problem(HAVING, refused.message, (EXAMPLE,))) from refused
    for part in parts:
        name, sign, text = (piece.strip(BLANKS) for piece in part.partition("="))
        if not (name and sign):
            problems.append(Problem(HAVING, f"{shown(part)} is no condition; write it like {EXAMPLE}.", (EXAMPLE,)))
        elif name not in CHOICES:
            wrong = unknown(name, tuple(CHOICES))
            problems.append(Problem(HAVING, f"{shown(name)}: {wrong.message}", wrong.allowed))
        else:
            try:
                q &= CHOICES[name].condition(CHOICES[name].read(text))
                metrics.add(str(CHOICES[name].field_name))
            except forms.ValidationError as refused:
                problems += [Problem(HAVING, f"{name}: {text}", CHOICES[name].allowed) for text in refused.messages]
    if problems:
        raise InvalidQuery(*problems[:MOST_MESSAGES])
    return Having(q, frozenset(metrics))


def read_ordering(params: QueryDict, groups: tuple[str, ...]) -> tuple[str, ...]:
    """Group keys and metrics, each with or without a '-' before it. Raises `InvalidQuery`."""
    known = (*groups, *OFFERED)
    anything = (*known, *(name for name in DIMENSIONS if name not in groups))
    names = read_names(params, ORDERING, tuple(text for name in anything for text in (name, f"-{name}")), groups)
    fields = [name.lstrip("-") for name in names]
    if others := [name for name in fields if name not in known]:
        raise InvalidQuery(*(Problem(ORDERING, f"'{name}' is not grouped by.", known) for name in others))
    if twice := [name for name in known if fields.count(name) > 1]:
        raise InvalidQuery(*(Problem(ORDERING, f"'{name}' is given twice.") for name in twice))
    return names


class AggregateView(OfOrders):
    """Figures of the orders, group by group; of all of them together where no `group_by` is given."""

    name = "Aggregate of orders"
    operations: ClassVar = {"get": answers.aggregate(DIMENSIONS, OFFERED, CONDITION, USUAL_SIZE, MOST_SIZE)}
    parameters = (GROUP_BY, FIGURES, HAVING, ORDERING, PAGE_SIZE, TZ)
    repeatable = (HAVING,)
    grouping: Grouping

    def read_parameters(self, params: QueryDict) -> None:
        def groups() -> tuple[str, ...]:
            # Whatever is wrong with the groups is told elsewhere.
            names = [name.strip(BLANKS) for name in str(params.get(GROUP_BY, "")).split(",")]
            return with_sources([name for name in DIMENSIONS if name in names])

        gather(
            lambda: read_names(params, GROUP_BY, DIMENSIONS),
            lambda: read_names(params, FIGURES, OFFERED),
            lambda: read_having(params),
            lambda: read_ordering(params, groups()),
            lambda: read_size(params, PAGE_SIZE, USUAL_SIZE, MOST_SIZE),
            lambda: read_zone(params),
        )
        by, zone = with_sources(read_names(params, GROUP_BY, DIMENSIONS)), read_zone(params)
        having = read_having(params)
        self.size = read_size(params, PAGE_SIZE, USUAL_SIZE, MOST_SIZE)
        self.grouping = Grouping(
            by=tuple(dimension(name, zone) for name in by),
            metrics=read_names(params, FIGURES, OFFERED, ("count",)),
            having=having.q,
            having_of=having.metrics,
            order=read_ordering(params, by),
            limit=self.size,
        )

    def get(self, request: Request) -> Response:
        query, asked = self.ask(), self.grouping
        found = asked.rows(query)
        groups = int(found[0][-1]) if found else 0
        by = tuple(one.name for one in asked.by)
        # Where nothing is grouped by, the first column says so.
        first = 0 if by else 1
        names = (*by, *asked.metrics)
        results: list[dict[str, Any]] = [dict(zip(names, row[first:])) for row in found]  # noqa: B905  rows are longer
        return Response(
            {
                "group_by": by,
                "metrics": asked.metrics,
                "groups": groups,
                "complete": groups <= len(results),
                "results": results,
            }
        )
