"""`generate_orders`: the shape of its files, their dirt, their second day, and its answers to bad arguments."""

import io
import os
import re
import shlex
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from datetime import UTC
from itertools import pairwise
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from catalog.contract import COLUMNS, NAMES, check_row
from ingestion.generator import HEADER, MAX_ROWS, Recipe, generate
from ingestion.generator_dirt import BREAKS, SOILS

DATA = Path(settings.BASE_DIR) / "data"
Row = dict[str, str]

# Out of the 200 rows of a real export.
REAL_COUNTS: dict[str, dict[str, int]] = {
    "source": {"services": 198, "avdd": 2},
    "website": {"VVNL": 173, "VVBE": 19, "VVBDBE": 4, "AVDD-NL": 2, "VVBDFR": 1, "SJSNL": 1},
    "order_status": {"PAID": 190, "CANCELED": 9, "UNKNOWN": 1},
    "voucher_status": {"PAID_TO_SUPPLIER": 88, "": 49, "USED": 34, "EXPIRED": 26, "INVALID": 3},
    "payment_status": {"PAID": 189, "": 8, "REFUNDED": 3},
}
REAL_MISSING = {"payment_id": 11, "payment_date": 11, "voucher_id": 49, "product_id": 35}
REAL_YEARS = {"2014": 35, "2015": 16, "2016": 25, "2017": 47, "2018": 19, "2019": 37, "2020": 2, "2021": 19}
TOLERANCE = 0.02

# One sign for each kind of dirt; a clean row shows none.
SIGNS: dict[str, Callable[[Row], bool]] = {
    "misspelt_status": lambda row: row["voucher_status"] == "EXPRIED",
    "impossible_year": lambda row: row["order_date"].startswith("2042-"),
    "unpadded_date": lambda row: len(row["order_date"]) < len("2018-07-12 17:33:04.000"),
    "refunded_but_paid_out": lambda row: (
        (row["payment_status"], row["voucher_status"]) == ("REFUNDED", "PAID_TO_SUPPLIER")
    ),
    "paid_without_payment": lambda row: row["order_status"] == "PAID" and not row["payment_id"],
}


def lines_of(recipe: Recipe, chunk_rows: int = 65_536) -> list[bytes]:
    """The rows of a generated file, without its header."""
    header, *lines = b"".join(generate(recipe, chunk_rows)).split(b"\n")
    assert header + b"\n" == HEADER
    assert lines.pop() == b""
    return lines


def row_of(line: bytes) -> Row:
    return dict(zip(NAMES, line.decode().split(","), strict=True))


def is_good(line: bytes) -> bool:
    """Whether the contract takes the line."""
    try:
        texts = line.decode().split(",")
    except UnicodeDecodeError:
        return False
    return len(texts) == len(NAMES) and not check_row(texts, UTC)[1]


def lacks_required(fields: list[bytes]) -> bool:
    """Whether a row of the right width has an empty field that must not be."""
    return len(fields) == len(COLUMNS) and any(
        column.required and not field for column, field in zip(COLUMNS, fields, strict=True)
    )


def spoilt_lines(recipe: Recipe) -> list[bytes]:
    """The lines in which a file differs from the clean one."""
    clean = lines_of(Recipe(recipe.rows, recipe.seed))
    return [line for line, before in zip(lines_of(recipe), clean, strict=True) if line != before]


@pytest.fixture(scope="module")
def clean_rows() -> list[Row]:
    return [row_of(line) for line in lines_of(Recipe(40_000, 7))]


