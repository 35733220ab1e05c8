"""The bodies of requests that change something: nothing in them passes unread."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any, NoReturn

from django.http import QueryDict
from rest_framework import serializers
from rest_framework.settings import api_settings

from catalog.api.strict import RESERVED, nearest
from catalog.contract import shown

CSRF_FIELD = "csrfmiddlewaretoken"
"""What the form of the browsable API sends beside the fields."""

MOST_NAMED = 20
"""Unknown fields that are named; a body can have a great many."""

NO_OBJECT = "The body must be a JSON object."


STRICT: dict[type, type] = {serializers.CharField: str, serializers.BooleanField: bool}
"""REST framework takes 1 for true and for '1'; in JSON each has a form of its own."""


class StrictBody(serializers.Serializer[Any]):
    """A body: an object with fields that are known. A slip in the name of one must not change what is done."""

    called = "field"
    default_error_messages = {"invalid": NO_OBJECT, "null": NO_OBJECT}

    @property
    def errors(self) -> Any:
        # REST framework has a sentence of its own for null.
        if getattr(self, "initial_data", {}) is None:
            return {str(api_settings.NON_FIELD_ERRORS_KEY): [NO_OBJECT]}
        return super().errors

    def to_internal_value(self, data: Any) -> Any:
        problems = self.unknown(data) | self.mistyped(data) if isinstance(data, Mapping) else {}
        try:
            given = super().to_internal_value(data)
        except serializers.ValidationError as refused:
            problems |= refused.detail  # type: ignore[arg-type]  # of a serializer it is by field
        if problems:
            raise serializers.ValidationError(problems)
        return given

    def mistyped(self, data: Mapping[Any, Any]) -> dict[str, Any]:
        """A sentence for each field that is no text or no boolean where it must be; a form has only texts."""
        if isinstance(data, QueryDict):
            return {}
        return {
            name: [str(field.error_messages["invalid"])]
            for name, field in self.fields.items()
            if not field.read_only
            for kind, wanted in STRICT.items()
            if isinstance(field, kind) and data.get(name) is not None and not isinstance(data[name], wanted)
        }

    def unknown(self, data: Mapping[Any, Any]) -> dict[str, Any]:
        """A sentence for each field that is not known: the nearest that is, and all that are."""
        known = [name for name, field in self.fields.items() if not field.read_only]
        allowed = f"Allowed: {', '.join(known)}." if known else "Nothing is allowed in the body."
        problems: dict[str, Any] = {}
        for name in islice((str(name) for name in data if name not in known and name != CSRF_FIELD), MOST_NAMED):
            sentence = f"Unknown {self.called}.{nearest(name, known)} {allowed}"
            key = name if shown(name) == f"'{name}'" else shown(name)
            if key in RESERVED:
                key, sentence = str(api_settings.NON_FIELD_ERRORS_KEY), f"{key}: {sentence}"
            problems.setdefault(key, []).append(sentence)
        return problems


class NothingGiven(StrictBody):
    """An empty body, where the address says it all."""


class OneOf(serializers.ChoiceField):
    """One of a few words; another one is quoted so that it can be shown."""

    def fail(self, key: str, **values: Any) -> NoReturn:
        super().fail(key, **{name: shown(str(value)) for name, value in values.items()})

    default_error_messages = {"invalid_choice": "{input} is not a valid choice."}
