"""What is answered about many orders at once: facets, aggregates, histograms, customers, products, websites."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from catalog.api.schema.operations import JSON, Operation, Parameter

COUNT: JSON = {"type": "integer", "minimum": 0}
LINK: JSON = {"type": "string", "format": "uri"}
MOMENT: JSON = {"type": ["string", "null"], "format": "date-time"}
DAY: JSON = {"type": ["string", "null"], "format": "date"}
ANY: JSON = {"type": ["string", "integer", "boolean", "null"]}
ZONE = Parameter(
    "tz",
    # Which names there are, the database knows.
    {"type": "string", "enum": ["UTC", "Europe/Amsterdam", "Europe/Brussels", "America/New_York"]},
    "The zone in which days begin, one of the tz database; that of the sources unless given.",
    "Europe/Amsterdam",
)
SITE = "https://orders.example.org/api/v1/"


def named(properties: JSON, *optional: str) -> JSON:
    """An object that always has these properties, but for those that are optional."""
    return {
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name not in optional],
    }


def many(items: JSON) -> JSON:
    return {"type": "array", "items": items}


def words(known: Iterable[str]) -> JSON:
    """Some of these words, none of them twice, with commas between."""
    either = "|".join(known)
    return {"type": "string", "pattern": f"^({either})(,({either}))*$"}


def size(usual: int, most: int) -> JSON:
    return {"type": "integer", "minimum": 1, "maximum": most, "default": usual}


VALUE = named(
    {"source": {"type": "string", "description": "Whose number it is."}, "value": ANY, "count": COUNT, "url": LINK},
    "source",
)
"""A value, how many orders have it, and their list."""


def facets(dimensions: Iterable[str], usual: int, most: int) -> Operation:
    """`/orders/facets/`."""
    other = named({"values": COUNT, "count": COUNT})
    facet = named({"complete": {"type": "boolean"}, "values": many(VALUE), "other": other})
    value = {"value": "VVNL", "count": 4321, "url": f"{SITE}orders/?website=VVNL"}
    return Operation(
        "Facets of orders",
        answer=named({"total": COUNT, "facets": {"type": "object", "additionalProperties": facet}}),
        example={
            "total": 4986,
            "facets": {"website": {"complete": False, "values": [value], "other": {"values": 5, "count": 665}}},
        },
        parameters=(
            Parameter(
                "facet", words(dimensions), "Columns and periods, with commas between.", ["website"], repeated=True
            ),
            Parameter("facet_size", size(usual, most), "Values of each facet, the most frequent ones.", 5),
            ZONE,
        ),
    )


def aggregate(dimensions: Iterable[str], metrics: Iterable[str], condition: str, usual: int, most: int) -> Operation:
    """`/orders/aggregate/`; `condition` is the pattern of one of `having`."""
    metrics, dimensions = tuple(metrics), tuple(dimensions)
    signed = [f"-?{name}" for name in (*dimensions, *metrics)]
    return Operation(
        "Aggregate of orders",
        answer=named(
            {
                "group_by": many({"type": "string"}),
                "metrics": many({"type": "string"}),
                "groups": {**COUNT, "description": "How many groups there are."},
                "complete": {"type": "boolean", "description": "Whether all of them are here."},
                "results": many({"type": "object", "additionalProperties": ANY}),
            }
        ),
        example={
            "group_by": ["website"],
            "metrics": ["count"],
            "groups": 6,
            "complete": False,
            "results": [{"website": "VVNL", "count": 4321}],
        },
        parameters=(
            Parameter("group_by", words(dimensions), "Columns and periods, with commas between.", "website"),
            Parameter("metrics", words(metrics), "Figures of each group, with commas between.", "count"),
            Parameter(
                "having",
                {"type": "string", "pattern": f"^{condition}(,{condition})*$"},
                "A condition on the figures, or several with commas between.",
                ["count__gte=10"],
                repeated=True,
            ),
            Parameter("ordering", words(signed), "Groups and figures, each with or without a `-`.", "-count"),
            Parameter("page_size", size(usual, most), "Groups in the answer, the first ones.", 100),
            ZONE,
        ),
    )


def histogram(fields: Iterable[str], intervals: Iterable[str]) -> Operation:
    """`/orders/histogram/`."""
    bucket = named({"start": MOMENT, "end": MOMENT, "count": COUNT})
    start, end = "2018-01-01T00:00:00+01:00", "2018-02-01T00:00:00+01:00"
    return Operation(
        "Histogram of orders",
        answer=named(
            {
                "field": {"type": "string"},
                "interval": {"type": "string"},
                "tz": {"type": "string"},
                "total": COUNT,
                "missing": {**COUNT, "description": "Orders without a value."},
                "buckets": many(bucket),
            }
        ),
        example={
            "field": "order_date",
            "interval": "month",
            "tz": "Europe/Amsterdam",
            "total": 62,
            "missing": 0,
            "buckets": [{"start": start, "end": end, "count": 62}],
        },
        parameters=(
            Parameter("field", {"type": "string", "enum": [*fields]}, "Which time.", "order_date"),
            Parameter("interval", {"type": "string", "enum": [*intervals]}, "How long a bucket is.", "month"),
            ZONE,
        ),
    )


BY = {"type": "object", "additionalProperties": many(VALUE), "description": "By website and status."}


def of_one(column: str, others: str) -> Operation:
    """A customer or a product."""
    answer = named(
        {
            "source": {"type": "string"},
            column: {"type": "integer"},
            "orders": COUNT,
            others: COUNT,
            "first_order_date": MOMENT,
            "last_order_date": MOMENT,
            "by": BY,
            "latest": many({"type": "object", "description": "An order, as in a list."}),
            "list": LINK,
        }
    )
    first, last = "2018-01-01T10:00:00Z", "2018-03-01T10:00:00Z"
    example: JSON = {"source": "services", column: 1680001, "orders": 2, others: 1}
    example |= {"first_order_date": first, "last_order_date": last, "by": {}, "latest": [], "list": f"{SITE}orders/"}
    return Operation(answer=answer, example=example)


def websites() -> Operation:
    """`/websites/`."""
    site: JSON = {"website": {"type": "string"}, "orders": COUNT, "first_order_day": DAY, "last_order_day": DAY}
    example: Any = {"website": "VVNL", "orders": 4321, "first_order_day": "2014-01-01", "last_order_day": "2021-12-31"}
    example |= {"by": {}, "list": f"{SITE}orders/?website=VVNL"}
    return Operation(
        answer=named({"total": COUNT, "results": many(named({**site, "by": BY, "list": LINK}))}),
        example={"total": 4321, "results": [example]},
    )
