"""How an operation of OpenAPI is made from a view; the hooks by which drf-spectacular finds it."""

from __future__ import annotations

from typing import Any, cast

from django.conf import settings
from drf_spectacular.drainage import warn
from drf_spectacular.extensions import (
    OpenApiFilterExtension,
    OpenApiSerializerExtension,
    OpenApiSerializerFieldExtension,
)
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ComponentRegistry, ResolvedComponent, force_instance, is_list_serializer
from rest_framework.permissions import SAFE_METHODS
from rest_framework.settings import api_settings

from catalog.api.conditional import Conditional
from catalog.api.ordering import PARAMETER as ORDERING
from catalog.api.schema import conditional, errors, shapes
from catalog.api.schema.operations import JSON, Operation


class CatalogueSchema(AutoSchema):
    """Reads a view and its `operations`; shared parameters and errors become components."""

    @property
    def described(self) -> Operation:
        """What the view says of this operation."""
        table: dict[str, Operation] = getattr(self.view, "operations", {})
        found = table.get(self.verb)
        if found is None:
            warn(f"{type(self.view).__name__} has no '{self.verb}' in its operations.")
        return found or Operation()

    @property
    def verb(self) -> str:
        """The viewset's action; of other views the method."""
        return str(getattr(self.view, "action", None) or self.method.lower())

    @property
    def is_list(self) -> bool:
        return self.verb == "list"

    def get_operation(
        self, path: str, path_regex: str, path_prefix: str, method: str, registry: ComponentRegistry
    ) -> JSON | None:
        operation: JSON | None = super().get_operation(path, path_regex, path_prefix, method, registry)
        if operation is None:
            return None
        parameters = operation.get("parameters", [])
        operation["parameters"] = [self._shared(parameter) for parameter in parameters]
        operation["responses"] |= self._errors(operation)
        if isinstance(self.view, Conditional) and method == "GET":
            operation["parameters"].append(conditional.IF_NONE_MATCH)
            operation["responses"]["200"]["headers"] = conditional.HEADERS
            operation["responses"]["304"] = conditional.NOT_MODIFIED
        if self.is_list:
            answer = operation["responses"]["200"]
            answer["headers"] = answer.get("headers", {}) | {"X-Count": shapes.X_COUNT}
        operation["responses"] = dict(sorted(operation["responses"].items()))
        return operation

    def get_operation_id(self) -> str:
        tokens = [token.replace("-", "_") for token in self._tokenize_path()] or ["root"]
        verb = "read" if self.verb in ("get", "retrieve") else self.verb
        return "_".join(tokens if tokens[-1] == verb else [*tokens, verb])

    def get_summary(self) -> str:
        return self.described.summary or str(self.view.get_view_name())

    def get_description(self) -> str:  # type: ignore[override]  # as the class above has it
        needed = getattr(self.view, "permissions_needed", {}).get(self.verb)
        text = str(self.described.description or super().get_description())
        return f"{text}\n\nNeeds the permission `{needed}`." if needed else text

    def get_tags(self) -> list[str]:
        return super().get_tags() or ["root"]

    def get_auth(self) -> list[JSON]:
        schemes: list[JSON] = super().get_auth()
        is_open = settings.API_ANONYMOUS_READ and self.method in SAFE_METHODS
        return [*schemes, {}] if is_open else schemes

    def get_filter_backends(self) -> list[Any]:
        if self.method != "GET" or self.verb not in ("list", "get"):
            return []
        return [*api_settings.DEFAULT_FILTER_BACKENDS] if getattr(self.view, "filterset_class", None) else []

    def get_request_serializer(self) -> Any:
        return self.described.body

    def get_response_serializers(self) -> Any:
        described, view = self.described, cast("Any", self.view)
        answers: JSON = dict(described.media_types)
        if described.answer or not answers:
            answers["application/json"] = described.answer or view.get_serializer_class()
        return {(described.status, media_type): answer for media_type, answer in answers.items()}

    def resolve_serializer(self, serializer: Any, direction: Any, bypass_extensions: bool = False) -> ResolvedComponent:
        """Of a serializer whose fields a query can choose, the answer is all of it or a part."""
        component = super().resolve_serializer(serializer, direction, bypass_extensions)
        if not getattr(serializer, "selectable", False) or not component.schema:
            return component
        text = "What was asked for of it with `fields`."
        schema = {**component.schema, "description": text, "required": []}
        part = ResolvedComponent(f"{component.name}Part", ResolvedComponent.SCHEMA, schema, object=text)
        self.registry.register_on_missing(part)
        return Either(component, part)

    def _map_serializer(self, serializer: Any, direction: str, bypass_extensions: bool = False) -> JSON:
        """A serializer may name the `shapes` of fields that cannot be guessed, and fields that are `optional`."""
        schema: JSON = super()._map_serializer(serializer, direction, bypass_extensions)
        properties = schema["properties"]
        for name, shape in getattr(serializer, "shapes", {}).items():
            kept = {key: text for key, text in properties.get(name, {}).items() if key in ("description", "readOnly")}
            properties[name] = kept | shape
        if direction == "response":
            optional = getattr(serializer, "optional", ())
            schema["required"] = [name for name in properties if name not in optional]
        return schema

    def _is_list_view(self, serializer: Any = None) -> bool:
        return self.is_list or is_list_serializer(serializer)

    def _resolve_path_parameters(self, variables: list[str]) -> list[JSON]:
        return [shapes.address_parameter(name) | {"x-owner": "path"} for name in variables]

    def _get_format_parameters(self) -> list[JSON]:
        own = list(self.described.parameters)
        named = {parameter if isinstance(parameter, str) else parameter.name for parameter in own}
        known = {*shapes.KNOWN, ORDERING} - named
        own += [name for name in getattr(self.view, "parameters", ()) if name in known]
        return [
            *([] if shapes.FORMAT.name in named else [shapes.FORMAT.as_json() | {"x-owner": "query"}]),
            *(self._known(name) for name in own if isinstance(name, str)),
            *(parameter.as_json() for parameter in own if not isinstance(parameter, str)),
        ]

    def _known(self, name: str) -> JSON:
        """A parameter that several views have."""
        if name == ORDERING:
            return shapes.ordering_parameter(self.view).as_json()
        return shapes.KNOWN[name].as_json() | {"x-owner": "query"}

    def _get_examples(
        self, serializer: Any, direction: str, media_type: str, status_code: str | None = None, extras: Any = None
    ) -> JSON:
        if media_type != "application/json":
            return {}
        if direction == "request":
            value = getattr(serializer, "body_example", getattr(serializer, "example", None))
        else:
            value = self.described.example or getattr(getattr(serializer, "child", serializer), "example", None)
            if value is not None and self.is_list:
                value = shapes.page_example(value)
            elif value is not None and hasattr(serializer, "child"):
                value = [value]
        return {"example": {"value": value}} if value is not None else {}

    def _shared(self, parameter: JSON) -> JSON:
        """Described once, however many operations take it; `x-owner` says with whose name before it."""
        owner = parameter.pop("x-owner", None)
        if owner is None:
            return parameter
        name = f"{owner}.{parameter['name']}"
        component = ResolvedComponent(name, ResolvedComponent.PARAMETER, parameter, object=name)
        self.registry.register_on_missing(component)
        reference: JSON = component.ref
        return reference

    def _errors(self, operation: JSON) -> JSON:
        """The errors of the operation, by status."""
        named = "{" in self.path
        names = errors.errors_of(changes=self.method != "GET", named=named, body="requestBody" in operation)
        answers = {str(errors.ERRORS[name].status): {"$ref": f"#/components/responses/{name}"} for name in names}
        if codes := self.described.conflicts:
            answers["409"] = errors.conflict(codes)
        return answers


