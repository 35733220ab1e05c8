"""One value written in many ways, each in a small file, with what must become of it. More of the table of cases."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.csv_cases import Case
from tests.loading import HEADER, export, line, row


def value(name: str, text: str, *codes: str, **stored: object) -> Case:
    """A file whose row 1 has another text, and either the reasons against it or what is stored; row 2 is good."""
    [column] = [part for part in HEADER.split(",") if name.startswith(part)]
    content = export(line(1, **{column: text}), line(2))
    if codes:
        return Case(name, content, (row(2),), ((2, codes),))
    return Case(name, content, (row(1, **stored), row(2)))


def at(*moment: int) -> datetime:
    """A moment in UTC."""
    return datetime(*moment, tzinfo=UTC)  # type: ignore[arg-type, misc]


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
    *(
        value(f"order_date_with_offset_{name}", f"2018-07-12 17:33:04{text}", order_date=at(2018, 7, 12, 17, 33, 4))
        for name, text in {"z": "Z", "zero": "+00:00", "short_zero": "+00", "minus_zero": "-00:00"}.items()
    ),
    value("order_date_with_two_offsets", "2018-07-12 17:33:04+00Z", "not_a_timestamp"),
    value("order_date_with_two_z", "2018-07-12 17:33:04ZZ", "not_a_timestamp"),
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


VALUES = [*NUMBERS, *CODES, *DATES]
