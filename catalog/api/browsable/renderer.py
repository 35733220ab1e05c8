"""The API for people: the same answers as pages, on which one can ask on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import SimpleNamespace
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.module_loading import import_string
from rest_framework import status
from rest_framework.renderers import BrowsableAPIRenderer
from rest_framework.request import Request, is_form_media_type

from catalog.api.browsable import tables
from catalog.api.browsable.addresses import CURSOR, FORMAT, address, curl, tidied
from catalog.api.browsable.chips import chips
from catalog.api.browsable.form import form_of
from catalog.api.browsable.pieces import piece
from catalog.api.browsable.places import named
from catalog.api.browsable.problems import problems_of
from catalog.api.columns import PARAMETER as FIELDS
from catalog.api.ordering import PARAMETER as ORDERING
from catalog.read_only import visible

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
"""A page needs nothing but this site, and holds neither scripts nor styles of its own."""

COUNTED = 10_000
"""As `catalog.api.pagination` counts."""

FILES = ("csv", "ndjson", "parquet", "xlsx")
PAGES = ("page_size", "count", CURSOR, FORMAT)
"""What an export has not, as it has no pages."""

PLACES = (
    *(("Orders", "order-list"), ("Websites", "websites"), ("Quality", "quality")),
    *(("Runs", "run-list"), ("Conflicts", "conflict-list"), ("Rules", "rule-list")),
)
DOCUMENTS = (("Documentation", "swagger"), ("Reference", "redoc"))
"""What the head of every page leads to, as far as the site has it."""

CODE, BREAK = re.compile("`([^`]+)`"), re.compile("<br ?/?>")

RELATED = {"order-detail": (("History", "order-history"), ("Corrections", "order-correction-list"))}
"""Where the page of one thing leads."""


class PageRenderer(BrowsableAPIRenderer):
    """A page of the API. What it takes is done here and in templates; JSON is made without any of it."""

    renderer_context: Mapping[str, Any]

    def render(self, data: Any, accepted_media_type: Any = None, renderer_context: Any = None) -> Any:
        request, response = renderer_context["request"], renderer_context["response"]
        # Without scripts a browser sends the inputs that were left empty, and the API refuses them.
        if response.status_code == status.HTTP_400_BAD_REQUEST and request.method == "GET":
            meant = tidied(request.query_params)
            if meant != request.query_params:
                response.status_code = status.HTTP_302_FOUND
                response["Location"] = address(request.path, meant)
                return ""
        response["Content-Security-Policy"] = POLICY
        return super().render(data, accepted_media_type, renderer_context)

    def get_filter_form(self, data: Any, view: Any, request: Request) -> None:
        """REST framework's own form; ours is a part of the page."""

    def get_rendered_html_form(self, data: Any, view: Any, method: str, request: Request) -> Any:
        """The form of a view: empty, but for what could not be done. What an answer shows is not what a form takes."""
        refused = self.renderer_context["response"].status_code >= status.HTTP_400_BAD_REQUEST
        if method == "POST" and request.method == method and refused and is_form_media_type(request.content_type or ""):
            given = SimpleNamespace(serializer=view.get_serializer(data=request.data))
            return super().get_rendered_html_form(given, view, method, request)
        return super().get_rendered_html_form(None, view, method, request)

    def get_context(self, data: Any, accepted_media_type: Any, renderer_context: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(data, accepted_media_type, renderer_context)
        view, request, response = (renderer_context[name] for name in ("view", "request", "response"))
        context["content"] = "\n".join(visible(line) for line in str(context["content"]).split("\n"))
        # Its lines are as long as those of the code.
        context["description"] = CODE.sub(r"<code>\1</code>", BREAK.sub(" ", str(context["description"])))
        context |= {"heading": heading(view, context["name"]), "related": related(request, view)}
        context |= {"places": there(PLACES), "documents": there(DOCUMENTS), "zone": settings.SOURCE_TIME_ZONE}
        context["read_only"] = request.method in ("GET", "HEAD")
        if context["read_only"]:
            context |= self.question(view, request)
        if response.status_code >= status.HTTP_400_BAD_REQUEST:
            return context | self.refusal(data, view, request)
        how = response.get("X-Count") or str(request.query_params.get("count", ""))
        return context | self.answer(data, view, request, how)

    def question(self, view: Any, request: Request) -> dict[str, Any]:
        """What was asked, as an address and for a shell."""
        path = address(request.path, request.query_params, without=(FORMAT,))
        url = request.build_absolute_uri(path)
        json = address(request.path, request.query_params, {FORMAT: "json"})
        return {"url": url, "curl": curl(url), "json": json, "files": files(view, request)}

    def refusal(self, data: Any, view: Any, request: Request) -> dict[str, Any]:
        """What is wrong; the form has what was asked."""
        told = problems_of(data, request) if isinstance(data, Mapping) else []
        errors: dict[str, list[str]] = {}
        for problem in told:
            errors.setdefault(problem.parameter, []).append(problem.message)
        context: dict[str, Any] = {"problems": told, "failed": True}
        if isinstance(data, Mapping):
            context |= {"detail": visible(str(data.get("detail", ""))), "code": data.get("code", "")}
        return context | self.form(view, request, errors)

    def form(self, view: Any, request: Request, errors: Mapping[str, list[str]]) -> dict[str, Any]:
        """The form and what is in force of it, where a view answers about many."""
        if request.method != "GET" or view.filterset_class is None or not view.is_filtered:
            return {}
        params = request.query_params
        form = form_of(view, view.filterset_class(params), params, errors)
        return {"form": form, "chips": chips(request.path, params, errors), "sorts": list(getattr(view, "sorts", ()))}

    def answer(self, data: Any, view: Any, request: Request, how: str) -> dict[str, Any]:
        """What was found."""
        context = self.form(view, request, {})
        if isinstance(data, Mapping) and {"results", "next", "previous"} <= {*data}:
            found = {"page": data, "words": words(data, view.get_view_name(), how)} | beside(request)
            if data["results"]:
                found |= {"table": tables.results_table(data["results"], request, view)}
            return context | found
        return context | {"piece": piece(data, tables.site_of(request))}


def beside(request: Request) -> dict[str, Any]:
    """Facets of a list of orders, and where there are more of them."""
    if request.path != reverse("order-list"):
        return {}
    # By name, as REST framework reads this module while it defines the views that facets are made by.
    facets = import_string("catalog.api.browsable.facets.facets_beside")(request.path, request.query_params)
    without = (*PAGES, ORDERING, FIELDS)
    url = address(reverse("order-facets"), request.query_params, without=without)
    return {"facets": facets, "facets_url": url}


def heading(view: Any, name: str) -> str:
    """The name of the page, and of what it shows one of."""
    places = [visible(str(value)) for value in getattr(view, "kwargs", {}).values()]
    return f"{name} {'/'.join(places)}" if places else name


def words(data: Mapping[str, Any], name: str, how: str) -> str:
    """How many rows there are, in words; `how` they were counted, as far as the answer says it."""
    noun, count = name.lower(), data["count"]
    if count is None:
        return f"more than {COUNTED:,} {noun}" if how != "none" else f"{noun}, not counted"
    if count == 1:
        return f"1 {noun.removesuffix('s')}"
    return f"{'about ' if how == 'estimated' else ''}{count:,} {noun}"


def there(places: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Those of the places that the site has, with their addresses."""
    return [(label, url) for label, place in places if (url := named(place))]


def related(request: Request, view: Any) -> list[tuple[str, str]]:
    """Other pages about the same thing."""
    match = request.resolver_match
    places = RELATED.get(str(match.url_name) if match else "", ())
    return [(label, named(place, **view.kwargs)) for label, place in places]


def files(view: Any, request: Request) -> list[tuple[str, str]]:
    """The orders of the query as files."""
    place = named("order-export")
    if not place or request.path != reverse("order-list"):
        return []
    params = request.query_params.copy()
    names = [name for name in str(params.pop(FIELDS, [""])[0]).split(",") if name not in tables.HIDDEN]
    given = {FIELDS: ",".join(names)} if any(names) else {}
    return [(name, address(place, params, {**given, FORMAT: name}, without=PAGES)) for name in FILES]
