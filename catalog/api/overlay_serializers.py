"""Corrections, conflicts, value rules and histories as JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from rest_framework import serializers
from rest_framework.reverse import reverse

from catalog.api.bodies import OneOf, StrictBody
from catalog.api.schema import examples
from catalog.api.schema.shapes import VALUE, conditions, corrected, ruled
from catalog.api.serializers import run_id
from catalog.contract import CORRECTABLE, Column, Kind, Value, ValueRefused
from catalog.models import COLUMN, FIELDS, MAX_REASON, RULED, Change, Correction, ValueRule
from catalog.rules import RuleRefused, checked
from catalog.timeline import Entry
from catalog.values import read


class ValueField(serializers.Field[Value, Any, Any, Any]):
    """A value of whatever column: a number, a text, a timestamp in UTC, or null."""

    def __init__(self, *, column: Column | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.column = column
        self.moment = serializers.DateTimeField()

    def to_internal_value(self, data: Any) -> str:
        if isinstance(data, bool) or not isinstance(data, str | int):
            raise serializers.ValidationError("Give a text, a whole number, or null for a missing value.")
        if self.column:
            refuse_number(self.column, data)
        return str(data)

    def to_representation(self, value: Value) -> Any:
        return self.moment.to_representation(value) if isinstance(value, datetime) else value


def refuse_number(column: Column, data: Any) -> None:
    """Codes and timestamps are texts, also where they look like a number."""
    if isinstance(data, int) and column.kind is not Kind.INTEGER:
        raise serializers.ValidationError(f"Give a text: {column.name} is a {column.kind}.")


class ChangeSerializer(serializers.ModelSerializer[Change]):
    """Who or what, when and why."""

    run = serializers.SerializerMethodField()

    class Meta:
        model = Change
        fields = ("kind", "at", "actor", "reason", "run")

    def get_run(self, change: Change) -> int | None:
        return run_id(change)


class CorrectionSerializer(serializers.ModelSerializer[Correction]):
    """One value of one order, set right by a person."""

    order = serializers.CharField(source="order.natural_key")
    url = serializers.SerializerMethodField(help_text="the order's own address")
    value = ValueField(help_text="what the person says")
    base = ValueField(help_text="what the source said when the correction was made or last confirmed")
    source_value = serializers.SerializerMethodField(help_text="what the source says now")
    made_by = ChangeSerializer()
    ended_by = ChangeSerializer(allow_null=True)
    conflict_by = ChangeSerializer(
        allow_null=True, help_text="what brought a third value; null where there is no conflict"
    )

    example = examples.CORRECTION
    shapes = {"source_value": VALUE}

    class Meta:
        model = Correction
        fields = ("id", "order", "url", "field", "value", "base", "source_value", "made_by", "ended_by", "ending",
                  "conflict_by")  # fmt: skip

    def get_url(self, correction: Correction) -> str:
        place = {"source": correction.order.source, "order_id": correction.order.order_id}
        return reverse("order-detail", kwargs=place, request=self.context["request"])

    def get_source_value(self, correction: Correction) -> Any:
        return ValueField().to_representation(correction.order.source_value(correction.field))


class ReasonGiven(StrictBody):
    """Why."""

    example = examples.REASON_REQUEST
    reason = serializers.CharField(max_length=MAX_REASON, help_text="why; it is kept for good")


VALUE_HELP = "as it may stand in an export, but a time without an offset is in UTC; null for a missing value"


class CorrectionGiven(ReasonGiven):
    """A correction to make. `since` guards against overwriting what somebody else has just done."""

    example = examples.CORRECTION_REQUEST
    conditions = conditions(CORRECTABLE, corrected)
    field = OneOf(choices=FIELDS)
    value = ValueField(allow_null=True, help_text=VALUE_HELP)
    since = serializers.DateTimeField(required=False, help_text="the order's `since`, as you saw it")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        column = COLUMN[attrs["field"]]
        try:
            refuse_number(column, self.initial_data["value"])
        except serializers.ValidationError as refused:
            raise serializers.ValidationError({"value": refused.detail}) from refused
        try:
            return attrs | {"value": read(column.name, attrs["value"] or "")}
        except ValueRefused as refused:
            raise serializers.ValidationError({"value": [f"{refused.message}."]}) from refused


class RuleSerializer(StrictBody, serializers.ModelSerializer[ValueRule]):
    """What one value of a column means.

    `touches` (null for more than 10,000 orders) and `examples` are there before it is switched on.
    """

    example = examples.RULE
    body_example = examples.RULE_REQUEST
    conditions = conditions((COLUMN[name] for name, _ in RULED), ruled)
    serializer_choice_field = OneOf
    url = serializers.HyperlinkedIdentityField(view_name="rule-detail")

    class Meta:
        model = ValueRule
        fields = ("id", "url", "field", "old", "new", "reason", "active")
        read_only_fields = ("active",)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        try:
            old, new = checked(attrs["field"], attrs["old"], attrs.get("new", ""))
        except RuleRefused as refused:
            raise serializers.ValidationError({name: [text] for name, text in refused.problems.items()}) from refused
        return attrs | {"old": old, "new": new}


class RuleDetailSerializer(RuleSerializer):
    """A rule and, while it is off, what it would do."""

    example = examples.RULE_DETAIL
    optional = ("touches", "examples")
    shapes = {
        "touches": {
            "type": ["integer", "null"],
            "description": "orders that it changes when it is switched on; null for more than 10,000",
        },
        "examples": {"type": "array", "items": {"type": "string"}, "description": "some of them"},
    }


class RuleSwitchedSerializer(RuleSerializer):
    """A rule that was switched, and how many orders that changed."""

    example = examples.RULE_SWITCHED
    shapes = {"changed": {"type": "integer", "description": "orders that show another value now"}}


class DifferenceSerializer(serializers.Serializer[Any]):
    """A value before and after a change, and what the source said below it."""

    field = serializers.CharField(source="name")
    before = ValueField()
    after = ValueField()
    source_before = ValueField(source="below_before")
    source_after = ValueField(source="below_after")


class EntrySerializer(serializers.Serializer[Entry]):
    """What one change did to an order."""

    example = examples.ENTRY

    kind = serializers.ChoiceField(source="change.kind", choices=Change.Kind.choices)
    at = serializers.DateTimeField(source="change.at")
    actor = serializers.CharField(source="change.actor")
    reason = serializers.CharField(source="change.reason")
    run = serializers.SerializerMethodField(help_text="the run that was the change, if it was one")
    until = serializers.DateTimeField(source="ended_by.at", allow_null=True, help_text="in force until; null: still")
    first = serializers.BooleanField(help_text="it brought the order")
    gone = serializers.BooleanField(help_text="it took the order out of the catalogue")
    removed = serializers.BooleanField(allow_null=True, help_text="it removed the order, or brought it back")
    values = DifferenceSerializer(source="differences", many=True)
    events = serializers.ListField(child=serializers.CharField(), help_text="what became of corrections")

    def get_run(self, entry: Entry) -> int | None:
        return run_id(entry.change)
