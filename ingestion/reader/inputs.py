"""Opening what a path names: a file, a pipe or standard input; plain or compressed, told by its first bytes."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import lzma
import os
import shutil
import stat
import struct
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Protocol, cast

import zstandard

from catalog.contract import shown
from ingestion.errors import Refused
from ingestion.reader.limits import CHUNK

Chunks = Iterator[bytes]


@dataclass(frozen=True)
class Input:
    """An open file: its name as given, its size in bytes on disk, how it is compressed ("" if it is not), and its
    `stamp` when it was opened."""

    name: str
    raw: IO[bytes]
    size: int
    compression: str
    opened: tuple[int, int] = (0, 0)

    def chunks(self) -> Chunks:
        """The content from the start, decompressed. Raises `Refused` when an archive is broken or cut short."""
        self.raw.seek(0)
        try:
            yield from filter(None, OPENERS[self.compression](self.raw))
        except DAMAGE as error:
            raise self._damaged(error) from error
        except ValueError as error:
            if self.compression:
                raise self._damaged(error) from error
            raise
        except OSError as error:
            # bz2 reports damage as an OSError that has no number.
            if self.compression and error.errno is None:
                raise self._damaged(error) from error
            raise Refused("not_readable", f"{self.name} cannot be read: {error.strerror or error}.") from error

    def _damaged(self, error: Exception) -> Refused:
        return Refused(
            "corrupt_archive", f"{self.name} is a damaged or truncated {self.compression} archive ({error})."
        )

    def sha256(self, limit: int | None = None) -> tuple[str, int]:
        """The fingerprint of the content and its size in bytes. Raises `Refused` when it has more than may be uploaded.

        Reads all of it, and so finds a broken archive, or one that never ends, before any row is used.
        """
        digest, size = hashlib.sha256(), 0
        for chunk in self.chunks():
            digest.update(chunk)
            size += len(chunk)
            if limit is not None and size > limit:
                raise Refused(
                    "too_large",
                    f"{self.name} has more than {limit:,} bytes when it is unpacked, and no file with more may be "
                    "uploaded (UPLOAD_UNPACKED_LIMIT). Divide it, or load it on the server with the command "
                    "ingest_csv.",
                )
        return digest.hexdigest(), size

    def check_unchanged(self) -> None:
        """Raise `Refused` when somebody has written to the file since it was opened."""
        if self.stamp() != self.opened:
            raise Refused("changed_while_reading", f"{self.name} was changed while it was being read.")

    def stamp(self) -> tuple[int, int]:
        """Size and time of the last change: the same before and after, or somebody has written to the file."""
        status = os.fstat(self.raw.fileno())
        return status.st_size, status.st_mtime_ns


@contextmanager
def open_input(name: str, title: str = "") -> Iterator[Input]:
    """Open `name` (`-` is standard input). What cannot be read twice is copied to a temporary file first.

    What is wrong with its content is said of `title`, unless that is empty.
    """
    with _open_raw(name) as raw:
        status = os.fstat(raw.fileno())
        try:
            kind = compression_of(raw)
        except OSError as error:
            raise not_readable(title or name, error) from error
        yield Input(title or name, raw, status.st_size, kind, (status.st_size, status.st_mtime_ns))


def not_readable(name: str, error: Exception) -> Refused:
    """What is said when the operating system cannot read a file."""
    return Refused("not_readable", f"{shown(name)} cannot be read: {getattr(error, 'strerror', None) or error}.")


def _open_raw(name: str) -> IO[bytes]:
    if name == "-":
        if sys.stdin is None:
            raise Refused("not_readable", "Standard input is closed.")
        return _spooled(sys.stdin.buffer, name)
    if not name:
        raise Refused("file_not_found", "A path is empty; is a variable in the command not set?")
    try:
        mode = Path(name).stat().st_mode
        if stat.S_ISDIR(mode):
            raise Refused("not_a_file", f"{name} is a folder; name the files in it.")
        raw = Path(name).open("rb")  # noqa: SIM115  the caller closes it
    except FileNotFoundError as error:
        raise Refused("file_not_found", f"There is no file {name}.") from error
    except (OSError, ValueError) as error:
        raise not_readable(name, error) from error
    if stat.S_ISREG(mode):
        return raw
    with raw:
        return _spooled(raw, name)


def _spooled(stream: IO[bytes], name: str) -> IO[bytes]:
    spool = tempfile.TemporaryFile()  # noqa: SIM115  the caller closes it
    try:
        shutil.copyfileobj(stream, spool, CHUNK)
        spool.flush()
    except OSError as error:
        raise not_readable(name, error) from error
    return spool


SIGNATURES = {
    b"\x1f\x8b": "gzip",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"PK\x03\x04": "zip",
    b"PK\x05\x06": "zip",
}
ZSTD_SKIPPABLE = b"\x2a\x4d\x18"
"""What follows the first byte (0x50 to 0x5F) of a frame that holds no content; some programs begin with one."""


def compression_of(raw: IO[bytes]) -> str:
    """The kind of archive that the first bytes announce, or "" for none."""
    raw.seek(0)
    start = raw.read(6)
    if start[1:4] == ZSTD_SKIPPABLE and start[0] >> 4 == 5:
        return "zstd"
    return next((kind for magic, kind in SIGNATURES.items() if start.startswith(magic)), "")


class Readable(Protocol):
    """All that is asked of an open archive."""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes; none at the end."""


