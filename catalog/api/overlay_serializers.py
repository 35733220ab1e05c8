"""Corrections, conflicts, value rules and histories as JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from rest_framework import serializers
from rest_framework.reverse import reverse

from catalog.api.bodies import OneOf, StrictBody
from catalog.api.serializers import run_id
from catalog.contract import Value, ValueRefused
from catalog.models import FIELDS, MAX_REASON, Change, Correction, ValueRule
from catalog.rules import RuleRefused, checked
from catalog.timeline import Entry
from catalog.values import read


class ValueField(serializers.Field[Value, Any, Any, Any]):
    """A value of whatever column: a number, a text, a timestamp in UTC, or null."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.moment = serializers.DateTimeField()

    def to_internal_value(self, data: Any) -> str:
        if isinstance(data, bool) or not isinstance(data, str | int):
            raise serializers.ValidationError("Give a text, a whole number, or null for a missing value.")
        return str(data)

    def to_representation(self, value: Value) -> Any:
        return self.moment.to_representation(value) if isinstance(value, datetime) else value


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
    ended_by = ChangeSerializer()
    conflict_by = ChangeSerializer(help_text="what brought a third value; null where there is no conflict")

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

    reason = serializers.CharField(max_length=MAX_REASON, help_text="why; it is kept for good")


VALUE_HELP = "as it may stand in an export, but a time without an offset is in UTC; null for a missing value"


class CorrectionGiven(ReasonGiven):
    """A correction to make. `since` guards against overwriting what somebody else has just done."""

    field = OneOf(choices=FIELDS)
    value = ValueField(allow_null=True, help_text=VALUE_HELP)
    since = serializers.DateTimeField(required=False, help_text="the order's `since`, as you saw it")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        try:
            return attrs | {"value": read(attrs["field"], attrs["value"] or "")}
        except ValueRefused as refused:
            raise serializers.ValidationError({"value": [f"{refused.message}."]}) from refused


class RuleSerializer(StrictBody, serializers.ModelSerializer[ValueRule]):
    """What one value of a column means.

    `touches` (null for more than 10,000 orders) and `examples` are there before it is switched on.
    """

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


def entry_as_json(entry: Entry) -> dict[str, Any]:
    """What one change did to an order."""
    show = ValueField().to_representation
    return {
        **ChangeSerializer(entry.change).data,
        "until": show(entry.ended_by.at) if entry.ended_by else None,
        "first": entry.first,
        "gone": entry.gone,
        "removed": entry.removed,
        "values": [
            {
                "field": d.name,
                "before": show(d.before),
                "after": show(d.after),
                "source_before": show(d.below_before),
                "source_after": show(d.below_after),
            }
            for d in entry.differences
        ],
        "events": entry.events,
    }
