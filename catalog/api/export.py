"""Orders as files: the same query as a list, without pages."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from django.db.models import OrderBy
from django.http import HttpRequest, QueryDict, StreamingHttpResponse
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.api.columns import PARAMETER as FIELDS
from catalog.api.filters import FORMAT
from catalog.api.ordering import PARAMETER as ORDERING
from catalog.api.ordering import ordering_of
from catalog.api.schema.operations import Operation, Parameter
from catalog.api.strict import InvalidQuery, Problem, gather, nearest
from catalog.api.values import FLAG, read_flag
from catalog.api.views import OfOrders, OrderViewSet, StrictNegotiation
from catalog.contract import BLANKS, NAMES, ValueRefused, shown
from catalog.export.columns import COLUMNS, Column
from catalog.export.exports import Export, TooManyOrdersError, utc
from catalog.export.formats import FORMATS, Format
from catalog.models import Order

RAW = "raw"


PARAMETERS = (
    Parameter(
        FORMAT,
        {"type": "string", "enum": [*FORMATS]},
        "What the file is; without it, the first of them that `Accept` names, or csv.",
        "csv",
    ),
    Parameter(
        FIELDS,
        {"type": "string", "pattern": f"^({'|'.join(COLUMNS)})(,({'|'.join(COLUMNS)}))*$"},
        "The columns of the file, in this order, none of them twice; those of the data contract unless given.",
        "order_id,source,website",
    ),
    ORDERING,
    Parameter(RAW, {"type": "boolean"}, "Whether what a spreadsheet would calculate is left as it is.", example=True),
)


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


class OrderExportView(OfOrders):
    """The orders of a query as a file: CSV, NDJSON, Parquet or XLSX, streamed as of one moment."""

    parameters = (FIELDS, ORDERING, RAW)
    renderer_classes = tuple(map(renderer_of, FORMATS.values()))
    content_negotiation_class = ExportNegotiation
    sorts, ordering = OrderViewSet.sorts, OrderViewSet.ordering
    operations: ClassVar = {
        "get": Operation(
            "Orders as a file",
            parameters=PARAMETERS,
            media_types={known.media_type: {"type": "string", "format": "binary"} for known in FORMATS.values()},
        )
    }

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Any:
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
        self.ask()
        params = self.request.query_params
        try:
            return Export(self.ask, read_columns(params), known, ordering=read_ordering(params), raw=read_raw(params))
        except TooManyOrdersError as error:
            others = tuple(other.name for other in FORMATS.values() if other.most is None)
            message = (
                f"{known.name} holds at most {known.most:,} orders, and this query finds more; narrow it down, or take "
                f"{', '.join(others)}."
            )
            raise InvalidQuery(Problem(FORMAT, message, others)) from error

    def read_parameters(self, params: QueryDict) -> None:
        gather(lambda: read_columns(params), lambda: read_ordering(params), lambda: read_raw(params))

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


def read_columns(params: QueryDict) -> list[Column]:
    """The columns that `fields` names, in its order; those of the contract unless given. Raises `InvalidQuery`."""
    names = [name.strip(BLANKS) for name in str(params.get(FIELDS, ",".join(NAMES))).split(",")]
    known = tuple(COLUMNS)
    messages = [f"There is no field {shown(name)}.{nearest(name, known)}" for name in names if name not in COLUMNS]
    messages += [f"'{name}' is given twice." for name in known if names.count(name) > 1]
    if messages:
        raise InvalidQuery(*(Problem(FIELDS, message, known) for message in messages))
    return [COLUMNS[name] for name in names]


def read_ordering(params: QueryDict) -> list[OrderBy]:
    """What the orders are sorted by; nothing, unless it is asked for. Raises `InvalidQuery`."""
    if ORDERING not in params:
        return []
    return [key.expression() for key in ordering_of(params, OrderExportView, Order)]


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
