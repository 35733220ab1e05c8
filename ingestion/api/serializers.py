"""Runs and rejected rows as JSON."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.reverse import reverse
from rest_framework.utils.urls import replace_query_param

from catalog.api.bodies import StrictBody
from catalog.api.overlay_serializers import ValueField
from catalog.api.schema.shapes import value_of
from catalog.contract import COLUMNS, NAMES
from ingestion.api import examples
from ingestion.models import RejectedRow, RejectReason, Run
from ingestion.repair import check
from ingestion.undo_effects import warning


class RunSerializer(serializers.ModelSerializer[Run]):
    """One file, what became of it, and every figure."""

    url = serializers.HyperlinkedIdentityField(view_name="run-detail")
    rejects = serializers.HyperlinkedIdentityField(view_name="reject-list", lookup_url_kwarg="run")
    orders = serializers.SerializerMethodField(help_text="the orders that it was the last to change")

    example = examples.RUN
    shapes = {
        "columns": {"type": "array", "items": {"type": "string"}},
        "options": {"type": "object", "additionalProperties": {}},
        "stages": {"type": "object", "additionalProperties": {"type": "number"}},
        "new_values": {"type": "object", "additionalProperties": {"type": "array", "items": {"type": "string"}}},
        "rejects_by_reason": {"type": "object", "additionalProperties": {"type": "integer"}},
        "missing": {"type": "object", "additionalProperties": {"type": "integer"}},
    }

    class Meta:
        model = Run
        fields: tuple[str, ...] = (
            "id",
            "url",
            "rejects",
            "orders",
            *("kind", "undoes", "repairs", "status", "reason_code", "reason", "same_as"),
            *("file", "file_size", "sha256", "compression", "encoding", "delimiter", "columns", "options"),
            *("started_at", "finished_at", "seconds", "stages", "actor", "host", "process"),
            *("read", "inserted", "updated", "unchanged", "duplicate", "rejected", "removed"),
            *("caught_up", "conflicts", "repaired", "new_values", "rejects_by_reason", "missing"),
        )

    def get_orders(self, run: Run) -> str | None:
        if run.pk is None:
            return None  # of a dry run
        # The address may have a query already: a `format` goes from page to page.
        return replace_query_param(reverse("order-list", request=self.context["request"]), "run", run.pk)


class UndoSerializer(RunSerializer):
    """The run that has undone another one; of a dry run the same figures, without an address."""

    example = examples.UNDO
    status = serializers.SerializerMethodField()
    warning = serializers.SerializerMethodField(
        help_text="later loads that may have confirmed what it takes back, and what to do then; empty if there are none"
    )
    shapes = RunSerializer.shapes | {
        "id": {"type": ["integer", "null"]},
        "url": {"type": ["string", "null"]},
        "rejects": {"type": ["string", "null"]},
        "status": {"type": "string", "enum": [str(Run.Status.LOADED), "dry_run"]},
    }

    class Meta(RunSerializer.Meta):
        fields = (*RunSerializer.Meta.fields, "warning")

    def get_status(self, run: Run) -> str:
        return run.status if run.pk else "dry_run"

    def get_warning(self, run: Run) -> str:
        return str(warning(run))


class UndoGiven(StrictBody):
    """How to undo a run."""

    example = examples.UNDO_REQUEST
    keep_touched = serializers.BooleanField(default=False, help_text="leave orders that something has touched since")
    dry_run = serializers.BooleanField(default=False, help_text="only say what would happen")


class ReasonSerializer(serializers.ModelSerializer[RejectReason]):
    """Why."""

    class Meta:
        model = RejectReason
        fields = ("code", "column", "value", "message")


class RejectedRowSerializer(serializers.ModelSerializer[RejectedRow]):
    """A row as it stood in the file, every reason against it, and what became of it."""

    example = examples.REJECT
    reasons = ReasonSerializer(many=True)

    class Meta:
        model = RejectedRow
        fields = ("line", "raw", "reasons", "state", "repaired_by", "settled_by", "settled_at", "note")


class RepairedSerializer(serializers.Serializer[Any]):
    """A row that was repaired, and the run that loaded it."""

    example = examples.REPAIRED
    reject = RejectedRowSerializer()
    run = RunSerializer()


class RepairGiven(StrictBody):
    """Texts of the contract's columns, as they may stand in an export; those left out stay as in the row.

    Valid only as a whole: the row with these texts must keep the contract.
    """

    called = "column"
    example = examples.REPAIR_REQUEST
    shapes = {column.name: value_of(column) for column in COLUMNS}

    def __init__(self, *args: Any, texts: list[str] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.texts = dict(zip(NAMES, texts or [""] * len(NAMES), strict=True))

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {
            column.name: ValueField(column=column, required=False, allow_null=True, help_text=column.meaning)
            for column in COLUMNS
        }

    def get_initial(self) -> dict[str, Any]:
        # Nothing for people to begin with: a null would say that the value is missing.
        return {}

    def to_internal_value(self, data: Any) -> list[str]:
        given = super().to_internal_value(data)
        texts = self.texts | {name: value or "" for name, value in given.items()}
        problems = {name: [message] for name, message in check(list(texts.values())).items()}
        if problems:
            raise serializers.ValidationError(problems)
        return list(texts.values())
