"""Rejected rows on their way from the reader to the database."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Self

from catalog.contract import Reason
from ingestion.errors import Refused
from ingestion.masking import NOTE, mask_for
from ingestion.models import RejectedRow, RejectReason, Run, reject_id
from ingestion.reader.exact import Reject

STORE_AT_ONCE = 1000
BYTES_AT_ONCE = 4_000_000
MAX_VALUE = 10_000
"""Characters of a value that are kept with a reason; the whole row stands beside it anyway."""


class RejectSpool:
    """Rejects of one load, kept in a temporary file: a refused load rolls everything else back, and there
    may be more of them than memory holds.

    With a `limit` it refuses to take more bytes: a row of two bytes, rejected, takes a hundred.
    """

    def __init__(self, limit: int | None = None) -> None:
        self._limit, self._size = limit, 0
        self._file = tempfile.TemporaryFile("w+", encoding="utf-8", errors="surrogatepass")  # noqa: SIM115  closed by __exit__
        self.count = 0
        self.by_reason: Counter[str] = Counter()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._file.close()

    def add(self, rejects: Iterable[Reject]) -> None:
        """Append rejects; a row with two reasons counts under both. Raises `Refused` when they are too many."""
        for reject in rejects:
            self.count += 1
            self.by_reason.update(dict.fromkeys((reason.code for reason in reject.reasons), 1))
            record = [reject.line, reject.raw.decode("latin-1"), reject.reasons, reject.key]
            self._size += self._file.write(json.dumps(record) + "\n")
            if self._limit is not None and self._size > self._limit:
                raise Refused(
                    "too_many_rejects",
                    f"The first {self.count:,} rejected rows take more than {self._limit:,} bytes with their reasons, "
                    "and those of an upload may not take more (UPLOAD_UNPACKED_LIMIT). Look at the first of them: "
                    "is it an export of orders? If so, mend the file, or load it on the server with the command "
                    "ingest_csv.",
                )

    def __iter__(self) -> Iterator[Reject]:
        self._file.seek(0)
        for text in self._file:
            line, raw, reasons, key = json.loads(text)
            yield Reject(line, raw.encode("latin-1"), [Reason(*reason) for reason in reasons], key and tuple(key))

    def store(self, run: Run, *, note: str = "") -> None:
        """Write all rejects to the database, as those of `run`, without the numbers of erased customers.

        A `note` says why they wait for nobody. Whoever calls it holds the catalogue's lock: a customer who is erased
        meanwhile would be missed.
        """
        mask = mask_for(run)
        for found in portions(self):
            some = found if mask is None else [mask.masked(reject) for reject in found]
            RejectedRow.objects.bulk_create(
                _row(run, after, note or (NOTE if after is not before else ""))
                for before, after in zip(found, some, strict=True)
            )
            RejectReason.objects.bulk_create(
                RejectReason(reject_id=reject_id(run.pk, reject.line), **cut(reason)._asdict())
                for reject in some
                for reason in reject.reasons
            )


def by_frequency(counts: Mapping[str, int]) -> dict[str, int]:
    """Numbers of rows by reason, the most frequent first; PostgreSQL keeps no order of them."""
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def portions(rejects: Iterable[Reject]) -> Iterator[list[Reject]]:
    """Rejects, some at a time: neither too many nor too large together."""
    some: list[Reject] = []
    size = 0
    for reject in rejects:
        some.append(reject)
        size += len(reject.raw)
        if len(some) == STORE_AT_ONCE or size > BYTES_AT_ONCE:
            yield some
            some, size = [], 0
    if some:
        yield some


def cut(reason: Reason) -> Reason:
    """The reason with its value, or the start of a value that is very long."""
    return reason if len(reason.value) <= MAX_VALUE else reason._replace(value=reason.value[:MAX_VALUE] + "…")


def _row(run: Run, reject: Reject, note: str) -> RejectedRow:
    row = RejectedRow(id=reject_id(run.pk, reject.line), run=run, line=reject.line, **stored(reject.raw))
    if note:
        row.state, row.note = RejectedRow.State.DISMISSED, note
    return row


def stored(raw: bytes) -> dict[str, Any]:
    """The fields of a rejected row that hold its record."""
    readable = raw.decode("utf-8", "backslashreplace").replace("\0", "\\x00")
    return {"raw": readable, "raw_bytes": None if readable.encode() == raw else raw}