def _read_all(stream: Readable) -> Chunks:
    while chunk := stream.read(CHUNK):
        yield chunk


def _gzip(raw: IO[bytes]) -> Chunks:
    with gzip.GzipFile(fileobj=raw) as stream:
        yield from _read_all(stream)


class Decompressor(Protocol):
    """What bz2 and lzma offer to go through one stream."""

    @property
    def eof(self) -> bool:
        """Whether the stream has come to its end."""

    @property
    def needs_input(self) -> bool:
        """Whether all that was given has been handed out."""

    @property
    def unused_data(self) -> bytes:
        """What was given and follows the end."""

    def decompress(self, data: bytes, max_length: int = -1, /) -> bytes:
        """At most `max_length` bytes more."""


def _streams(raw: IO[bytes], new: Callable[[], Decompressor], *, padding: bytes = b"") -> Chunks:
    """All streams of an archive, each to its own end: the libraries' files take a damaged later one for rubbish that
    follows the archive, and pass over it."""
    stream = new()
    for chunk in _read_all(raw):
        data = chunk
        while data:
            if stream.eof:
                data = data.lstrip(padding) if padding else data
                if not data:
                    break
                stream = new()
            yield stream.decompress(data, CHUNK)
            while not (stream.eof or stream.needs_input):
                yield stream.decompress(b"", CHUNK)
            data = stream.unused_data if stream.eof else b""
    if not stream.eof:
        raise EOFError("it ends in the middle of a stream")


def _bzip2(raw: IO[bytes]) -> Chunks:
    return _streams(raw, bz2.BZ2Decompressor)


XZ_MEMORY = 128 << 20
"""Bytes that xz may use: twice what `xz -9` asks for. How many it needs, the archive says, and it may say anything."""


def _xz(raw: IO[bytes]) -> Chunks:
    new = partial(lzma.LZMADecompressor, format=lzma.FORMAT_XZ, memlimit=XZ_MEMORY)
    try:
        yield from _streams(raw, new, padding=b"\0")
    except lzma.LZMAError as error:
        if str(error) != "Memory usage limit exceeded":
            raise
        raise Refused(
            "too_much_memory",
            f"The xz archive needs more than {XZ_MEMORY >> 20} MB of memory to be unpacked; pack it anew, "
            "with xz -9 at most.",
        ) from error


ZSTD_PIECE = 1 << 10
"""Compressed bytes given to zstd at a time: it hands out all that they hold at once, up to 128 KB for each 4 bytes."""


def _zstd(raw: IO[bytes]) -> Chunks:
    # The library's own stream reader takes a cut archive for a complete one; this asks each frame for its end.
    frame = zstandard.ZstdDecompressor().decompressobj()
    for chunk in _read_all(raw):
        for start in range(0, len(chunk), ZSTD_PIECE):
            data = chunk[start : start + ZSTD_PIECE]
            while data:
                if frame.eof:
                    frame = zstandard.ZstdDecompressor().decompressobj()
                yield frame.decompress(data)
                data = frame.unused_data
    if not frame.eof:
        raise EOFError("it ends in the middle of a frame")


END_OF_ZIP = b"PK\x05\x06"


class Sparing:
    """A file of which no more than `CHUNK` is read at once: `zipfile` reads a list of files whole, however long."""

    def __init__(self, raw: IO[bytes]) -> None:
        self._raw = raw
        self.seek, self.tell, self.seekable = raw.seek, raw.tell, raw.seekable

    def read(self, size: int = -1) -> bytes:
        if size > CHUNK:
            raise Refused(
                "archive_of_many",
                "The zip archive has too long a list of what it holds; it must hold exactly one CSV file.",
            )
        return self._raw.read(size)


def _zip(raw: IO[bytes]) -> Chunks:
    with zipfile.ZipFile(cast("IO[bytes]", Sparing(raw))) as archive:
        files = [entry for entry in archive.infolist() if not entry.is_dir()]
        if len(files) != 1:
            raise Refused(
                "archive_of_many", f"The zip archive holds {len(files)} files; it must hold exactly one CSV file."
            )
        raw.seek(-22 - len(archive.comment), os.SEEK_END)
        if min(entry.header_offset for entry in archive.infolist()) or raw.read(4) != END_OF_ZIP:
            # Another archive, perhaps, which zipfile would pass over.
            raise zipfile.BadZipFile("there is something before or after the archive")
        if files[0].compress_type == zipfile.ZIP_LZMA:
            raise Refused(
                "too_much_memory",
                "The zip archive is packed by LZMA, which may need any amount of memory to be unpacked; pack it anew "
                "by the usual method, Deflate.",
            )
        with archive.open(files[0]) as stream:
            yield from _read_all(stream)


OPENERS: dict[str, Callable[[IO[bytes]], Chunks]] = {
    "": _read_all,
    "gzip": _gzip,
    "bzip2": _bzip2,
    "xz": _xz,
    "zstd": _zstd,
    "zip": _zip,
}
# What the libraries raise for a damaged, cut or encrypted archive. bz2 raises plain OSError, without a number.
DAMAGE = (
    EOFError,
    gzip.BadGzipFile,
    zlib.error,
    lzma.LZMAError,
    zstandard.ZstdError,
    zipfile.BadZipFile,
    struct.error,
    NotImplementedError,
    RuntimeError,
)
