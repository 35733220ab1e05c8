"""What a user may ask of a load."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, fields

from ingestion.reader.batches import ReadOptions


@dataclass(frozen=True)
class Limit:
    """At most so many rows, or at most such a share of them."""

    value: float
    is_percent: bool

    @classmethod
    def parse(cls, text: str) -> Limit:
        """Read `500` or `2.5%`. Raises ValueError with a sentence."""
        match = re.fullmatch(r"(\d+)|(\d+(?:\.\d+)?)%", text.strip())
        if match is None or (match[2] and float(match[2]) > 100):
            raise ValueError(f"'{text}' is neither a number of rows like 500 nor a share of them like 2.5%.")
        return cls(float(match[1] or match[2]), is_percent=match[2] is not None)

    def is_exceeded(self, count: int, total: int) -> bool:
        """Whether `count` of `total` rows are too many."""
        return count * 100 > self.value * total if self.is_percent else count > self.value

    def __str__(self) -> str:
        return f"{self.value:g}{' %' if self.is_percent else ''}"


@dataclass(frozen=True)
class LoadOptions:
    """The options of one load; each has the meaning of the command's option of the same name."""

    read: ReadOptions = field(default_factory=ReadOptions)
    dry_run: bool = False
    force: bool = False
    full_snapshot: bool = False
    max_rejects: Limit = Limit(5, is_percent=True)
    max_removals: Limit = Limit(1, is_percent=True)
    wait: bool = True
    repairs: int | None = None
    only_open: bool = False
    """Refuse the file if a rejected row that it repairs is settled already: a form was filled in when it was open."""
    unpacked_limit: int | None = None
    """Bytes that the file may have unpacked, and that its rejected rows may take; None for any number. A rule of the
    site, which the record of a run need not repeat."""

    def differing(self) -> dict[str, object]:
        """The options that are not at their defaults, for the run's record."""
        found: dict[str, object] = {}
        for options, defaults in ((self, LoadOptions()), (self.read, ReadOptions())):
            for item in fields(options):
                value = getattr(options, item.name)
                if item.name not in ("read", "unpacked_limit") and value != getattr(defaults, item.name):
                    found[item.name] = str(value) if isinstance(value, Limit) else value
        return found
