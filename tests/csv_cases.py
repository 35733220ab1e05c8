"""Small broken and odd export files, each with what must become of it. The table that tests go through."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass

import zstandard

from tests.loading import HEADER, Row, export, line, row

Rejects = tuple[tuple[int, tuple[str, ...]], ...]


@dataclass(frozen=True)
class Case:
    """A file: its content, and either its accepted rows and rejects (line, codes), or why it is refused."""

    name: str
    content: bytes
    rows: tuple[Row, ...] = ()
    rejects: Rejects = ()
    duplicates: int = 0
    refused: str = ""
    options: tuple[str, ...] = ()
    file: str = "orders.csv"


EXTRA = ("--allow-extra-columns",)
WITH_REMARK = HEADER + ",remark"
GOOD = export(line(1), line(2))
BOTH = (row(1), row(2))


def remarks(name: str, *lines: str, rows: tuple[Row, ...] = BOTH, rejects: Rejects = ()) -> Case:
    """A file with a thirteenth column that is passed over."""
    return Case(name, export(*lines, header=WITH_REMARK), rows, rejects, options=EXTRA)


def quoted(text: str) -> str:
    """A row with every field in quotation marks."""
    return ",".join(f'"{field}"' for field in text.split(","))


def zipped(**files: bytes) -> bytes:
    """A zip archive."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return target.getvalue()


