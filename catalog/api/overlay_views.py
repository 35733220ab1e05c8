"""The API's views of what lies over the source's values: corrections, conflicts, value rules; and of histories."""

from __future__ import annotations

from typing import Any, Protocol

from django.db.models import Q, QuerySet
from rest_framework import status
from rest_framework.exceptions import APIException, NotFound
from rest_framework.mixins import CreateModelMixin, ListModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet, ReadOnlyModelViewSet

from catalog import rules
from catalog.api import values
from catalog.api.bodies import NothingGiven
from catalog.api.lookups import ChoiceFilter, StrictFilterSet
from catalog.api.overlay_serializers import (
    CorrectionGiven,
    CorrectionSerializer,
    EntrySerializer,
    ReasonGiven,
    RuleDetailSerializer,
    RuleSerializer,
    RuleSwitchedSerializer,
)
from catalog.api.permissions import MayChange
from catalog.api.schema.operations import Operation
from catalog.api.views import ListMixin, StrictMixin
from catalog.changes import NotPossible
from catalog.contract import shown
from catalog.corrections import changed_meanwhile, correct, keep, retire
from catalog.models import Correction, Order, OrderVersion, ValueRule
from catalog.querysets import keys_named
from catalog.read_only import BoundedPaginator, count_within
from catalog.timeline import timeline


class Refusal(Protocol):
    """What says why: a `NotPossible`, or another exception of the domain with a code and a sentence."""

    code: str
    message: str


class NotPossibleNow(APIException):
    """What was asked for is well said and cannot be done as things stand."""

    status_code = status.HTTP_409_CONFLICT

    def __init__(self, refused: Refusal) -> None:
        super().__init__(refused.message, refused.code)


class OfOneOrder(StrictMixin):
    """A view below an order's address."""

    def order(self) -> Order:
        source, order_id = self.kwargs["source"], self.kwargs["order_id"]
        order = Order.objects.named(source, order_id).select_related("change").first()
        if order is None:
            raise NotFound(f"There is no order {shown(source)} / {shown(order_id)}.")
        return order


class CorrectionFilterSet(StrictFilterSet):
    """What was corrected, and how it ended."""

    class Meta:
        model = Correction
        fields = {"field": ("exact", "in"), "ending": ("exact", "in")}


class AnyCorrectionViewSet(ListMixin, ListModelMixin, GenericViewSet[Correction]):
    """Corrections, the newest first."""

    serializer_class = CorrectionSerializer
    filterset_class = CorrectionFilterSet
    permission_classes = (MayChange,)
    queryset = Correction.objects.select_related("order", "made_by__run", "ended_by__run", "conflict_by__run")
    ordering = "-id"
    sorts = {"id": ("id",)}

    def decide(self, way: Any, corrections: QuerySet[Correction]) -> None:
        """Do with corrections what the request asks for, for the reason that it gives."""
        given = ReasonGiven(data=self.request.data)
        given.is_valid(raise_exception=True)
        try:
            way(corrections, actor=self.request.user.get_username(), reason=given.validated_data["reason"])
        except NotPossible as refused:
            raise NotPossibleNow(refused) from refused


