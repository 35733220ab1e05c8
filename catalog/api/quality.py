"""The checks of quality as JSON."""

from __future__ import annotations

from typing import Any, ClassVar
from urllib.parse import urlencode

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from catalog import quality
from catalog.api.conditional import Conditional
from catalog.api.schema.operations import Operation
from catalog.api.views import StrictMixin

EXAMPLE = [
    {
        "name": "paid_before_ordered",
        "sentence": "The payment is dated before the order.",
        "count": 10,
        "orders": "https://orders.example.org/api/v1/orders/?quality=paid_before_ordered",
    }
]
ANSWER = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {
            "name": {"type": "string", "enum": [check.name for check in quality.CHECKS]},
            "sentence": {"type": "string", "description": "What should not be."},
            "count": {"type": "integer", "minimum": 0, "description": "How many orders are so."},
            "orders": {"type": "string", "format": "uri", "description": "Those orders."},
        },
        "required": ["name", "sentence", "count", "orders"],
    },
}


class QualityView(Conditional, StrictMixin):
    """What should not be, and how many orders are so; those that a full snapshot has marked as removed do not count."""

    name = "Quality"
    operations: ClassVar = {"get": Operation(answer=ANSWER, example=EXAMPLE)}

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        orders = reverse("order-list", request=request)
        counts = quality.counts()
        return Response(
            [
                {
                    "name": check.name,
                    "sentence": check.sentence,
                    "count": counts[check.name],
                    "orders": f"{orders}?{urlencode({'quality': check.name})}",
                }
                for check in quality.CHECKS
            ]
        )
