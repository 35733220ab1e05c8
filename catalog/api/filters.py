"""The filters of orders, and the backend that lets no parameter pass unread."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, cast

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.forms import ValidationError
from django.http import QueryDict
from django.utils import timezone
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.request import Request
from rest_framework.settings import api_settings
from rest_framework.views import APIView

from catalog import quality
from catalog.api import values
from catalog.api.contradictions import Given, contradictions
from catalog.api.groups import Condition, Group, GroupRefused, parse_group
from catalog.api.lookups import (
    CODE_LOOKUPS,
    MOMENT_LOOKUPS,
    NUMBER_LOOKUPS,
    RANGE,
    ChoiceFilter,
    NumberFilter,
    StrictFilter,
    StrictFilterSet,
)
from catalog.api.strict import InvalidQuery, Problem, check_names, gather, unknown
from catalog.as_of import change_at
from catalog.checks import BY_NAME
from catalog.contract import COLUMNS, MAX_INTEGER, Column, Kind, ValueRefused
from catalog.models import Change, Correction, Order, field_of
from catalog.order_query import OrderQuery
from catalog.querysets import OrderQuerySet

FORMAT = str(api_settings.URL_FORMAT_OVERRIDE)
OR, AS_OF = "or", "as_of"


def read_as_of(params: QueryDict) -> datetime | None:
    """The time at which the catalogue is looked at; a date is the end of its day. Raises `InvalidQuery`."""
    if AS_OF not in params:
        return None
    allowed = (*values.MOMENT, "no later than now")
    try:
        span = cast("values.Span", values.whole(str(params[AS_OF]), values.read_moment))
    except ValueRefused as refused:
        raise InvalidQuery(Problem(AS_OF, refused.message, allowed)) from refused
    moment = span.end - timedelta(microseconds=1)
    if moment > timezone.now():
        date = "; a date stands for the end of its day, so give a time" if span.start <= timezone.now() else ""
        message = f"That is in the future, and nobody knows it yet{date}; leave the parameter out to see what is now."
        raise InvalidQuery(Problem(AS_OF, message, allowed))
    return moment


class StrictFilterBackend(DjangoFilterBackend):  # type: ignore[misc]  # django-filter publishes no types
    """Filters what a view reads; first checks every parameter of the request, whoever is to read it."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: APIView) -> QuerySet[Any]:
        return self.checked(request, queryset, view).qs

    def checked(self, request: Request, queryset: QuerySet[Any], view: Any) -> StrictFilterSet:
        """The view's filter set for a request of which everything makes sense. Raises `InvalidQuery`."""
        filterset = self.get_filterset(request, queryset, view)
        params = request.query_params
        known = (*filterset.filters, *filterset.further, *view.parameters, FORMAT)
        gather(
            lambda: check_names(params, known, (*filterset.repeatable, *view.repeatable)),
            filterset.check,
            lambda: view.read_parameters(params),
        )
        return cast("StrictFilterSet", filterset)


LOOKUPS = {Kind.INTEGER: NUMBER_LOOKUPS, Kind.CODE: CODE_LOOKUPS, Kind.TIMESTAMP: MOMENT_LOOKUPS}


def lookups_of(column: Column) -> tuple[str, ...]:
    """The lookups that a column of the contract offers."""
    can_be_missing = field_of(Order, column.name).null
    return (*LOOKUPS[column.kind], "isnull") if can_be_missing else LOOKUPS[column.kind]


class SearchFilter(NumberFilter):
    """Any id of an order."""

    lasting = False
    columns = frozenset({"key"})

    def condition(self, value: Any, at: int | None = None) -> Q:
        return OrderQuerySet.any_id(value)


class RunFilter(NumberFilter):
    """Orders that were last changed by a run."""

    lasting = False
    columns = frozenset({"change"})

    def condition(self, value: Any, at: int | None = None) -> Q:
        # Looked up first, so that the orders are searched by a plain value.
        return Q(change__in=list(Change.objects.filter(run=value).values_list("pk", flat=True)))


