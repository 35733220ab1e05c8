"""What a view says of itself for the API's description; everything else is read from the view.

    operations = {
        "list": Operation(),
        "create": Operation("Make a correction", body=CorrectionGiven, answer=CorrectionSerializer, status=201,
                            conflicts=("no_difference",)),
    }

The keys are the viewset's actions, or `get` and the like where the view is none.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

JSON = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of the query that is no filter: its JSON schema, a sentence and an example."""

    name: str
    schema: JSON
    meaning: str
    example: Any = None
    required: bool = False
    repeated: bool = False
    """Whether it may be given several times; its schema is that of one value."""

    def as_json(self) -> JSON:
        """As OpenAPI writes it."""
        schema = {"type": "array", "items": self.schema} if self.repeated else self.schema
        parameter: JSON = {"in": "query", "name": self.name, "schema": schema, "description": self.meaning}
        if self.required:
            parameter["required"] = True
        if self.repeated:
            parameter |= {"style": "form", "explode": True}
        if self.example is not None:
            parameter["example"] = self.example
        return parameter


@dataclass(frozen=True, slots=True)
class Operation:
    """What cannot be read from the view."""

    summary: str = ""
    """The view's name unless said otherwise."""
    description: str = ""
    """The docstring of the method, or of the view, unless said otherwise."""
    answer: Any = None
    """A serializer, or a JSON schema; the view's own serializer unless said otherwise."""
    example: Any = None
    """Of the answer; the serializer's `example` unless said otherwise. Of one row, where the answer is a page."""
    status: int = 200
    body: Any = None
    """The serializer that reads the body; its `example` is shown."""
    conflicts: tuple[str, ...] = ()
    """The codes that a 409 can have."""
    parameters: tuple[Parameter | str, ...] = ()
    """The further parameters of the query, besides the filters and those of pages; names of those in `shapes.KNOWN`."""
    media_types: dict[str, JSON] = field(default_factory=dict)
    """What the answer can be besides, or instead of, JSON: media type -> JSON schema."""
