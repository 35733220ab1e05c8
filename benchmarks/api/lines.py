"""The lines of the table: what was measured, against what, and whether its limit is met."""

from __future__ import annotations

from typing import NamedTuple

from benchmarks.api.clients import Round


class Line(NamedTuple):
    """What gave which figure, against what, the ratio of the two, and the limit that it has."""

    what: str
    figure: str
    against: str = ""
    ratio: float | None = None
    least: float | None = None
    most: float | None = None

    @property
    def limit(self) -> str:
        """The limit in words."""
        if self.least is not None:
            return f"at least {self.least:g}"
        return "" if self.most is None else f"at most {self.most:g}"

    @property
    def verdict(self) -> str:
        """Whether it is met; empty where there is none."""
        if self.ratio is None or (self.least is None and self.most is None):
            return ""
        low, high = self.least or 0, self.most or float("inf")
        return "met" if low <= self.ratio <= high else "missed"

    def __str__(self) -> str:
        ratio = "" if self.ratio is None else f"{self.ratio:.2f}"
        return f"| {self.what} | {self.figure} | {self.against} | {ratio} | {self.limit} | {self.verdict} |"


HEADING = "| what | the product | against | ratio | limit | |\n| --- | --- | --- | --- | --- | --- |"


def pace(seen: Round) -> str:
    """Answers a second, and how long one took."""
    return f"{seen.rate:,.0f}/s, p50 {seen.p50:.1f} ms, p99 {seen.p99:.1f} ms"


def faster(what: str, ours: Round, theirs: Round, against: str, least: float | None = None) -> Line:
    """A line about answers a second."""
    return Line(what, pace(ours), f"{against}: {pace(theirs)}", ours.rate / theirs.rate, least=least)


def missing(what: str, why: str) -> Line:
    """A line about what the product cannot do yet."""
    return Line(what, why)
