"""Runs and rejected rows as JSON."""

from __future__ import annotations

from rest_framework import serializers
from rest_framework.reverse import reverse

from ingestion.models import RejectedRow, RejectReason, Run


class RunSerializer(serializers.ModelSerializer[Run]):
    """One file, what became of it, and every figure."""

    url = serializers.HyperlinkedIdentityField(view_name="run-detail")
    rejects = serializers.HyperlinkedIdentityField(view_name="reject-list", lookup_url_kwarg="run")
    orders = serializers.SerializerMethodField(help_text="the orders that it was the last to change")

    class Meta:
        model = Run
        fields = (
            "id",
            "url",
            "rejects",
            "orders",
            *("kind", "undoes", "repairs", "status", "reason_code", "reason", "same_as"),
            *("file", "file_size", "sha256", "compression", "encoding", "delimiter", "columns", "options"),
            *("started_at", "finished_at", "seconds", "stages", "actor", "host", "process"),
            *("read", "inserted", "updated", "unchanged", "duplicate", "rejected", "removed"),
            *("caught_up", "conflicts", "repaired", "new_values", "rejects_by_reason"),
        )

    def get_orders(self, run: Run) -> str:
        return f"{reverse('order-list', request=self.context['request'])}?run={run.pk}"


class ReasonSerializer(serializers.ModelSerializer[RejectReason]):
    """Why."""

    class Meta:
        model = RejectReason
        fields = ("code", "column", "value", "message")


class RejectedRowSerializer(serializers.ModelSerializer[RejectedRow]):
    """A row as it stood in the file, and every reason against it."""

    reasons = ReasonSerializer(many=True)

    class Meta:
        model = RejectedRow
        fields = ("line", "raw", "reasons")
