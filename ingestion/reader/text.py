"""Bytes of any encoding -> bytes of UTF-8, by the byte order mark or by name; never by a guess."""

from __future__ import annotations

import codecs
from collections.abc import Iterator

from ingestion.errors import Refused

BYTE_ORDER_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
NOT_TEXT = b"\xff"
"""A byte that no UTF-8 text contains: what could not be decoded becomes it, and its row is rejected."""


def text_encoding(name: str) -> str:
    """The codec's own name for an encoding given by a user. Raises `Refused` when there is none."""
    try:
        codec = codecs.lookup(name)
        "".encode(codec.name)
        codecs.getincrementaldecoder(codec.name)("ingestion.not_text").decode(b"")
    except (LookupError, ValueError) as error:
        raise Refused(
            "unknown_encoding", f"'{name}' is no encoding of text; use a name like utf-8, cp1252 or utf-16-le."
        ) from error
    return codec.name


def as_utf8(chunks: Iterator[bytes], encoding: str | None) -> tuple[str, Iterator[bytes]]:
    """The name of the encoding, and the content in UTF-8 without its byte order mark.

    `encoding` is what the user named, or None: then a byte order mark decides, and without one it is UTF-8.
    Bytes that are no text of the encoding arrive as bytes that are no UTF-8, so that the row that holds
    them can be told.
    """
    first = next(chunks, b"")
    while len(first) < 4 and (more := next(chunks, b"")):
        first += more
    mark = next((m for m in BYTE_ORDER_MARKS if first.startswith(m)), b"")
    announced = BYTE_ORDER_MARKS.get(mark, "utf-8")
    name = text_encoding(encoding) if encoding else announced
    if name in ("utf-16", "utf-32"):
        if not announced.startswith(name):
            raise Refused(
                "unknown_encoding",
                f"The text has no byte order mark, so {name} does not say which byte comes first; name {name}-le or "
                f"{name}-be.",
            )
        name = announced
    if mark and name.replace("_", "-").startswith(announced[:6]):
        first = first[len(mark) :]
    if name in {"utf-8", "utf-8-sig", "ascii"}:
        return "utf-8", _from(first, chunks)
    return name, _transcoded(_from(first, chunks), name)


def _from(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


def _mark_undecodable(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "\udcff", error.end


codecs.register_error("ingestion.not_text", _mark_undecodable)


def _transcoded(chunks: Iterator[bytes], name: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(name)("ingestion.not_text")
    for chunk in chunks:
        yield _utf8(decoder.decode(chunk))
    yield _utf8(decoder.decode(b"", final=True))


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass").replace(b"\xed\xb3\xbf", NOT_TEXT)
