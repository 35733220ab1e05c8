"""Small broken and odd export files, each with what must become of it. The table that tests go through."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

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


def value(name: str, text: str, *codes: str, **stored: object) -> Case:
    """A file whose row 1 has another text, and either the reasons against it or what is stored; row 2 is good."""
    [column] = [part for part in HEADER.split(",") if name.startswith(part)]
    content = export(line(1, **{column: text}), line(2))
    if codes:
        return Case(name, content, (row(2),), ((2, codes),))
    return Case(name, content, (row(1, **stored), row(2)))


def remarks(name: str, *lines: str, rows: tuple[Row, ...] = BOTH, rejects: Rejects = ()) -> Case:
    """A file with a thirteenth column that is passed over."""
    return Case(name, export(*lines, header=WITH_REMARK), rows, rejects, options=EXTRA)


def at(*moment: int) -> datetime:
    """A moment in UTC."""
    return datetime(*moment, tzinfo=UTC)  # type: ignore[arg-type, misc]


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

NUMBERS = [
    value("customer_id_exponent", "1e5", "not_an_integer"),
    value("customer_id_decimal", "12.0", "not_an_integer"),
    value("customer_id_thousands", '"1,234"', "not_an_integer"),
    value("customer_id_thousands_bare", "1,234", "too_many_fields"),
    value("customer_id_underscore", "1_234", "not_an_integer"),
    value("customer_id_plus", "+7", "not_an_integer"),
    value("customer_id_minus", "-1", "not_an_integer"),
    value("customer_id_zero", "0", "integer_out_of_range"),
    value("customer_id_zeros", "0000000000000000", "integer_out_of_range"),
    value("customer_id_hexadecimal", "0x1F", "not_an_integer"),
    value("customer_id_largest", "999999999999", customer_id=999999999999),
    value("customer_id_too_large", "1000000000000", "integer_out_of_range"),
    value("customer_id_beyond_64_bits", "18446744073709551617", "integer_out_of_range"),
    value("customer_id_leading_zeros", "0012", customer_id=12),
    value("customer_id_many_leading_zeros", "00000000000000000000000012", customer_id=12),
    value("customer_id_arabic_digits", "١٢٣", "not_an_integer"),
    value("customer_id_full_width_digits", "\uff11\uff12", "not_an_integer"),
    value("customer_id_superscript", "1²", "not_an_integer"),
    value("customer_id_blank_within", "1 2", "not_an_integer"),
    value("customer_id_no_break_space", "\xa012", "not_an_integer"),
    value("customer_id_missing", "", "missing_value"),
    value("voucher_id_null", "NULL", "not_an_integer"),
    value("voucher_id_backslash_n", r"\N", "not_an_integer"),
    value("voucher_id_nan", "NaN", "not_an_integer"),
    value("voucher_id_dash", "-", "not_an_integer"),
    value("voucher_id_blank", "  ", voucher_id=None),
    value("voucher_id_zero", "0", "integer_out_of_range"),
    value("order_id_largest", "999999999999", order_id=999999999999),
    value("order_id_zero", "0", "integer_out_of_range"),
    value("order_id_missing", "", "missing_value"),
]

CODES = [
    value("website_longest", "a" * 32, website="a" * 32),
    value("website_too_long", "a" * 33, "code_too_long"),
    value("website_blank_within", "VV NL", "not_a_code"),
    value("website_accent", "VVNÉ", "not_a_code"),
    value("website_point", "vv.nl", "not_a_code"),
    value("website_emoji", "😀", "not_a_code"),
    value("website_formula", "=1+1", "not_a_code"),
    value("website_blanks_around", " \tVVNL\t ", website="VVNL"),
    value("website_no_break_space", "VVNL\xa0", "not_a_code"),
    value("website_only_blanks", " \t", "missing_value"),
    value("website_lower_case", "vvnl", website="vvnl"),
    value("order_status_null", "NULL", order_status="NULL"),
    value("voucher_status_missing", "", voucher_status=None),
    value("source_missing", "", "missing_value"),
]

DATES = [
    value("order_date_unpadded", "2016-2-3 10:53:48.000", order_date=at(2016, 2, 3, 10, 53, 48)),
    value("order_date_with_t", "2018-07-12T17:33:04", order_date=at(2018, 7, 12, 17, 33, 4)),
    value("order_date_with_z", "2018-07-12T17:33:04.5Z", order_date=at(2018, 7, 12, 17, 33, 4, 500000)),
    value("order_date_with_offset", "2018-07-12 01:33:04+02:00", order_date=at(2018, 7, 11, 23, 33, 4)),
    value("order_date_with_short_offset", "2018-07-12 17:33:04 -0530", order_date=at(2018, 7, 12, 23, 3, 4)),
    value("order_date_with_offset_of_25_hours", "2018-07-12 17:33:04+25:00", "no_such_date"),
    value("order_date_six_decimals", "2018-07-12 17:33:04.000001", order_date=at(2018, 7, 12, 17, 33, 4, 1)),
    value("order_date_seven_decimals", "2018-07-12 17:33:04.0000001", "not_a_timestamp"),
    value("order_date_30_february", "2018-02-30 10:00:00", "no_such_date"),
    value("order_date_29_february", "2016-02-29 10:00:00", order_date=at(2016, 2, 29, 10)),
    value("order_date_29_february_of_no_leap_year", "2018-02-29 10:00:00", "no_such_date"),
    value("order_date_31_april", "2018-04-31 10:00:00", "no_such_date"),
    value("order_date_month_13", "2018-13-01 10:00:00", "no_such_date"),
    value("order_date_day_0", "2018-01-00 10:00:00", "no_such_date"),
    value("order_date_bare", "2018-07-12", "not_a_timestamp"),
    value("order_date_without_seconds", "2018-07-12 17:33", "not_a_timestamp"),
    value("order_date_time_only", "10:53", "not_a_timestamp"),
    value("order_date_epoch_milliseconds", "1531416784000", "not_a_timestamp"),
    value("order_date_day_first", "12/07/2018 17:33:04", "not_a_timestamp"),
    value("order_date_two_digit_year", "18-07-12 17:33:04", "not_a_timestamp"),
    value("order_date_year_0", "0000-01-01 00:00:00", "no_such_date"),
    value("order_date_year_900", "0900-01-01 00:00:00", order_date=at(900, 1, 1)),
    value("order_date_before_year_1", "0001-01-01 00:00:00+01:00", "no_such_date"),
    value("order_date_after_year_9999", "9999-12-31 23:59:59-01:00", "no_such_date"),
    value("order_date_24_00", "2018-07-12 24:00:00", "no_such_date"),
    value("order_date_60_seconds", "2018-07-12 17:33:60", "no_such_date"),
    value("order_date_in_2042", "2042-07-12 17:33:04", order_date=at(2042, 7, 12, 17, 33, 4)),
    value("order_date_blanks_around", "  2018-07-12 17:33:04\t"),
    value("order_date_two_blanks_within", "2018-07-12  17:33:04", "not_a_timestamp"),
    value("order_date_null", "NULL", "not_a_timestamp"),
    value("order_date_missing", "", "missing_value"),
    value("payment_date_missing", "", payment_date=None),
    value("payment_date_zero", "0000-00-00 00:00:00", "no_such_date"),
    Case("several_reasons", export(line(1, order_id="x", website="?", order_date="soon"), line(2)), (row(2),),
         ((2, ("not_an_integer", "not_a_code", "not_a_timestamp")),)),
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
    Case("zip_of_two_files", zipped(**{"a.csv": GOOD, "b.csv": GOOD}), refused="archive_of_many"),
    Case("zip_of_a_folder_with_one_file", zipped(**{"out/": b"", "out/orders.csv": GOOD}), BOTH),
    Case("zip_of_no_file", zipped(), refused="archive_of_many"),
    Case("gz_only_its_first_bytes", b"\x1f\x8b", refused="corrupt_archive"),
]  # fmt: skip

CASES = [
    *ENCODED, *LINE_ENDS, *DELIMITED, *HEADERS, *RAGGED, *QUOTES,
    *NUMBERS, *CODES, *DATES, *DUPLICATES, *LONG, *PACKED,
]  # fmt: skip