class TestShape:
    def test_form(self) -> None:
        header, first, *_ = b"".join(generate(Recipe(10, 7))).split(b"\n")
        assert header == ",".join(f'"{name}"' for name in NAMES).encode()
        assert re.fullmatch(
            rb"(\d+,(services|avdd),\d+(,\d*){3}(,[A-Z_-]*){4}(,(\d{4}(-\d\d){2} [\d:]{8}\.000)?){2})", first
        )

    def test_every_clean_row_keeps_the_contract(self) -> None:
        assert all(map(is_good, lines_of(Recipe(5_000, 3))))

    @pytest.mark.parametrize("column", REAL_COUNTS)
    def test_values_are_as_frequent_as_in_the_real_file(self, clean_rows: list[Row], column: str) -> None:
        counts = Counter(row[column] for row in clean_rows)
        assert set(counts) == set(REAL_COUNTS[column])
        for value, real in REAL_COUNTS[column].items():
            assert counts[value] / len(clean_rows) == pytest.approx(real / 200, abs=TOLERANCE), value

    @pytest.mark.parametrize("column", REAL_MISSING)
    def test_values_are_missing_as_often_as_in_the_real_file(self, clean_rows: list[Row], column: str) -> None:
        missing = sum(not row[column] for row in clean_rows)
        assert missing / len(clean_rows) == pytest.approx(REAL_MISSING[column] / 200, abs=TOLERANCE)

    def test_years_are_as_frequent_as_in_the_real_file(self, clean_rows: list[Row]) -> None:
        counts = Counter(row["order_date"][:4] for row in clean_rows)
        assert {year: counts[year] / len(clean_rows) for year in counts} == pytest.approx(
            {year: real / 200 for year, real in REAL_YEARS.items()}, abs=TOLERANCE
        )

    def test_what_is_missing_together(self, clean_rows: list[Row]) -> None:
        for row in clean_rows:
            assert bool(row["payment_id"]) == bool(row["payment_date"]) == (row["payment_status"] == "PAID")
            assert bool(row["voucher_id"]) == bool(row["voucher_status"])
            assert bool(row["product_id"]) == (row["source"] == "avdd" or not row["order_date"].startswith("2014"))
            assert row["payment_status"] != "REFUNDED" or row["order_status"] == "CANCELED"

    def test_no_key_twice_and_not_sorted(self, clean_rows: list[Row]) -> None:
        keys = [(row["source"], row["order_id"]) for row in clean_rows]
        assert len(set(keys)) == len(keys)
        rising = sum(one < next_ for one, next_ in pairwise(keys))
        assert rising / len(keys) == pytest.approx(0.5, abs=TOLERANCE)

    @pytest.mark.parametrize("source", ["services", "avdd"])
    def test_order_numbers_rise_with_time_with_gaps(self, clean_rows: list[Row], source: str) -> None:
        orders = sorted((int(row["order_id"]), row["order_date"]) for row in clean_rows if row["source"] == source)
        dates = [date for _, date in orders]
        assert dates == sorted(dates)
        assert orders[-1][0] - orders[0][0] > 10 * len(orders)

    def test_the_sources_share_numbers_for_different_orders(self, clean_rows: list[Row]) -> None:
        by_source = {
            source: {row["order_id"]: row for row in clean_rows if row["source"] == source}
            for source in ("services", "avdd")
        }
        shared = by_source["services"].keys() & by_source["avdd"].keys()
        assert len(shared) > 10
        assert all(
            by_source["services"][number]["order_date"] != by_source["avdd"][number]["order_date"] for number in shared
        )

    def test_one_huge_customer_and_a_long_tail(self, clean_rows: list[Row]) -> None:
        orders = Counter(row["customer_id"] for row in clean_rows)
        (_, biggest), (_, second) = orders.most_common(2)
        assert biggest / len(clean_rows) == pytest.approx(0.155, abs=2 * TOLERANCE)
        assert second < biggest / 5
        once = sum(count == 1 for count in orders.values())
        assert 0.6 < once / len(orders) < 0.95

    def test_orders_of_a_customer_tend_to_lie_together(self, clean_rows: list[Row]) -> None:
        customers = [row["customer_id"] for row in clean_rows]
        same = sum(one == next_ for one, next_ in pairwise(customers))
        assert same / len(customers) > 0.2

    @pytest.mark.parametrize("rows", [0, 1, 2, 3, 49, 50, 101])
    def test_small_files(self, rows: int) -> None:
        lines = lines_of(Recipe(rows, 1))
        assert len({tuple(line.split(b",")[:2]) for line in lines}) == rows
        assert all(map(is_good, lines))


class TestDeterminism:
    RECIPE = Recipe(3_000, 5, dirty=0.02, broken=0.02, changed=0.05)

    @pytest.mark.parametrize("chunk_rows", [1, 7, 1_000, 3_000])
    def test_the_size_of_a_chunk_does_not_show(self, chunk_rows: int) -> None:
        assert lines_of(self.RECIPE, chunk_rows) == lines_of(self.RECIPE)

    def test_another_seed_is_another_file(self) -> None:
        one, other = (set(lines_of(Recipe(1_000, seed))) for seed in (1, 2))
        assert len(one & other) == 0

    def test_a_seed_may_be_large(self) -> None:
        assert len(lines_of(Recipe(10, 10**40))) == 10


