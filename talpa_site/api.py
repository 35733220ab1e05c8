"""Where the API starts: what there is to read."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from catalog.api.views import StrictMixin


class ApiRoot(StrictMixin):
    """The order catalogue. Orders with the values in force, and the runs that brought them."""

    name = "Order catalogue"

    def get(self, request: Request) -> Response:
        lists = {name: f"{name[:-1]}-list" for name in ("orders", "runs", "conflicts", "rules")} | {
            "quality": "quality"
        }
        return Response({name: reverse(place, request=request) for name, place in lists.items()})