class RemovedFilter(ChoiceFilter):
    """Present orders only, unless told otherwise."""

    alone = True

    def condition(self, value: Any, at: int | None = None) -> Q:
        return Q() if value == "any" else Q(removed=value == "true")


class CorrectionFilter(ChoiceFilter):
    """Whether a correction lies over the order."""

    columns = frozenset({"key"})

    def condition(self, value: Any, at: int | None = None) -> Q:
        # What a correction lies over is overlaid; of that there is an index.
        corrected = Q(Exists(corrections(at)), overlaid__gt=0)
        return corrected if value == "true" else ~corrected


class OverlaidFilter(ChoiceFilter):
    """Whether the order shows something else than its source says."""

    columns = frozenset({"overlaid"})

    def condition(self, value: Any, at: int | None = None) -> Q:
        return Q(overlaid__gt=0) if value == "true" else Q(overlaid=0)


class CorrectedByFilter(StrictFilter):
    """Orders over which a correction lies that a person made."""

    columns = frozenset({"key"})

    def condition(self, value: Any, at: int | None = None) -> Q:
        return Q(Exists(corrections(at).filter(made_by__actor=value)), overlaid__gt=0)


class QualityFilter(ChoiceFilter):
    """Orders that fail a check of quality."""

    lasting = False
    columns = frozenset({"change"})

    def condition(self, value: Any, at: int | None = None) -> Q:
        return quality.condition(value) if at is None else BY_NAME[value].condition


def corrections(at: int | None) -> QuerySet[Correction]:
    """The corrections of an order that are in force, or were after a change."""
    of_order = Correction.objects.filter(order=OuterRef("pk"))
    if at is None:
        return of_order.filter(ended_by=None)
    return of_order.filter(Q(ended_by=None) | Q(ended_by__gt=at), made_by__lte=at)


class OrderNumberFilter(NumberFilter):
    """The order's own number, by the primary key, so that no index is needed."""

    lasting = False
    columns = frozenset({"key"})

    def condition(self, value: Any, at: int | None = None) -> Q:
        if self.lookup_expr in ("exact", "in"):
            return OrderQuerySet.numbers(value if self.lookup_expr == "in" else [value])
        if self.lookup_expr == "ne":
            return ~OrderQuerySet.numbers([value])
        low, high = {
            "gt": (value, MAX_INTEGER),
            "gte": (value, MAX_INTEGER),
            "lt": (1, value),
            "lte": (1, value),
            "range": value,
        }[self.lookup_expr]
        return OrderQuerySet.number_between(low + (self.lookup_expr == "gt"), high - (self.lookup_expr == "lt"))