class OrderCorrectionViewSet(OfOneOrder, AnyCorrectionViewSet):
    """The corrections of one order. POST `{field, value, reason}` makes one."""

    operations = {
        "list": Operation("The corrections of an order", "Also those that have ended, the newest first."),
        "create": Operation(
            "Make a correction",
            "Set a value of the order right; it holds whatever later loads bring.",
            answer=CorrectionSerializer,
            status=status.HTTP_201_CREATED,
            body=CorrectionGiven,
            conflicts=("changed_meanwhile", "customer_erased", "no_difference", "no_such_order", "same_as_source"),
        ),
        "retire": Operation(answer=CorrectionSerializer, body=ReasonGiven, conflicts=("ended_already",)),
    }
    permissions_needed = {"create": "catalog.add_correction", "retire": "catalog.change_correction"}

    def get_queryset(self) -> QuerySet[Correction]:
        return super().get_queryset().filter(order=self.order())

    def get_serializer_class(self) -> Any:
        return {"create": CorrectionGiven, "retire": ReasonGiven}.get(str(self.action), CorrectionSerializer)

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        order = self.order()
        given = CorrectionGiven(data=request.data)
        given.is_valid(raise_exception=True)
        wanted = given.validated_data
        if wanted.get("since", order.change.at) != order.change.at:
            raise NotPossibleNow(changed_meanwhile(order, order.change))
        try:
            actor = request.user.get_username()
            made = correct(order, wanted["field"], wanted["value"], actor=actor, reason=wanted["reason"])
        except NotPossible as refused:
            raise NotPossibleNow(refused) from refused
        return self.answer(made.pk, status.HTTP_201_CREATED)

    def retire(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """End a correction: the order shows what its source says."""
        correction = self.get_queryset().filter(pk=kwargs["pk"])
        if not correction.exists():
            raise NotFound(f"Order {self.order()} has no correction {kwargs['pk']}.")
        self.decide(retire, correction)
        return self.answer(kwargs["pk"], status.HTTP_200_OK)

    def answer(self, number: int, status_code: int) -> Response:
        correction = self.get_queryset().get(pk=number)
        return Response(CorrectionSerializer(correction, context=self.get_serializer_context()).data, status_code)


class ConflictViewSet(AnyCorrectionViewSet):
    """Corrections that wait for a person, as the source has a third value.

    POST to `keep/` keeps the correction and to `take_source/` ends it, each with `{reason}`; a third value is a new
    correction of the order.
    """

    operations = {
        "list": Operation(description="Corrections that wait for a person, as the source has a third value."),
        **dict.fromkeys(
            ("keep", "take_source"),
            Operation(answer=CorrectionSerializer, body=ReasonGiven, conflicts=("decided_already", "ended_already")),
        ),
    }
    permissions_needed = dict.fromkeys(("keep", "take_source"), "catalog.change_correction")

    def get_queryset(self) -> QuerySet[Correction]:
        return super().get_queryset().filter(ended_by=None).exclude(conflict_by=None)

    def get_serializer_class(self) -> Any:
        return ReasonGiven if self.action in self.permissions_needed else CorrectionSerializer

    def keep(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Keep the correction; it is asked about again when the source has yet another value."""
        self.decide(keep, self.conflict())
        return self.decided()

    def take_source(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """End the correction: the order shows what its source says."""
        self.decide(retire, self.conflict())
        return self.decided()

    def conflict(self) -> Any:
        found = self.get_queryset().filter(pk=self.kwargs["pk"]).values_list("pk", flat=True).first()
        if found is None:
            raise NotFound(f"There is no open conflict {self.kwargs['pk']}.")
        # It may be decided before it is our turn: then nothing is found any more.
        return Correction.objects.in_conflict().filter(pk=found)

    def decided(self) -> Response:
        correction = AnyCorrectionViewSet.queryset.get(pk=self.kwargs["pk"])
        return Response(CorrectionSerializer(correction, context=self.get_serializer_context()).data)


class HistoryView(OfOneOrder):
    """What happened to an order, the newest first: who or what set which value, when and why."""

    name = "History"
    operations = {"get": Operation(answer=EntrySerializer(many=True))}

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        entries: Any = timeline(self.present_or_past())
        return Response(EntrySerializer(entries, many=True).data)

    def present_or_past(self) -> Order | OrderVersion:
        """The order; or, where an undo has taken it out of the catalogue, what it was."""
        source, order_id = self.kwargs["source"], self.kwargs["order_id"]
        past = OrderVersion.objects.filter(key__in=keys_named(source, order_id)).order_by("-change").first()
        try:
            return self.order()
        except NotFound:
            if past is None:
                raise
            return past


class ActiveFilter(ChoiceFilter):
    """On or off."""

    def condition(self, value: Any, at: int | None = None) -> Q:
        return Q(active=value == "true")


class RuleFilterSet(StrictFilterSet):
    """Which column, and whether it is on."""

    active = ActiveFilter(choices=values.FLAG)

    class Meta:
        model = ValueRule
        fields = {"field": ("exact", "in")}


class RuleViewSet(ListMixin, CreateModelMixin, ReadOnlyModelViewSet[ValueRule]):
    """Value rules: what one value of a column means.

    A new rule is off; its page says how many orders it touches. POST to `on/`, or with `{reason}` to `off/`.
    """

    operations = {
        "list": Operation(description="Value rules: what one value of a column means."),
        "create": Operation(
            "Make a rule", "A new rule is off: look first how many orders it touches.", status=201, body=RuleSerializer
        ),
        "retrieve": Operation(
            description="While it is off, also how many orders it touches.", answer=RuleDetailSerializer
        ),
        "on": Operation(answer=RuleSwitchedSerializer, conflicts=("rule_exists", "switched_already")),
        "off": Operation(answer=RuleSwitchedSerializer, body=ReasonGiven, conflicts=("switched_already",)),
    }
    serializer_class = RuleSerializer
    filterset_class = RuleFilterSet
    permission_classes = (MayChange,)
    permissions_needed = {
        "create": "catalog.add_valuerule",
        "on": "catalog.change_valuerule",
        "off": "catalog.change_valuerule",
    }
    queryset = ValueRule.objects.all()
    ordering = "id"
    sorts = {"id": ("id",)}

    def get_serializer_class(self) -> Any:
        return {"on": NothingGiven, "off": ReasonGiven}.get(str(self.action), RuleSerializer)

    def get_object(self) -> ValueRule:
        rule = ValueRule.objects.filter(pk=self.kwargs["pk"]).first()
        if rule is None:
            raise NotFound(f"There is no rule {self.kwargs['pk']}.")
        return rule

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return self.shown(self.get_object())

    def shown(self, rule: ValueRule) -> Response:
        facts = dict(RuleSerializer(rule, context=self.get_serializer_context()).data)
        if not rule.active:
            touched = count_within(rules.touched(rule), BoundedPaginator.LIMIT)
            facts["touches"] = touched if touched <= BoundedPaginator.LIMIT else None
            facts["examples"] = [order.natural_key for order in rules.examples(rule)]
        return Response(facts)

    def on(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Put the rule in force, for what is there and for every later load."""
        NothingGiven(data=request.data).is_valid(raise_exception=True)
        return self.switch(rules.switch_on, actor=request.user.get_username())

    def off(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Bring the source's values back exactly."""
        given = ReasonGiven(data=request.data)
        given.is_valid(raise_exception=True)
        reason = given.validated_data["reason"]
        return self.switch(rules.switch_off, actor=request.user.get_username(), reason=reason)

    def switch(self, way: Any, **said: str) -> Response:
        rule = self.get_object()
        try:
            changed = way(rule, **said)
        except NotPossible as refused:
            raise NotPossibleNow(refused) from refused
        return Response({**RuleSerializer(rule, context=self.get_serializer_context()).data, "changed": changed})
