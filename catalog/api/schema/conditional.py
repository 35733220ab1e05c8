"""Conditional requests as OpenAPI has them; the answers are made in `catalog.api.conditional`."""

from __future__ import annotations

from typing import Any

IF_NONE_MATCH: dict[str, Any] = {
    "in": "header",
    "name": "If-None-Match",
    "schema": {"type": "string"},
    "description": "The `ETag` of an answer to the same request: if the catalogue has not changed since, there is no "
    "need to send it again.",
    "example": 'W/"12-20261123041502491197-3f1c2d7a90b4e65f8a7b6c5d"',
}
HEADERS: dict[str, Any] = {
    "ETag": {
        "description": "names the version of the catalogue that the answer was made of",
        "schema": {"type": "string"},
    },
    "Cache-Control": {
        "description": "may be kept, and must be asked about before it is used again",
        "schema": {"type": "string"},
    },
}
NOT_MODIFIED: dict[str, Any] = {
    "description": "What `If-None-Match` names still holds.",
    "headers": HEADERS,
}
