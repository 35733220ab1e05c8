"""The API's description, and two pages that show it. Nothing of them comes from elsewhere."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.middleware.csrf import get_token
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer2, OpenApiYamlRenderer2
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated
from rest_framework.renderers import TemplateHTMLRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.api.schema.operations import JSON, Operation, Parameter
from catalog.api.views import StrictMixin

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; worker-src blob:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
"""Both libraries write their styles into the page, and Redoc searches in a worker of its own making."""


@cache
def description(anonymous: bool) -> JSON:
    """The whole of it. It follows from the code and from one setting, so it is made once."""
    schema: JSON = SchemaGenerator().get_schema(request=None, public=True)
    return schema


class SchemaView(StrictMixin):
    """This description: OpenAPI 3.1, as JSON or, with `format=yaml`, as YAML."""

    name = "Description"
    renderer_classes = (OpenApiJsonRenderer2, OpenApiYamlRenderer2)
    operations = {
        "get": Operation(
            "This description",
            media_types={"application/json": {"type": "object"}, "application/yaml": {"type": "object"}},
            parameters=(
                Parameter("format", {"type": "string", "enum": ["json", "yaml"]}, "In which form; JSON unless said."),
            ),
        )
    }

    def get(self, request: Request) -> Response:
        return Response(description(settings.API_ANONYMOUS_READ))


class Page(StrictMixin):
    """A page for people; who has not signed in is led there."""

    renderer_classes = (TemplateHTMLRenderer,)
    schema = None
    template_name: str

    def get(self, request: Request) -> Response:
        # Whoever signed in elsewhere has no CSRF token yet, which trying out a change needs.
        get_token(request._request)
        facts = {"csrf_cookie": settings.CSRF_COOKIE_NAME}
        return Response(facts, template_name=self.template_name, headers={"Content-Security-Policy": POLICY})

    def handle_exception(self, exc: Exception) -> Any:
        if isinstance(exc, NotAuthenticated | AuthenticationFailed):
            return redirect_to_login(self.request.get_full_path())
        return super().handle_exception(exc)


class SwaggerPage(Page):
    """Swagger UI: to try the API out."""

    name = "Swagger UI"
    template_name = "catalog/api/swagger.html"


class RedocPage(Page):
    """Redoc: to read."""

    name = "Redoc"
    template_name = "catalog/api/redoc.html"
