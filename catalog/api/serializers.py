"""Orders as JSON."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.reverse import reverse

from catalog.api.schema import examples
from catalog.contract import NAMES
from catalog.models import Change, Order


def run_id(change: Change) -> int | None:
    """The run behind a change, if it was one: catalog knows runs only from the other side."""
    run: Any = getattr(change, "run", None)
    return None if run is None else run.pk


class OrderSerializer(serializers.ModelSerializer[Order]):
    """The contract's fields in its order, and where the record comes from."""

    url = serializers.SerializerMethodField(help_text="the order's own address")
    run = serializers.SerializerMethodField(help_text="the run that last changed it")
    line = serializers.SerializerMethodField(
        help_text="the line of that run's file on which the record starts; none where no file changed it last"
    )
    since = serializers.DateTimeField(source="change.at", help_text="in force since")
    source_values = serializers.SerializerMethodField(
        help_text="what the source itself says, in the columns where a rule or a correction lies over it"
    )

    example = examples.ORDER
    selectable = True
    shapes = {
        "source_values": {
            "type": "object",
            "additionalProperties": {"type": ["string", "integer", "null"]},
        }
    }

    class Meta:
        model = Order
        fields = (*NAMES, "source_values", "url", "removed", "run", "line", "since")

    def get_url(self, order: Order) -> str:
        place = {"source": order.source, "order_id": order.order_id}
        return reverse("order-detail", kwargs=place, request=self.context["request"])

    def get_run(self, order: Order) -> int | None:
        return run_id(order.change)

    def get_line(self, order: Order) -> int | None:
        return order.line if order.change.reads_a_file else None

    def get_source_values(self, order: Order) -> dict[str, Any]:
        return {
            name: self.fields[name].to_representation(value) if value is not None else None
            for name, value in order.source_values.items()
        }
