"""Orders as files: the same query as a list, without pages."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from django.http import HttpRequest, HttpResponseBase, QueryDict, StreamingHttpResponse
from rest_framework.generics import GenericAPIView
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.api.filters import FORMAT, OrderFilterSet, StrictFilterBackend
from catalog.api.keyset import ordered
from catalog.api.ordering import PARAMETER as ORDERING
from catalog.api.ordering import ordering_of
from catalog.api.strict import InvalidQuery, Problem, gather, nearest
from catalog.api.values import FLAG, read_flag
from catalog.api.views import OrderViewSet, StrictMixin, StrictNegotiation
from catalog.contract import BLANKS, NAMES, ValueRefused, shown
from catalog.export.columns import COLUMNS, Column
from catalog.export.exports import Export, TooManyOrdersError, utc
from catalog.export.formats import FORMATS, Format
from catalog.models import Order
from catalog.querysets import OrderQuerySet

FIELDS, RAW = "fields", "raw"


def renderer_of(known: Format) -> type[BaseRenderer]:
    """What negotiates a format; the files are not rendered but streamed."""
    attributes = {"format": known.name, "media_type": known.media_type, "__doc__": f"Offers {known.name}."}
    return type(f"{known.name.title()}Renderer", (BaseRenderer,), attributes)


class ExportNegotiation(StrictNegotiation):
    """A format that is named wins over what the client says to accept."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        if FORMAT not in request.query_params:
            chosen: tuple[BaseRenderer, str] = super().select_renderer(request, renderers, format_suffix)
            return chosen
        [renderer] = self.filter_renderers(renderers, request.query_params[FORMAT])
        return renderer, str(renderer.media_type)


class OrderExportView(StrictMixin, GenericAPIView[Order]):
    """The orders of a query as a file: CSV, NDJSON, Parquet or XLSX, streamed as of one moment."""

    # What a list is, for the check of parameters.
    action = "list"
    parameters = (FIELDS, RAW)
    queryset = Order.objects.all()
    filterset_class = OrderFilterSet
    filter_backends = (StrictFilterBackend,)
    pagination_class = None
    renderer_classes = tuple(map(renderer_of, FORMATS.values()))
    content_negotiation_class = ExportNegotiation
    sorts, ordering = OrderViewSet.sorts, OrderViewSet.ordering

    def get(self, request: Request) -> HttpResponseBase:
        """Stream the file. HEAD tells all but the file."""
        export = self.export(FORMATS[str(request.accepted_renderer.format)])
        pieces: Export | tuple[()] = ()
        if request.method == "HEAD":
            export.close()
        else:
            export.begin()
            pieces = export
        return StreamingHttpResponse(pieces, content_type=export.format.media_type, headers=headers_of(export))

    def export(self, known: Format) -> Export:
        """The export that the request asks for. Raises `InvalidQuery`."""
        # Once before anything is opened, for what is wrong with the query.
        self.orders()
        columns, raw = self.read_parameters(self.request.query_params)
        try:
            return Export(self.orders, columns, known, raw=raw)
        except TooManyOrdersError as error:
            others = tuple(other.name for other in FORMATS.values() if other.most is None)
            message = (
                f"{known.name} holds at most {known.most:,} orders, and this query finds more; narrow it down, or take "
                f"{', '.join(others)}."
            )
            raise InvalidQuery(Problem(FORMAT, message, others)) from error

    def orders(self) -> OrderQuerySet:
        """The orders that the request asks for; in no particular order unless it names one. Raises `InvalidQuery`."""
        found = self.filter_queryset(self.get_queryset())
        if ORDERING in self.request.query_params:
            found = ordered(found, ordering_of(self.request.query_params, self, Order))
        return cast("OrderQuerySet", found)

    def read_parameters(self, params: QueryDict) -> tuple[list[Column], bool]:
        """The columns, and whether values are to be left as they are. Raises `InvalidQuery`."""
        read: dict[str, Any] = {}
        gather(
            lambda: read.update(fields=read_fields(params)),
            lambda: read.update(raw=read_raw(params)),
        )
        return read["fields"], read["raw"]

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        final: Any = super().finalize_response(request, response, *args, **kwargs)
        if isinstance(final, Response):
            # Errors are JSON, whatever file was asked for.
            final.accepted_renderer, final.accepted_media_type = JSONRenderer(), str(JSONRenderer.media_type)
        return final


def headers_of(export: Export) -> dict[str, str]:
    """What the file is called and which catalogue it shows."""
    headers = {
        "Content-Disposition": f'attachment; filename="{export.file_name}"',
        "X-Catalogue-Version": str(export.change),
        # Pieces go on to the client as they are made.
        "X-Accel-Buffering": "no",
    }
    return headers if export.at is None else headers | {"X-Catalogue-As-Of": utc(export.at)}


def read_fields(params: QueryDict) -> list[Column]:
    """The columns that `fields` names, in its order; those of the contract unless given. Raises `InvalidQuery`."""
    names = [name.strip(BLANKS) for name in str(params.get(FIELDS, ",".join(NAMES))).split(",")]
    known = tuple(COLUMNS)
    messages = [f"There is no field {shown(name)}.{nearest(name, known)}" for name in names if name not in COLUMNS]
    messages += [f"'{name}' is given twice." for name in known if names.count(name) > 1]
    if messages:
        raise InvalidQuery(*(Problem(FIELDS, message, known) for message in messages))
    return [COLUMNS[name] for name in names]


def read_raw(params: QueryDict) -> bool:
    """Whether formulas are left as they are. Raises `InvalidQuery`."""
    try:
        return RAW in params and read_flag(str(params[RAW]))
    except ValueRefused as refused:
        raise InvalidQuery(Problem(RAW, refused.message, FLAG)) from refused


def export_of(params: QueryDict) -> Export:
    """The export that the API would make of the same parameters. Raises `InvalidQuery`."""
    asked = HttpRequest()
    asked.method, asked.GET = "GET", params  # type: ignore[assignment]  # one that can be changed does as well
    view = OrderExportView()
    view.request, view.format_kwarg = Request(asked), None
    renderer, _ = view.perform_content_negotiation(view.request)
    return view.export(FORMATS[str(renderer.format)])