class TestDirt:
    def test_a_clean_file_shows_none(self, clean_rows: list[Row]) -> None:
        assert [name for row in clean_rows for name, sign in SIGNS.items() if sign(row)] == []

    def test_there_is_a_sign_for_every_kind(self) -> None:
        assert [soil.__name__ for soil in SOILS] == list(SIGNS)

    def test_every_kind_has_its_even_share_and_loads(self) -> None:
        dirty = spoilt_lines(Recipe(10_000, 5, dirty=0.05))
        assert len(dirty) == 500
        assert all(map(is_good, dirty))
        found = Counter(name for line in dirty for name, sign in SIGNS.items() if sign(row_of(line)))
        assert found == dict.fromkeys(SIGNS, 100)

    def test_every_row_can_be_dirty(self) -> None:
        lines = lines_of(Recipe(3_000, 5, dirty=1))
        assert all(map(is_good, lines))
        assert all(any(sign(row_of(line)) for sign in SIGNS.values()) for line in lines)


class TestBroken:
    RECIPE = Recipe(11_000, 5, broken=0.01)
    SIGNS: tuple[tuple[str, Callable[[bytes], bool]], ...] = (
        ("too_few_fields", lambda line: line.count(b",") == len(NAMES) - 2),
        ("too_many_fields", lambda line: line.count(b",") == len(NAMES)),
        ("exponent", lambda line: b",1e5," in line),
        ("decimal", lambda line: re.search(rb",\d+\.0,", line) is not None),
        ("no_such_day", lambda line: b"-02-30 " in line),
        ("bare_date", lambda line: re.search(rb",\d{4}-\d\d-\d\d,", line) is not None),
        ("missing_value", lambda line: lacks_required(line.split(b","))),
        ("not_utf8", lambda line: b"\xff" in line),
        ("stray_quote", lambda line: line.count(b'"') == 1),
    )

    def test_every_kind_has_its_even_share(self) -> None:
        broken = spoilt_lines(self.RECIPE)
        assert len(broken) == 110
        for name, sign in self.SIGNS:
            found = [line for line in broken if sign(line)]
            assert len(found) == 10, name
            assert not any(map(is_good, found)), name
        assert len(self.SIGNS) + 2 == len(BREAKS)

    def test_duplicates_repeat_or_contradict_a_good_row(self) -> None:
        copies = Counter(line for line in lines_of(self.RECIPE) if is_good(line))
        assert Counter(copies.values())[2] == 10
        keys = Counter(tuple(line.split(b",")[:2]) for line in copies)
        assert Counter(keys.values()) == {1: len(keys) - 10, 2: 10}

    def test_dirty_and_broken_rows_do_not_mix(self) -> None:
        spoilt = spoilt_lines(Recipe(2_000, 5, dirty=0.25, broken=0.25))
        assert len(spoilt) == 1_000
        assert sum(is_good(line) and any(sign(row_of(line)) for sign in SIGNS.values()) for line in spoilt) == 500

    def test_every_row_can_be_broken(self) -> None:
        assert not any(map(is_good, lines_of(Recipe(1_000, 5, broken=1))))


class TestChanged:
    def test_that_share_of_the_orders_has_moved_on(self) -> None:
        before, after = lines_of(Recipe(10_000, 5)), lines_of(Recipe(10_000, 5, changed=0.02))
        pairs = [(row_of(b), row_of(a)) for b, a in zip(before, after, strict=True) if b != a]
        assert len(pairs) == 200
        kept = ("order_id", "source", "customer_id", "product_id", "website", "order_date")
        assert all(old[name] == new[name] for old, new in pairs for name in kept)
        moves = Counter((old["voucher_status"], new["voucher_status"]) for old, new in pairs)
        assert moves["PAID_TO_SUPPLIER", "USED"] > 50
        assert any((new["order_status"], new["payment_status"]) == ("CANCELED", "REFUNDED") for _, new in pairs)

    def test_every_order_can_move_and_stays_clean(self) -> None:
        before, after = lines_of(Recipe(5_000, 5)), lines_of(Recipe(5_000, 5, changed=1))
        assert all(one != other for one, other in zip(before, after, strict=True))
        assert all(map(is_good, after))
        assert not any(sign(row_of(line)) for line in after for sign in SIGNS.values())

    def test_spoilt_rows_stay_as_they_are(self) -> None:
        clean, spoilt = lines_of(Recipe(2_000, 5)), lines_of(Recipe(2_000, 5, dirty=0.2))
        after = lines_of(Recipe(2_000, 5, dirty=0.2, changed=1))
        for one, two, three in zip(clean, spoilt, after, strict=True):
            assert (two == three) == (one != two)

    def test_a_duplicate_moves_with_its_order(self) -> None:
        lines = lines_of(Recipe(1_100, 5, broken=0.1, changed=1))
        assert Counter(Counter(line for line in lines if is_good(line)).values())[2] == 10


