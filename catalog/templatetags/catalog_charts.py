"""`{% chart chart %}`: a picture of numbers with the numbers below it; `|people`: a number as people write it."""

from __future__ import annotations

from typing import Any

from django import template

from catalog.charts import Chart

register = template.Library()


@register.inclusion_tag("catalog/chart.html")
def chart(chart: Chart) -> dict[str, Any]:
    """The chart as a figure, its table folded away; the page must include the style sheet `catalog/charts.css`."""
    return {"chart": chart}


@register.filter
def people(number: Any) -> str:
    """A number with commas between its thousands; what is none stays as it is."""
    return f"{number:,}" if isinstance(number, int | float) else str(number)