class OrderFilterSet(StrictFilterSet):
    """Every column of the contract, and what the catalogue knows besides."""

    further = (OR, AS_OF)
    repeatable = (OR,)

    search = SearchFilter()
    run = RunFilter()
    removed = RemovedFilter(choices=("true", "false", "any"))
    overlaid = OverlaidFilter(choices=values.FLAG)
    has_correction = CorrectionFilter(choices=values.FLAG)
    corrected_by = CorrectedByFilter()
    quality = QualityFilter(choices=BY_NAME)

    class Meta:
        model = Order
        fields = {column.name: lookups_of(column) for column in COLUMNS}

    @classmethod
    def filter_for_field(cls, field: Any, field_name: str, lookup_expr: str | None = None) -> StrictFilter:
        if field_name == "order_id":
            return OrderNumberFilter(field_name, lookup_expr or "exact")
        return super().filter_for_field(field, field_name, lookup_expr)

    def check(self) -> None:
        gather(lambda: self.given, lambda: self.groups, lambda: self.moment)
        if problems := [*self._contradictions()]:
            raise InvalidQuery(*problems)

    @property
    def qs(self) -> QuerySet[Any]:
        return self.query.orders()

    @cached_property
    def query(self) -> OrderQuery:
        """What the request asks for. Raises `InvalidQuery`."""
        at = None if self.moment is None else change_at(self.moment)
        given = {"removed": "false"} | self.given
        q = self._numbers_between()
        for name, value in given.items():
            if not (name.startswith("order_id__") and name.removeprefix("order_id__") in RANGE):
                q &= self.filters[name].condition(value, at)
        for group in self.groups:
            q &= self._condition(group, at)
        conditions = [*self._conditions(given), *(given for group in self.groups for given in self._inside(group))]
        return OrderQuery(
            q,
            at,
            frozenset().union(*(condition.filter.columns for condition in conditions)),
            all(condition.filter.keeps_days_whole(condition.value) for condition in conditions),
            self.moment is None and all(condition.filter.lasting for condition in conditions),
        )

    def _numbers_between(self) -> Q:
        """Both ends of a range of order numbers together: one range of the primary key for each source."""
        ends = {lookup: self.given.get(f"order_id__{lookup}") for lookup in RANGE}
        if not any(ends.values()):
            return Q()
        low = max(ends["gte"] or 1, (ends["gt"] or 0) + 1)
        high = min(ends["lte"] or MAX_INTEGER, (ends["lt"] or MAX_INTEGER + 1) - 1)
        return OrderQuerySet.number_between(low, high)

    @cached_property
    def moment(self) -> datetime | None:
        """The time at which the catalogue is looked at, none for now. Raises `InvalidQuery`."""
        return read_as_of(self.data)

    @cached_property
    def groups(self) -> list[Group]:
        """The groups of alternatives, every condition of which can be read. Raises `InvalidQuery`."""
        groups: list[Group] = []
        problems: list[Problem] = []
        for text in self.data.getlist(OR):
            try:
                group = parse_group(values.bounded(str(text)))
            except (GroupRefused, ValueRefused) as refused:
                message = f"The group cannot be read: {refused}."
                problems.append(Problem(OR, message, ("or=(website=VVNL,and(order_status=PAID,customer_id=7))",)))
                continue
            groups.append(group)
            problems += [problem for condition in group.conditions() for problem in self._problems(condition)]
        if problems:
            raise InvalidQuery(*problems)
        return groups

    def _problems(self, condition: Condition) -> Iterator[Problem]:
        """What is wrong with one condition of a group."""
        allowed = [name for name, filter_ in self.filters.items() if not filter_.alone]
        if condition.name not in allowed:
            wrong = unknown(condition.name, allowed)
            yield Problem(OR, f"{condition.name}: {wrong.message}", wrong.allowed)
            return
        try:
            self.filters[condition.name].read(condition.text)
        except ValidationError as refused:
            for message in refused.messages:
                yield Problem(OR, f"{condition.name}: {message}", self.filters[condition.name].allowed)

    def _given(self, condition: Condition) -> Given:
        filter_ = self.filters[condition.name]
        return Given(condition.name, filter_, filter_.read(condition.text))

    def _conditions(self, given: dict[str, Any]) -> list[Given]:
        return [Given(name, self.filters[name], value) for name, value in given.items()]

    def _inside(self, group: Group) -> list[Given]:
        return [self._given(condition) for condition in group.conditions()]

    def _condition(self, group: Group, at: int | None) -> Q:
        """What a group asks for."""
        q = Q()
        for member in group.members:
            if isinstance(member, Group):
                part = self._condition(member, at)
            else:
                given = self._given(member)
                part = given.filter.condition(given.value, at)
            q = q & part if group.every else q | part
        return q

    def _contradictions(self) -> Iterator[Problem]:
        outside = self._conditions(self.given)
        yield from contradictions(outside)
        for group in self.groups:
            yield from self._inner_contradictions(group, outside)

    def _inner_contradictions(self, group: Group, outside: list[Given]) -> Iterator[Problem]:
        """Alternatives that nothing can meet, together with what must hold besides."""
        direct = [self._given(member) for member in group.members if isinstance(member, Condition)]
        if group.every:
            yield from contradictions([*outside, *direct], OR)
            outside = [*outside, *direct]
        else:
            for given in direct:
                yield from contradictions([*outside, given], OR)
        for member in group.members:
            if isinstance(member, Group):
                yield from self._inner_contradictions(member, outside)
