"""The checks of quality as JSON."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from catalog import quality
from catalog.api.conditional import Conditional
from catalog.api.views import StrictMixin


class QualityView(Conditional, StrictMixin):
    """What should not be, and how many orders are so; those that a full snapshot has marked as removed do not count."""

    name = "Quality"

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
