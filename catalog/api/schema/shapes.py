"""The shapes of values, filters and the other parameters of the query, as JSON schema."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from rest_framework.settings import api_settings

from catalog.api import lookups, values
from catalog.api.columns import FIELDS as SHOWN
from catalog.api.columns import PARAMETER as FIELDS
from catalog.api.filters import AS_OF, OR
from catalog.api.ordering import PARAMETER as ORDERING
from catalog.api.pagination import COUNT, COUNTED, COUNTS, CURSOR, DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE, PAGE_SIZE
from catalog.api.schema.operations import JSON, Parameter
from catalog.contract import MAX_CODE_LENGTH, MAX_INTEGER, Column, Kind

NUMBER_TEXT = "0*[1-9][0-9]{0,11}"
CODE_TEXT = f"[A-Za-z0-9_-]{{1,{MAX_CODE_LENGTH}}}"
# No pattern knows how long the months are.
DATE_TEXT = "[1-9][0-9]{3}-(0?[1-9]|1[0-2])-(0?[1-9]|[12][0-9]|3[01])"
TIME_TEXT = r"([01][0-9]|2[0-3])(:[0-5][0-9]){2}(\.[0-9]{1,6})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])?"
MOMENT_TEXT = f"{DATE_TEXT}([T ]{TIME_TEXT})?"
FIGURE_TEXT = "[0-9]{1,18}"
# Anything but control characters; not of blanks alone, and without commas where they part values.
PLAIN_TEXT = r"[^\x00-\x20\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*"
PART_TEXT = r"[^\x00-\x20\x2c\x7f-\x9f][^\x00-\x1f\x2c\x7f-\x9f]*"

NUMBER: JSON = {"type": "integer", "format": "int64", "minimum": 1, "maximum": MAX_INTEGER}
FIGURE: JSON = {"type": "integer", "format": "int64", "minimum": 0, "maximum": 10**18 - 1}
CODE: JSON = {"type": "string", "pattern": f"^{CODE_TEXT}$"}
MOMENT: JSON = {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "string", "format": "date"}]}
VALUE: JSON = {"type": ["string", "integer", "null"]}
FLAG: JSON = {"type": "boolean"}
TEXT: JSON = {"type": "string", "pattern": f"^{PLAIN_TEXT}$", "maxLength": values.MAX_TEXT}

DATE_HELP = " A date stands for its whole day; a time without an offset is local to the sources' zone."


def one(text: str) -> JSON:
    """A text of this pattern."""
    return {"type": "string", "pattern": f"^{text}$"}


def several(text: str) -> JSON:
    """Values of this pattern with commas between.

    A text, as the style that parts an array by commas is one that many makers of clients do not know.
    """
    return {"type": "string", "pattern": f"^{text}(,{text}){{0,{values.MAX_VALUES - 1}}}$"}


def two(text: str) -> JSON:
    """Two values of this pattern with a comma between."""
    return {"type": "string", "pattern": f"^{text},{text}$"}


KINDS: dict[type, tuple[JSON, str, Any]] = {
    lookups.NumberFilter: (NUMBER, NUMBER_TEXT, 27549763),
    lookups.FigureFilter: (FIGURE, FIGURE_TEXT, 10),
    lookups.CodeFilter: (CODE, CODE_TEXT, "VVNL"),
    lookups.MomentFilter: (MOMENT, MOMENT_TEXT, "2018-01-31"),
    lookups.StrictFilter: (TEXT, PART_TEXT, "orders-2018-01-31.csv"),
}
"""Of each kind of filter: the shape of one value, the pattern of one among several, and an example."""

EXAMPLES: dict[str, Any] = {
    "source": "services",
    "website": "VVNL",
    "order_status": "PAID",
    "voucher_status": "USED",
    "payment_status": "PAID",
    "customer_id": 1680001,
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "reason_code": "too_many_rejects",
    "actor": "nightly",
    "code": "not_an_integer",
    "column": "customer_id",
    "line": 551,
    "run": 1,
    "corrected_by": "ana",
}

SENTENCES = {
    "exact": "{}.",
    "in": "{}: one of several, with commas between.",
    "ne": "{}: not this.",
    "gt": "{}: more, or later, than this.",
    "gte": "{}: this and more, or later.",
    "lt": "{}: less, or earlier, than this.",
    "lte": "{}: this and less, or earlier.",
    "range": "{}: from the first to the second, both included.",
    "isnull": "{}: whether it is missing.",
    "startswith": "{}: begins with this.",
    "contains": "{}: has this in it.",
    "icontains": "{}: has this in it, in capitals or not.",
    "date": "{}: on this day.",
    "year": "{}: in this year.",
    "month": "{}: in this month of any year.",
}


def value_of(column: Column) -> JSON:
    """What a body may say for a column: a text as in an export, of numbers also a number; null where it is missing."""
    text = TEXTS[column.kind]
    shape: JSON = {
        "type": ["string"] if column.required else ["string", "null"],
        "pattern": f"^{text}$" if column.required else f"^({text})?$",
    }
    if column.kind is Kind.INTEGER:
        shape |= {"type": ["integer", *shape["type"]], "minimum": 1, "maximum": MAX_INTEGER}
    return shape


TEXTS = {Kind.INTEGER: NUMBER_TEXT, Kind.CODE: CODE_TEXT, Kind.TIMESTAMP: f"{DATE_TEXT}[T ]{TIME_TEXT}"}


def conditions(columns: Iterable[Column], then: Callable[[Column], JSON]) -> JSON:
    """Of a body with a `field`: what else must hold for each of the columns that it can name.

    Below `dependentSchemas`, which says the same for whoever checks a body, and which pages for people leave out.
    """
    rest: JSON = {}
    for column in columns:
        test: JSON = {"properties": {"field": {"const": column.name}}}
        rest = {"if": test, "then": then(column), **({"else": rest} if rest else {})}
    return {"dependentSchemas": {"field": rest}}


def corrected(column: Column) -> JSON:
    """What a correction of a column must be like."""
    return {"properties": {"value": value_of(column)}}


def ruled(column: Column) -> JSON:
    """What a rule of a column must be like: an empty `new` is a missing value."""
    text = TEXTS[column.kind]
    if column.required:
        return {"properties": {"old": one(text), "new": one(text)}, "required": ["new"]}
    return {"properties": {"old": one(text), "new": one(f"({text})?")}}


def filter_parameter(name: str, filter_: Any, model: Any) -> JSON:
    """One filter of a list, as OpenAPI writes a parameter.

    A filter may say itself what cannot be guessed: `meaning`, or all three of `schema`, `meaning` and `example`.
    """
    own = getattr(filter_, "schema", None)
    schema, example = (own, filter_.example) if own else shape_of(filter_)
    sentence = SENTENCES[filter_.lookup_expr].format(meaning_of(filter_, model))
    if isinstance(filter_, lookups.MomentFilter) and schema is MOMENT:
        sentence += DATE_HELP
    return {"in": "query", "name": name, "schema": schema, "description": sentence, "example": example}


def shape_of(filter_: Any) -> tuple[JSON, Any]:
    """The shape of what a filter takes, and an example."""
    lookup = filter_.lookup_expr
    if lookup == "isnull":
        return FLAG, True
    if isinstance(filter_, lookups.ChoiceFilter):
        return shape_of_words(filter_)
    if lookup in PARTS:
        return PARTS[lookup]
    schema, text, example = next(KINDS[kind] for kind in type(filter_).__mro__ if kind in KINDS)
    example = EXAMPLES.get(str(filter_.field_name), example)
    if lookup == "in":
        return several(text), str(example)
    return (two(text), f"{example},{example}") if lookup == "range" else (schema, example)


def shape_of_words(filter_: lookups.ChoiceFilter) -> tuple[JSON, Any]:
    """The shape of one of a few words, or of several."""
    if filter_.allowed == values.FLAG:
        return FLAG, True
    # Beside the words stands, in a sentence, how several are written.
    words = [word for word in filter_.allowed if " " not in word]
    if filter_.lookup_expr == "in":
        return several(f"({'|'.join(words)})"), ",".join(words[:2])
    return {"type": "string", "enum": words}, words[0]


PARTS: dict[str, tuple[JSON, Any]] = {
    "date": ({"type": "string", "format": "date"}, "2018-01-31"),
    "year": ({"type": "integer", "minimum": 1000, "maximum": 9999}, 2018),
    "month": ({"type": "integer", "minimum": 1, "maximum": 12}, 1),
}


def meaning_of(filter_: Any, model: Any) -> str:
    """What a filter looks at, in words: its own, its column's, or those of its class."""
    if own := getattr(filter_, "meaning", None):
        return str(own)
    if filter_.field_name and filter_.field_name in {field.name for field in model._meta.get_fields()}:
        field = model._meta.get_field(filter_.field_name)
        words = str(field.help_text or field.verbose_name)
    else:
        words = str(type(filter_).__doc__).partition("\n")[0].rstrip(".")
    return words[:1].upper() + words[1:]


