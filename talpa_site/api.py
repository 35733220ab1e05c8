"""Where the API starts: what there is to read."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from catalog.api.schema.operations import Operation
from catalog.api.views import StrictMixin

LISTS = {
    "orders": "order-list",
    "facets": "order-facets",
    "aggregate": "order-aggregate",
    "histogram": "order-histogram",
    "export": "order-export",
    "websites": "websites",
    "quality": "quality",
    "conflicts": "conflict-list",
    "rules": "rule-list",
    "runs": "run-list",
    "schema": "schema",
}
"""What the API begins with, and the names of the addresses."""


class ApiRoot(StrictMixin):
    """The order catalogue. Orders with the values in force, and the runs that brought them."""

    name = "Order catalogue"
    operations = {
        "get": Operation(
            "Where it starts",
            "The addresses of the lists.",
            answer={
                "type": "object",
                "properties": {name: {"type": "string", "format": "uri"} for name in LISTS},
                "required": [*LISTS],
            },
            example={name: f"https://orders.example.org/api/v1/{name}/" for name in LISTS},
        )
    }

    def get(self, request: Request) -> Response:
        return Response({name: reverse(place, request=request) for name, place in LISTS.items()})
