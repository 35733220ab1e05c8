"""What spreadsheets take for a formula, and how to show it to them without harm."""

from __future__ import annotations

from django.db.models import Case, CharField, F, Value, When
from django.db.models.expressions import Combinable, Expression
from django.db.models.functions import Concat, Left
from django.db.models.lookups import In, LessThan

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""With these a spreadsheet begins to calculate."""

APOSTROPHE = "'"
"""Before a text, it tells a spreadsheet to leave the text as it is."""

FIRST_HARMLESS = "A"
"""In the order of bytes, all that `FORMULA` has comes before it."""


def harmless(text: str) -> str:
    """`text` with an apostrophe before it, if a spreadsheet would take it for a formula."""
    return f"{APOSTROPHE}{text}" if text.startswith(FORMULA) else text


def harmless_code(code: F) -> Expression:
    """The same of a code, in the database."""
    begins_formula = In(Left(code, 1), FORMULA)
    neutral: Combinable = Concat(Value(APOSTROPHE), code, output_field=CharField())
    # One comparison clears nearly every code; what comes after it is many times as slow.
    careful = Case(When(begins_formula, then=neutral), default=code, output_field=CharField())
    return Case(When(LessThan(code, FIRST_HARMLESS), then=careful), default=code, output_field=CharField())
