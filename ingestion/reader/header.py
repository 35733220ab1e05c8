"""The header line: which delimiter, and where each column of the contract stands."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from catalog.contract import BLANKS, NAMES, shown
from ingestion.errors import Refused, option
from ingestion.reader.records import split_line
from ingestion.reader.repair_columns import REPAIR_COLUMNS

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}


@dataclass(frozen=True)
class Header:
    """How the file's records are laid out: the delimiter, the names of the fields, and for each of the
    contract's columns, in contract order, the index of its field."""

    delimiter: str
    names: tuple[str, ...]
    positions: tuple[int, ...]

    @property
    def width(self) -> int:
        """The number of fields."""
        return len(self.names)

    @property
    def columns(self) -> list[str]:
        """The names of the contract's columns where they stand; empty texts for other columns."""
        return [name if name in NAMES else "" for name in self.names]


def read_header(
    line: bytes, *, delimiter: str | None, allow_extra_columns: bool, extra_columns: tuple[str, ...] = ()
) -> Header:
    """Read the first line of a file. `extra_columns` may stand there, too.

    The delimiter is the one under which the line reads as the contract, or the one that the user named.
    Raises `Refused` naming every column that is missing, doubled or unknown.
    """
    if not line.strip():
        raise Refused("no_header", "Line 1 is blank; the first line must name the columns.")
    candidates = [delimiter] if delimiter else list(DELIMITERS)
    readings = {candidate: _names(line, candidate) for candidate in candidates}
    best = max(readings, key=lambda candidate: len(set(readings[candidate]) & set(NAMES)))
    names = readings[best]
    if not set(names) & set(NAMES):
        hint = _hint_of_encoding(line)
        if not hint and delimiter:
            hint = _hint_of_delimiter(line, delimiter, extra_columns, allow_extra_columns=allow_extra_columns)
        if not hint and not any(readings.values()):
            hint = "The quotation marks of line 1 do not fit together; a column's name must not hold a line end."
        raise Refused(
            "no_header",
            hint
            or f"Line 1 is not the header of an order export: it reads {shown(_without_numbers(line))}, "
            f"and none of the columns ({', '.join(NAMES)}) is in it.",
        )
    problems = _problems(names, extra_columns, allow_extra_columns=allow_extra_columns)
    if problems:
        code = problems[0][0]
        raise Refused(code, "The header does not fit the contract: " + "; ".join(text for _, text in problems) + ".")
    return header_of(best, names)


def header_of(delimiter: str, names: Sequence[str]) -> Header:
    """The header with these names, among which are all of the contract's."""
    return Header(delimiter, tuple(names), tuple(names.index(name) for name in NAMES))


def _without_numbers(line: bytes) -> str:
    """The line with `#` for each digit: it may be an order, and what is said of a file is kept for good."""
    return re.sub("[0-9]", "#", line.decode("utf-8", "replace"))


def _hint_of_encoding(line: bytes) -> str:
    """What to do when the line is a header but for the NULs between its letters, else nothing."""
    if b"\0" not in line or not any(set(_names(line.replace(b"\0", b""), mark)) & set(NAMES) for mark in DELIMITERS):
        return ""
    kind = "utf-32" if b"\0\0" in line else "utf-16"
    name = f"{kind}-be" if line.startswith(b"\0") else f"{kind}-le"
    return f"Line 1 looks like {kind.upper()} without a byte order mark; load it with: ingest_csv --encoding {name}."


def _hint_of_delimiter(line: bytes, named: str, extra_columns: tuple[str, ...], *, allow_extra_columns: bool) -> str:
    """The delimiter under which the line reads as the contract, unlike under the one that the user named."""
    for mark in DELIMITERS:
        names = _names(line, mark)
        if set(NAMES) <= set(names) and not _problems(names, extra_columns, allow_extra_columns=allow_extra_columns):
            return (
                f"Line 1 does not read as the contract with {shown(named)} as the delimiter, but it does with "
                f"{shown(mark)}: name that one, or leave out --delimiter."
            )
    return ""


def _names(line: bytes, delimiter: str) -> list[str]:
    fields = split_line(line, delimiter.encode())
    return [field.decode("utf-8", "replace").strip(BLANKS).lower() for field in fields or []]


def _problems(names: list[str], extra_columns: tuple[str, ...], *, allow_extra_columns: bool) -> list[tuple[str, str]]:
    known = (*NAMES, *extra_columns)
    unknown = [name for name in names if name not in known]
    found = [("missing_column", _missing(name, unknown)) for name in NAMES if name not in names]
    found += [
        ("duplicate_column", f"{name} stands there {times} times")
        for name, times in Counter(names).items()
        if times > 1 and name in known
    ]
    if not allow_extra_columns:
        found += [("unknown_column", _unknown(name)) for name in unknown]
    return found


def _missing(name: str, unknown: list[str]) -> str:
    near = difflib.get_close_matches(name, unknown, n=1)
    return f"{name} is missing" + (f" (is {shown(near[0])} meant to be it?)" if near else "")


def _unknown(name: str) -> str:
    if name in REPAIR_COLUMNS:
        return (
            f"{shown(name)} is not a column of the contract (rejected rows that were put right are loaded with "
            "--repairs RUN; in the admin, on the list of rejected rows)"
        )
    near = difflib.get_close_matches(name, NAMES, n=1)
    hint = f" (did you mean {near[0]}?)" if near else f", and {option('allow-extra-columns')} passes over it"
    return f"{shown(name)} is not a column of the contract{hint}"