def zipped_by_lzma(content: bytes) -> bytes:
    """A zip archive that is packed by a method with a dictionary of any size."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("orders.csv", content)
    return target.getvalue()


def demanding(archive: bytes) -> bytes:
    """An xz archive that says it needs a dictionary of 4 GB, in the first header of its only block.

    After a stream header of 12 bytes: the length of the header in words of 4 bytes, flags, the filter, how many
    properties it has, the code of the size (40 is the largest), and at the end a checksum.
    """
    end = 12 + 4 * archive[12]
    header = archive[12:16] + bytes([40]) + archive[17:end]
    return archive[:12] + header + zlib.crc32(header).to_bytes(4, "little") + archive[end + 4 :]


def damaged(archive: bytes, position: int) -> bytes:
    """The archive with one byte changed."""
    position %= len(archive)
    return archive[:position] + bytes([archive[position] ^ 0x55]) + archive[position + 1 :]


ENCODED = [
    Case("utf8_with_mark", b"\xef\xbb\xbf" + GOOD, BOTH),
    Case("utf8_with_mark_and_quoted_header", b"\xef\xbb\xbf" + export(line(1), header=quoted(HEADER)), (row(1),)),
    Case("utf16_le_with_mark", b"\xff\xfe" + GOOD.decode().encode("utf-16-le"), BOTH),
    Case("utf16_be_with_mark", b"\xfe\xff" + GOOD.decode().encode("utf-16-be"), BOTH),
    Case("utf32_le_with_mark", b"\xff\xfe\0\0" + GOOD.decode().encode("utf-32-le"), BOTH),
    Case("utf16_le_without_mark", GOOD.decode().encode("utf-16-le"), refused="no_header"),
    Case(
        "utf16_le_named", GOOD.decode().encode("utf-16-le"), BOTH, options=("--encoding", "utf-16-le")
    ),
    Case(
        "utf16_cut_in_a_character",
        b"\xff\xfe" + GOOD.decode().encode("utf-16-le") + b"7",
        BOTH,
        ((4, ("not_text",)),),
    ),
    Case(
        "cp1252_named",
        export(line(1, extra="caf\xe9 \x80"), line(2, extra="")).decode().replace("\x80", "€").replace(
            HEADER, WITH_REMARK
        ).encode("cp1252"),
        BOTH,
        options=(*EXTRA, "--encoding", "cp1252"),
    ),
    Case(
        "cp1252_not_named",
        export(line(1, extra="café"), line(2, extra=""), header=WITH_REMARK).decode().encode("cp1252"),
        (row(2),),
        ((2, ("not_text",)),),
        options=EXTRA,
    ),
    Case("utf16_named_without_mark", GOOD.decode().encode("utf-16-le"), refused="unknown_encoding",
         options=("--encoding", "utf-16")),
    Case("utf16_named_with_mark", GOOD.decode().encode("utf-16"), BOTH, options=("--encoding", "utf-16")),
    Case("utf32_named_with_mark", GOOD.decode().encode("utf-32"), BOTH, options=("--encoding", "utf-32")),
    Case("not_utf8_in_a_code", GOOD.replace(b"VVNL", b"VV\xffL", 1), (row(2),), ((2, ("not_text",)),)),
    Case("not_utf8_cut_character", GOOD.replace(b"VVNL", b"VV\xc3", 1), (row(2),), ((2, ("not_text",)),)),
    Case("not_utf8_surrogate", GOOD.replace(b"VVNL", b"\xed\xa0\x80", 1), (row(2),), ((2, ("not_text",)),)),
    Case("not_utf8_in_a_ragged_row", GOOD + b"\xff\n", BOTH, ((4, ("not_text",)),)),
    Case("not_utf8_in_a_date", GOOD.replace(b"2018", b"\xff018", 1), (row(2),), ((2, ("not_text",)),)),
    Case("nul_in_a_code", GOOD.replace(b"VVNL", b"VV\0L", 1), (row(2),), ((2, ("nul_character",)),)),
    Case("nul_in_a_number", GOOD.replace(b"1001", b"10\x0001", 1), (row(2),), ((2, ("nul_character",)),)),
    remarks("nul_in_an_extra_column", line(1, extra="\0"), line(2, extra=""), rows=(row(2),),
            rejects=((2, ("nul_character",)),)),
]  # fmt: skip

LINE_ENDS = [
    Case("ends_lf", GOOD, BOTH),
    Case("ends_crlf", export(line(1), line(2), end="\r\n"), BOTH),
    Case("ends_cr", export(line(1), line(2), end="\r"), BOTH),
    Case("ends_mixed", f"{HEADER}\r\n{line(1)}\r{line(2)}\n{line(3)}".encode(), (*BOTH, row(3))),
    Case("no_final_lf", GOOD[:-1], BOTH),
    Case("no_final_crlf", export(line(1), line(2), end="\r\n")[:-2], BOTH),
    Case("cut_crlf", export(line(1), line(2), end="\r\n")[:-1], BOTH),
    Case(
        "blank_lines",
        export("", line(1), "", "  \t ", "", line(2), "x", "", ""),
        BOTH,
        ((8, ("too_few_fields",)),),
    ),
    Case(
        "cr_cr_lf", export(line(1), line(2), "x", end="\r\r\n"), BOTH, ((7, ("too_few_fields",)),)
    ),
    remarks("unicode_line_separators", line(1, extra="a\u2028b\x85c\x0bd\x0ce"), line(2, extra="\x1c\x1d\x1e")),
]  # fmt: skip

DELIMITED = [
    Case(
        f"delimiter_{name}",
        export(line(1, delimiter=mark), line(2, delimiter=mark, website="a,b"), header=HEADER.replace(",", mark)),
        (row(1),),
        ((3, ("not_a_code",)),),
    )
    for name, mark in {"semicolon": ";", "tab": "\t", "pipe": "|"}.items()
] + [
    Case(
        "tab_with_empty_last_fields",
        export(line(1, delimiter="\t", payment_status="", payment_date=""), "\t" * 11,
               header=HEADER.replace(",", "\t")),
        (row(1, payment_status=None, payment_date=None),),
        ((3, ("missing_value",) * 6),),
    ),
    Case("delimiter_of_rows_differs", export(line(1, delimiter=";"), line(2)), (row(2),),
         ((2, ("too_few_fields",)),)),
]  # fmt: skip

NAMES = HEADER.split(",")
HEADERS = [
    Case("header_upper_case", export(line(1), header=HEADER.upper()), (row(1),)),
    Case("header_quoted", export(line(1), header=quoted(HEADER)), (row(1),)),
    Case("header_with_blanks", export(line(1), header=HEADER.replace(",", " ,\t")), (row(1),)),
    Case(
        "header_reversed",
        export(",".join(reversed(line(1).split(","))), header=",".join(reversed(NAMES))),
        (row(1),),
    ),
    Case(
        "header_two_ids_swapped",
        export(line(1), header=HEADER.replace("payment_id,voucher_id", "voucher_id,payment_id")),
        (row(1, payment_id=3001, voucher_id=2001),),
    ),
    Case("header_without_payment_id", export(line(1), header=HEADER.replace(",payment_id", "")),
         refused="missing_column"),
    Case("header_with_source_twice", export(line(1, extra="x"), header=HEADER + ",Source"), refused="duplicate_column"),
    Case("header_with_source_twice_and_extra_allowed", export(line(1, extra="x"), header=HEADER + ",source"),
         refused="duplicate_column", options=EXTRA),
    Case("header_unknown", export(line(1, extra="x"), header=WITH_REMARK), refused="unknown_column"),
    Case("header_typo", export(line(1), header=HEADER.replace("customer", "costumer")), refused="missing_column"),
    Case("header_typo_and_extra_allowed", export(line(1), header=HEADER.replace("customer", "costumer")),
         refused="missing_column", options=EXTRA),
    Case("header_absent", export(line(2), header=line(1)), refused="no_header"),
    Case("header_on_line_2", b"\n" + GOOD, refused="no_header"),
    Case("header_quote_unclosed", export(line(1), header='"' + HEADER), refused="no_header"),
    Case("header_only", export()),
    Case("header_only_without_end", export()[:-1]),
    Case("empty", b"", refused="empty_file"),
    Case("only_a_mark", b"\xef\xbb\xbf", refused="empty_file"),
    Case("only_a_line_end", b"\n", refused="no_header"),
    Case("png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\2\0\0\0", refused="no_header"),
    Case("json", b'{"order_id": 1, "source": "services"}', refused="no_header"),
    Case("html", b"<!DOCTYPE html>\n<html><body>502 Bad Gateway</body></html>\n", refused="no_header"),
    Case("pdf", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n", refused="no_header"),
    Case("xlsx", zipped(**{"[Content_Types].xml": b"<x/>", "xl/workbook.xml": b"<x/>"}), refused="archive_of_many"),
]  # fmt: skip

RAGGED = [
    Case("too_few_fields", export(line(1).rpartition(",")[0], line(2)), (row(2),), ((2, ("too_few_fields",)),)),
    Case("too_many_fields", export(line(1) + ",x", line(2)), (row(2),), ((2, ("too_many_fields",)),)),
    Case("one_delimiter_too_many", export(line(1) + ",", line(2)), (row(2),), ((2, ("too_many_fields",)),)),
    Case("all_fields_empty", export("," * 11, line(2)), (row(2),), ((2, ("missing_value",) * 6),)),
    Case("one_word", export("total", line(2)), (row(2),), ((2, ("too_few_fields",)),)),
]

UNCLOSED = line(1, website='"VVNL')
QUOTES = [
    Case("all_quoted", export(quoted(line(1)), quoted(line(2)), header=quoted(HEADER)), BOTH),
    Case("empty_quoted", export(line(1, voucher_id='""', voucher_status='""'), line(2)),
         (row(1, voucher_id=None, voucher_status=None), row(2))),
    Case("required_empty_quoted", export(line(1, website='""'), line(2)), (row(2),), ((2, ("missing_value",)),)),
    Case("quote_unclosed_mid_file", export(UNCLOSED, line(2), line(3)), (row(2), row(3)), ((2, ("unclosed_quote",)),)),
    Case("quote_unclosed_before_quoted_rows", export(UNCLOSED, quoted(line(2)), line(3)), (row(2), row(3)),
         ((2, ("bad_quote",)),)),
    Case("quote_unclosed_closed_by_another", export(UNCLOSED, line(2, website='"'), line(3)), (row(3),),
         ((2, ("code_too_long",)),)),
    Case("quote_unclosed_on_last_line", export(line(2), UNCLOSED), (row(2),), ((3, ("unclosed_quote",)),)),
    Case("quote_unclosed_at_the_very_end", export(line(2)) + b'"', (row(2),), ((3, ("unclosed_quote",)),)),
    Case("quotes_alone_at_the_very_end", export(line(1)) + b'""', (row(1),), ((3, ("too_few_fields",)),)),
    Case("quotes_alone_between_cr_and_lf", f'{HEADER}\n{line(1)}\r""\n{line(2)}'.encode(), BOTH,
         ((3, ("too_few_fields",)),)),
    Case("mark_before_the_first_row", f"{HEADER}\n\ufeff{line(1)}\n{line(2)}\n".encode(), (row(2),),
         ((2, ("not_an_integer",)),)),
    Case("quote_unclosed_twice", export(UNCLOSED, line(2), line(3, source='"services'), line(4)), (row(2), row(4)),
         ((2, ("bad_quote",)), (4, ("unclosed_quote",)))),
    Case("quote_within_a_field", export(line(1, website='VV"NL'), line(2)), (row(2),), ((2, ("not_a_code",)),)),
    Case("quote_at_the_end_of_a_field", export(line(1, website='VVNL"'), line(2)), (row(2),), ((2, ("not_a_code",)),)),
    Case("quote_doubled", export(line(1, website='"VV""NL"'), line(2)), (row(2),), ((2, ("not_a_code",)),)),
    Case("quote_then_text", export(line(1, website='"VV"NL'), line(2)), (row(2),), ((2, ("bad_quote",)),)),
    Case("quote_then_blank", export(line(1, website='"VVNL" '), line(2)), (row(2),), ((2, ("bad_quote",)),)),
    Case("blank_then_quote", export(line(1, website=' "VVNL"'), line(2)), (row(2),), ((2, ("not_a_code",)),)),
    Case("line_end_in_a_quoted_code", export(line(1, website='"VV\nNL"'), line(2)), (row(2),), ((2, ("not_a_code",)),)),
    remarks("quoted_quotes", line(1, extra='"say ""hi"""'), line(2, extra='""""')),
    remarks("quoted_delimiter", line(1, extra='"a,b,,c"'), line(2, extra='","')),
    remarks("bare_quotes_in_an_extra_column", line(1, extra='5" pipe'), line(2, extra='a"b"c')),
    remarks(
        "quoted_line_ends",
        line(1, extra='"a\nb\r\nc\n\n"'),
        line(2, extra="x"),
        "bad",
        rejects=((8, ("too_few_fields",)),),
    ),
    remarks(
        "quoted_record",
        line(1, extra='"\n' + line(7) + '\n"'),
        line(2, extra=""),
    ),
]  # fmt: skip

CLASH = ("conflicting_duplicate",)

DUPLICATES = [
    Case("duplicate_identical", export(line(1), line(2), line(1)), BOTH, duplicates=1),
    Case("duplicate_triple", export(line(1), line(1), line(2), line(1)), BOTH, duplicates=2),
    Case("duplicate_written_differently",
         export(line(1), line(2), line(1, order_id='"001"', order_date="2018-07-12T19:33:04+02:00")), BOTH,
         duplicates=1),
    Case("duplicate_with_missing_values", export(line(1, voucher_id=""), line(1, voucher_id=" ")),
         (row(1, voucher_id=None),), duplicates=1),
    Case("duplicate_conflicting", export(line(1), line(2), line(1, website="VVBE")), (row(2),),
         ((2, CLASH), (4, CLASH))),
    Case("duplicate_conflicting_in_a_missing_value", export(line(1), line(1, payment_date="")), (),
         ((2, CLASH), (3, CLASH))),
    Case("duplicate_two_alike_and_one_not", export(line(1), line(2), line(1), line(1, website="VVBE")), (row(2),),
         ((2, CLASH), (4, CLASH), (5, CLASH))),
    Case("duplicate_of_a_rejected_row", export(line(1, website="?"), line(1), line(2)), BOTH,
         ((2, ("not_a_code",)),)),
    Case("duplicate_number_of_another_source", export(line(1), line(1, source="events"), line(2)),
         (row(1), row(1, source="events"), row(2))),
    Case("duplicate_number_of_a_source_in_other_case", export(line(1), line(1, source="SERVICES")),
         (row(1), row(1, source="SERVICES"))),
]  # fmt: skip

LONG = [
    remarks("field_of_1_mb", line(1, extra="x" * 1_000_000), line(2, extra="")),
    remarks("field_of_1_mb_in_lines", line(1, extra='"' + "a\n" * 500_000 + '"'), line(2, extra="")),
    remarks("field_over_1_mb", line(1, extra="x" * 1_000_001), line(2, extra=""), rows=(row(2),),
            rejects=((2, ("field_too_long",)),)),
    remarks("quoted_field_over_1_mb", line(1, extra='"' + "x," * 500_001 + '"'), line(2, extra=""), rows=(row(2),),
            rejects=((2, ("field_too_long",)),)),
]  # fmt: skip

BIG = export(*(line(number, customer_id=str(number * 7919 % 99991 + 1)) for number in range(1, 400)))
BIG_ROWS = tuple(row(number, customer_id=number * 7919 % 99991 + 1) for number in range(1, 400))
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "zst": zstandard.ZstdCompressor(write_checksum=True).compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zip": lambda content: zipped(**{"orders.csv": content}),
}
PACKED = [
    case
    for kind, pack in PACKERS.items()
    for case in (
        Case(f"{kind}_good", pack(BIG), BIG_ROWS, file=f"orders.csv.{kind}"),
        Case(f"{kind}_named_csv", pack(GOOD), BOTH),
        Case(f"{kind}_of_nothing", pack(b""), refused="empty_file"),
        Case(f"{kind}_cut_in_half", pack(BIG)[: len(pack(BIG)) // 2], refused="corrupt_archive"),
        Case(f"{kind}_without_its_last_bytes", pack(BIG)[:-3], refused="corrupt_archive"),
        Case(f"{kind}_with_a_changed_byte", damaged(pack(BIG), len(pack(BIG)) // 2), refused="corrupt_archive"),
        Case(f"csv_named_{kind}", GOOD, BOTH, file=f"orders.csv.{kind}"),
    )
] + [
    Case(
        f"{kind}_of_two_parts",
        PACKERS[kind](GOOD) + PACKERS[kind](f"{line(3)}\n".encode()),
        (*BOTH, row(3)),
    )
    for kind in ("gz", "zst", "bz2", "xz")
] + [
    *(
        Case(f"{kind}_with_a_damaged_second_stream", PACKERS[kind](GOOD) + damaged(PACKERS[kind](BIG), 60),
             refused="corrupt_archive")
        for kind in ("gz", "bz2", "xz", "zst")
    ),
    *(
        Case(f"{kind}_with_something_after_it", PACKERS[kind](GOOD) + b"something", refused="corrupt_archive")
        for kind in ("gz", "bz2", "xz", "zst", "zip")
    ),
    Case("xz_with_padding", PACKERS["xz"](GOOD) + bytes(8), BOTH),
    Case("zip_after_another_zip", zipped(a=GOOD) + zipped(b=export(line(3))), refused="corrupt_archive"),
    Case("zst_after_a_skippable_frame", b"\x50\x2a\x4d\x18\x04\0\0\0abcd" + PACKERS["zst"](GOOD), BOTH),
    Case("zip_of_two_files", zipped(**{"a.csv": GOOD, "b.csv": GOOD}), refused="archive_of_many"),
    Case("zip_of_a_folder_with_one_file", zipped(**{"out/": b"", "out/orders.csv": GOOD}), BOTH),
    Case("zip_of_no_file", zipped(), refused="archive_of_many"),
    Case("zip_with_an_endless_list", zipped(a=GOOD, **{f"{n:050}/": b"" for n in range(12_000)}),
         refused="archive_of_many"),
    Case("zip_packed_by_lzma", zipped_by_lzma(GOOD), refused="too_much_memory"),
    Case("xz_that_needs_gigabytes", demanding(PACKERS["xz"](GOOD)), refused="too_much_memory"),
    Case("gz_only_its_first_bytes", b"\x1f\x8b", refused="corrupt_archive"),
]  # fmt: skip

FILES = [*ENCODED, *LINE_ENDS, *DELIMITED, *HEADERS, *RAGGED, *QUOTES, *DUPLICATES, *LONG, *PACKED]
