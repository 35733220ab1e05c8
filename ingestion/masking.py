"""Keeping the numbers of erased customers out of what a load stores: rows, and records that are rejected."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from catalog.contract import BLANKS, NAMES, Reason, ValueRefused, parse_code, parse_integer, shown
from catalog.erasure import ERASED
from catalog.fingerprints import BUCKET_BITS, BUCKETS, ErasedCustomers
from catalog.keys import ORDERS_PER_SOURCE
from catalog.models import Source
from ingestion.models import Run
from ingestion.reader.exact import Reject
from ingestion.reader.header import Header, header_of
from ingestion.reader.records import field_span, scan_record

IsErased = Callable[[str, int], bool]
"""Takes the code of a source and the number of a customer."""

SOURCE, CUSTOMER = NAMES.index("source"), NAMES.index("customer_id")
_DIGITS = re.compile(rb"[0-9]+")
_MARK = ERASED.encode()
NOTE = "the customer was erased"
"""Why a rejected row with such a number waits for nobody: without it, it cannot be loaded."""


class ErasedInBatches:
    """Blanks the numbers of erased customers in columns of rows; without any such customer, it costs nothing."""

    def __init__(self) -> None:
        self._erased = ErasedCustomers()
        self._sieve = np.zeros(BUCKETS, dtype=bool)
        self._sieve[list(self._erased.buckets)] = True

    def blanked(self, rows: pa.Table) -> pa.Table:
        """The rows, with a missing value where the customer was erased."""
        if not self._erased or not rows.num_rows:
            return rows
        numbers = rows["customer_id"].combine_chunks().to_numpy()
        erased = self._mask(rows["source"].combine_chunks(), numbers)
        place = rows.schema.get_field_index("customer_id")
        return rows.set_column(place, rows.field(place), pa.array(numbers, mask=erased)) if erased.any() else rows

    def _mask(self, sources: pa.DictionaryArray, numbers: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        hashes = numbers.astype(np.uint64) * np.uint64(self._erased.salt.multiplier)
        mask: npt.NDArray[np.bool_] = self._sieve[hashes >> np.uint64(64 - BUCKET_BITS)]
        likely = np.flatnonzero(mask)
        codes = sources.dictionary.to_pylist()
        pairs = sources.indices.to_numpy()[likely].astype(np.int64) * ORDERS_PER_SOURCE + numbers[likely]
        distinct, places = np.unique(pairs, return_inverse=True)
        split = (divmod(pair, ORDERS_PER_SOURCE) for pair in distinct.tolist())
        exact = [self._erased.has(codes[code], number) for code, number in split]
        mask[likely] = np.array(exact, dtype=bool)[places]
        return mask


class Split(NamedTuple):
    """A record whose source and customer can be read, and where the customer stands in it."""

    source: str
    customer: int
    span: tuple[int, int]


class RecordMask:
    """Masks the numbers of erased customers in records that could not be loaded.

    Where source and customer can be read, just the customer's field is masked. Otherwise nobody knows what a number in
    the record means, and every whole run of digits that is an erased number is masked.
    """

    def __init__(self, is_erased: IsErased, sources: Collection[str], header: Header) -> None:
        self._is_erased = is_erased
        self._sources = {code: re.compile(rb"(?<![\w-])%s(?![\w-])" % re.escape(code).encode()) for code in sources}
        self._header = header

    def masked(self, reject: Reject) -> Reject:
        """The reject without such numbers; the very same where there are none."""
        split = self._split(reject.raw)
        if split is not None and self._is_erased(split.source, split.customer):
            start, end = split.span
            return reject._replace(raw=reject.raw[:start] + _MARK + reject.raw[end:])
        if split is not None and split.source in self._sources:
            return reject
        sources = self._sources_in(reject.raw)
        raw = self._text(reject.raw, sources)
        if raw == reject.raw:
            return reject
        return reject._replace(raw=raw, reasons=[self._reason(reason, sources) for reason in reject.reasons])

    def _split(self, raw: bytes) -> Split | None:
        if self._header.width > len(NAMES):
            # Nobody knows what a further column holds: the whole record may be quoted there.
            return None
        separator = self._header.delimiter.encode()
        scan = scan_record(raw, 0, separator)
        if scan.flaw or scan.end < len(raw) or len(scan.fields) != self._header.width:
            return None
        places = [self._header.positions[column] for column in (SOURCE, CUSTOMER)]
        source, customer = (scan.fields[place].decode("latin-1").strip(BLANKS) for place in places)
        try:
            return Split(parse_code(source), parse_integer(customer), field_span(raw, places[1], separator))
        except ValueRefused:
            return None

    def _sources_in(self, raw: bytes) -> list[str]:
        """The sources that a record can be of."""
        return [code for code, alone in self._sources.items() if alone.search(raw)] or list(self._sources)

    def _text(self, raw: bytes, sources: list[str]) -> bytes:
        def mark(digits: re.Match[bytes]) -> bytes:
            try:
                number = parse_integer(digits.group().decode())
            except ValueRefused:
                return digits.group()
            return _MARK if any(self._is_erased(source, number) for source in sources) else digits.group()

        return _DIGITS.sub(mark, raw)

    def _reason(self, reason: Reason, sources: list[str]) -> Reason:
        value = self._text(reason.value.encode(), sources).decode()
        # A sentence quotes the value and has numbers of its own besides.
        return reason._replace(value=value, message=reason.message.replace(shown(reason.value), shown(value)))


def layout_of(run: Run) -> Header:
    """How the records of a run's file are laid out; a run older than the record of its columns has the contract's."""
    return header_of(run.delimiter or ",", run.columns or NAMES)


def mask_for(run: Run) -> RecordMask | None:
    """What masks the rejects of a run, as customers are erased now; None when nobody is."""
    erased = ErasedCustomers()
    return RecordMask(erased.has, known_sources(), layout_of(run)) if erased else None


def known_sources() -> list[str]:
    """The codes of all sources."""
    return list(Source.objects.values_list("code", flat=True))
