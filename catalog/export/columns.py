"""What an export can have in its columns, and where each comes from."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa
from django.db.models import Case, F, TextField, Value, When
from django.db.models.expressions import Combinable

from catalog import contract
from catalog.contract import Kind
from catalog.engines import Reader
from catalog.models import Change
from catalog.spreadsheets import harmless_code

NUMBER = pa.int64()
CODE = pa.dictionary(pa.int32(), pa.string())
MOMENT = pa.timestamp("us", "UTC")
FLAG = pa.bool_()

TYPES = {Kind.INTEGER: NUMBER, Kind.CODE: CODE, Kind.TIMESTAMP: MOMENT}


@dataclass(frozen=True, slots=True)
class Column:
    """One column: the type that it has in typed formats, and its value in the database."""

    name: str
    type: pa.DataType
    value: F | Case

    def expression(self, reader: Reader, *, raw: bool) -> Combinable:
        """What is selected, as the text of CSV needs it; codes are harmless to spreadsheets unless `raw`."""
        if isinstance(self.value, F):
            if self.type == MOMENT:
                return reader.moment(self.value)
            if self.type == CODE and not raw:
                return harmless_code(self.value)
        return self.value


IS_REMOVED = Case(When(removed=True, then=Value("true")), default=Value("false"), output_field=TextField())
READING_A_FILE = [kind.value for kind in Change.Kind if Change(kind=kind).reads_a_file]
LINE_OF_FILE = Case(When(change__kind__in=READING_A_FILE, then=F("line")))

COLUMNS: dict[str, Column] = {
    column.name: column
    for column in (
        *(Column(known.name, TYPES[known.kind], F(known.name)) for known in contract.COLUMNS),
        Column("removed", FLAG, IS_REMOVED),
        Column("run", NUMBER, F("change__run")),
        Column("line", NUMBER, LINE_OF_FILE),
        Column("since", MOMENT, F("change__at")),
    )
}
"""The contract's columns, which are exported unless others are asked for, and what the catalogue knows besides."""