class Either(ResolvedComponent):
    """One component or another."""

    def __init__(self, first: ResolvedComponent, second: ResolvedComponent) -> None:
        super().__init__(first.name, first.type, first.schema, first.object)
        self.second = second

    @property
    def ref(self) -> JSON:
        return {"anyOf": [super().ref, self.second.ref]}


class Filters(OpenApiFilterExtension):
    """Every filter of the view's filter set; drf-spectacular's own reading of django-filter would guess."""

    target_class = "catalog.api.filters.StrictFilterBackend"
    match_subclasses = True
    priority = 1

    def get_schema_operation_parameters(self, auto_schema: Any, *args: Any, **kwargs: Any) -> list[JSON]:
        filterset = auto_schema.view.filterset_class
        model, owner = filterset._meta.model, filterset.__name__.removesuffix("FilterSet")
        return [
            shapes.filter_parameter(name, filter_, model) | {"x-owner": owner}
            for name, filter_ in filterset.base_filters.items()
        ] + [auto_schema._known(name) for name in filterset.further]


class Ordering(OpenApiFilterExtension):
    """`ordering`."""

    target_class = "catalog.api.ordering.StrictOrdering"
    match_subclasses = True

    def get_schema_operation_parameters(self, auto_schema: Any, *args: Any, **kwargs: Any) -> list[JSON]:
        view = auto_schema.view
        return [shapes.ordering_parameter(view).as_json()] if hasattr(view, "sorts") else []


class Pages(OpenApiFilterExtension):
    """`page_size`, `count`, `cursor` and what else the pages of the view take."""

    target_class = "catalog.api.pagination.KeysetPagination"
    match_subclasses = True

    def get_schema_operation_parameters(self, auto_schema: Any, *args: Any, **kwargs: Any) -> list[JSON]:
        return [auto_schema._known(name) for name in self.target.parameters]


class Body(OpenApiSerializerExtension):
    """A strict body: nothing besides its fields. Its `conditions` say what its fields cannot say one by one."""

    target_class = "catalog.api.bodies.StrictBody"
    match_subclasses = True

    def get_name(self, auto_schema: Any, direction: str) -> str | None:
        return type(force_instance(self.target)).__name__.removesuffix("Serializer").removesuffix("Given")

    def map_serializer(self, auto_schema: Any, direction: str) -> JSON:
        schema: JSON = auto_schema._map_serializer(self.target, direction, bypass_extensions=True)
        if direction == "request":
            schema |= {"additionalProperties": False, **getattr(self.target, "conditions", {})}
        return schema


class AnyValue(OpenApiSerializerFieldExtension):
    """A value of whatever column."""

    target_class = "catalog.api.overlay_serializers.ValueField"

    def map_serializer_field(self, auto_schema: Any, direction: str) -> JSON:
        # Where null is allowed drf-spectacular adds it itself.
        return {"type": ["string", "integer"]} if self.target.allow_null else dict(shapes.VALUE)