class TestCommand:
    def test_standard_output(self) -> None:
        out = io.TextIOWrapper(io.BytesIO())
        call_command("generate_orders", "--rows=500", "--seed=4", "--broken=0.1", stdout=out)
        assert isinstance(out.buffer, io.BytesIO)
        assert out.buffer.getvalue() == b"".join(generate(Recipe(500, 4, broken=0.1)))

    def test_a_file(self, tmp_path: Path) -> None:
        path = tmp_path / "orders.csv"
        call_command("generate_orders", rows=500, seed=4, changed=0.1, output=str(path))
        assert path.read_bytes() == b"".join(generate(Recipe(500, 4, changed=0.1)))

    @pytest.mark.parametrize(
        ("arguments", "sentence"),
        [
            ({"rows": -1}, f"The number of rows must be between 0 and {MAX_ROWS}, not -1."),
            ({"rows": MAX_ROWS + 1}, f"The number of rows must be between 0 and {MAX_ROWS}, not {MAX_ROWS + 1}."),
            ({"seed": -3}, "The seed must be 0 or more, not -3."),
            ({"dirty": 1.1}, "The share of dirty rows must be between 0 and 1, not 1.1."),
            ({"broken": -0.1}, "The share of broken rows must be between 0 and 1, not -0.1."),
            ({"changed": float("nan")}, "The share of changed rows must be between 0 and 1, not nan."),
            ({"dirty": 0.6, "broken": 0.6}, "The shares of dirty and broken rows must not add up to more than 1."),
        ],
    )
    def test_bad_arguments(self, arguments: dict[str, float], sentence: str) -> None:
        with pytest.raises(CommandError, match=f"^{re.escape(sentence)}$"):
            call_command("generate_orders", **{"rows": 10, "seed": 1, **arguments})

    @pytest.mark.parametrize("missing", ["--rows", "--seed"])
    def test_rows_and_seed_are_required(self, missing: str) -> None:
        given = {"--rows": "--rows=1", "--seed": "--seed=1"}
        del given[missing]
        with pytest.raises(CommandError, match=missing):
            call_command("generate_orders", *given.values())

    def test_output_that_cannot_be_written(self, tmp_path: Path) -> None:
        path = tmp_path / "no such folder" / "orders.csv"
        with pytest.raises(CommandError, match=r"orders\.csv cannot be written: No such file or directory"):
            call_command("generate_orders", rows=1, seed=1, output=str(path))

    def test_a_reader_that_has_seen_enough(self) -> None:
        command = [sys.executable, "manage.py", "generate_orders", "--rows", "100000", "--seed", "1"]
        with subprocess.Popen(
            command, cwd=settings.BASE_DIR, env=os.environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            assert process.stdout.readline() == HEADER
            process.stdout.close()
            assert process.stderr.read() == b""
        assert process.returncode == 0


class TestSample:
    def test_it_is_what_the_command_in_the_readme_makes(self, tmp_path: Path) -> None:
        readme = (DATA / "README.md").read_text()
        command = re.search(
            r"^ +python manage\.py (generate_orders .*) --output data/sample\.csv$", readme, re.MULTILINE
        )
        assert command is not None
        path = tmp_path / "sample.csv"
        call_command(*shlex.split(command[1]), output=str(path))
        assert path.read_bytes() == (DATA / "sample.csv").read_bytes()

    def test_it_is_small(self) -> None:
        assert (DATA / "sample.csv").stat().st_size < 700_000

    def test_the_readme_counts_what_is_in_it(self) -> None:
        lines = (DATA / "sample.csv").read_bytes().split(b"\n")[1:-1]
        distinct = set(filter(is_good, lines))
        duplicates = sum(map(is_good, lines)) - len(distinct)
        keys = Counter(tuple(line.split(b",")[:2]) for line in distinct)
        loaded = sum(count == 1 for count in keys.values())
        rejected = len(lines) - duplicates - loaded
        sentence = (
            f"of {len(lines):,} rows {loaded:,} orders load, {duplicates} are duplicates, and {rejected} are rejected"
        )
        assert sentence in (DATA / "README.md").read_text()