def ordering_parameter(view: Any) -> Parameter:
    """`ordering` of a list."""
    fields = "|".join(view.sorts)
    return Parameter(
        ORDERING,
        one(f"-?({fields})(,-?({fields})){{0,{len(view.sorts) - 1}}}") | {"default": view.ordering},
        "Columns with commas between, each with or without a `-` before it and none twice. Missing values come last "
        "ascending and first descending.",
        view.ordering,
    )


FURTHER = (
    Parameter(
        PAGE_SIZE,
        {"type": "integer", "minimum": 1, "maximum": MAX_PAGE_SIZE, "default": DEFAULT_PAGE_SIZE},
        "Most rows on a page.",
        20,
    ),
    Parameter(
        COUNT,
        {"type": "string", "enum": list(COUNTS)},
        f"How rows are counted: `exact`, `estimated` or not at all (`none`). Left out, up to {COUNTED:,}, and orders "
        "beyond that where a summary knows their number; otherwise the count is null. `X-Count` says what it is.",
        "none",
    ),
    Parameter(
        CURSOR,
        {"type": "string", "pattern": "^[A-Za-z0-9_:.-]+$"},
        "Where a page starts: take it from `next` or `previous`, with the rest of that address as it is.",
    ),
    Parameter(
        FIELDS,
        one(f"({'|'.join(SHOWN)})(,({'|'.join(SHOWN)})){{0,{len(SHOWN) - 1}}}"),
        "What is to be shown of each order, with commas between; everything unless given.",
        "order_id,website,order_date",
    ),
    Parameter(
        AS_OF,
        MOMENT,
        "The catalogue as it stood then, which cannot be in the future. A date is the end of its day.",
        "2026-11-22",
    ),
    Parameter(
        OR,
        {"type": "string", "pattern": r"^\(.+\)$"},
        "Alternatives of which one must hold, each a condition or an `and(…)` of several; more than once, if need be.",
        ["(website=VVNL,and(order_status=PAID,customer_id=1680001))"],
        repeated=True,
    ),
)
X_COUNT: JSON = {
    "description": "What `count` is: exact, estimated, or null as there are more than were counted. Not there with "
    "`count=none`.",
    "schema": {"type": "string", "enum": ["exact", "estimated", "more"]},
}
KNOWN = {parameter.name: parameter for parameter in FURTHER}
"""Parameters that several views have, by name."""

FORMAT = Parameter(
    str(api_settings.URL_FORMAT_OVERRIDE),
    {"type": "string", "const": "json"},
    "The same as the `Accept` header. The pages for people (`api`) are no part of this description.",
    "json",
)

ADDRESSES: dict[str, tuple[JSON, str, Any]] = {
    "source": (CODE, "The system that gave out the number.", "services"),
    "order_id": (NUMBER, "The order's number, given out by its source.", 27549763),
    "customer_id": (NUMBER, "The customer's number, given out by its source.", 1680001),
    "product_id": (NUMBER, "The product's number, given out by its source.", 121183),
    "run": (FIGURE, "The number of a run.", 1),
    "line": (FIGURE, "The line of the run's file on which the row starts.", 551),
    "id": (FIGURE, "Its number.", 1),
}
"""The variables of addresses: shape, meaning, example."""


def address_parameter(name: str) -> JSON:
    """A variable of an address, as OpenAPI writes a parameter."""
    schema, meaning, example = ADDRESSES[name]
    return {
        "in": "path",
        "name": name,
        "schema": schema,
        "required": True,
        "description": meaning,
        "example": example,
    }


def page_example(row: Any) -> JSON:
    """A list of one row."""
    return {"count": 1, "next": None, "previous": None, "results": [row]}
