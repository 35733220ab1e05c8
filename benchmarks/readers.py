"""How fast readers of CSV are, and what they make of broken rows: `python -m benchmarks.readers [--rows N]`.

Needs requirements-bench.txt. Every reader takes all values as text, in blocks of 4 MB, on one thread, so that
they do the same work; the last line is the reader of the product, with validation.
"""

from __future__ import annotations

import argparse
import csv
import io
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC
from functools import partial
from itertools import count
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

os.environ["POLARS_MAX_THREADS"] = "1"
import polars as pl
from pyarrow import csv as arrow_csv

from ingestion.reader.batches import OrderReader, ReadOptions
from ingestion.reader.inputs import open_input
from ingestion.reader.records import Record, split_line
from ingestion.reader.records import blocks as cut

ROOT = Path(__file__).resolve().parent.parent
BLOCK = 4 << 20
HEADER = b"a,b,c\n"
BROKEN = {
    "too few fields": b"1,2,3\n4,5\n6,7,8\n",
    "too many fields": b"1,2,3\n4,5,6,7\n8,9,10\n",
    "stray quotation mark": b'1,2,3\n4,"5,6\n7,8,9\n10,11,12\n',
    "text after a quoted field": b'1,2,3\n4,"5"x,6\n7,8,9\n',
    "bytes that are not text": b"1,2,3\n4,\xff,6\n7,8,9\n",
}


def blocks(path: Path) -> Iterator[bytes]:
    """The lines after the header, about 4 MB at a time."""
    with path.open("rb") as file:
        file.readline()
        while block := file.read(BLOCK):
            yield block + file.readline()


def with_pyarrow(data: bytes, names: list[str]) -> list[tuple[str | None, ...]]:
    """pyarrow as text; ragged rows are passed over."""
    table = arrow_text(data, names)
    return list(zip(*(column.to_pylist() for column in table.columns), strict=True))


def arrow_text(data: bytes, names: list[str]) -> pa.Table:
    """A block as a table of texts."""
    return arrow_csv.read_csv(
        io.BytesIO(data),
        arrow_csv.ReadOptions(column_names=names, use_threads=False, block_size=len(data) + 1),
        arrow_csv.ParseOptions(invalid_row_handler=lambda _: "skip"),
        arrow_csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False),
    )


def polars_text(data: bytes, names: list[str]) -> pl.DataFrame:
    """A block as a frame of texts."""
    return pl.read_csv(data, has_header=False, new_columns=names, infer_schema=False, truncate_ragged_lines=True)


def duckdb_text(path: Path, *, ignore_errors: bool = False) -> duckdb.DuckDBPyRelation:
    """A file as a relation of texts."""
    connection = duckdb.connect(config={"threads": 1})
    names = path.open("rb").readline().decode().strip().split(",")
    columns = ", ".join(f"'{name}': 'VARCHAR'" for name in names)
    options = f"header = true, auto_detect = false, columns = {{{columns}}}, delim = ','"
    options += f", quote = '\"', ignore_errors = {ignore_errors}"
    return connection.sql(f"SELECT * FROM read_csv('{path}', {options})")


def with_polars(data: bytes, names: list[str]) -> list[tuple[str | None, ...]]:
    """polars as text; what is too much in a row is cut off."""
    rows: list[tuple[str | None, ...]] = polars_text(data, names).rows()
    return rows


def with_duckdb(path: Path, *, ignore_errors: bool = False) -> list[tuple[str | None, ...]]:
    """DuckDB as text."""
    rows: list[tuple[str | None, ...]] = duckdb_text(path, ignore_errors=ignore_errors).fetchall()
    return rows


def with_csv(data: bytes) -> list[list[str]]:
    """The standard library's reader."""
    return list(csv.reader(io.StringIO(data.decode())))


def with_product(data: bytes, width: int) -> list[tuple[int, str | list[bytes] | None]]:
    """How the product cuts records: line, and fields or flaw; the number of fields is checked after that."""
    return [
        (record.line, record.flaw or split_line(record.raw, b","))
        for block in cut(iter([data]), delimiter=",", width=width, first_line=2)
        for record in block.records or map(Record, count(block.first_line), block.line_texts())
    ]


def seconds(work: Callable[[], object], times: int = 3) -> float:
    """The best of some runs."""
    best = float("inf")
    for _ in range(times):
        begun = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - begun)
    return best


def product(path: Path) -> int:
    """The product's reader; the number of valid rows."""
    with open_input(str(path)) as source:
        return sum(batch.rows.num_rows for batch in OrderReader(source, ReadOptions(), UTC).batches())


def separators(path: Path) -> int:
    """Where the fields end, found with numpy."""
    texts = (np.frombuffer(block, dtype=np.uint8) for block in blocks(path))
    return sum(len(np.flatnonzero((text == ord(",")) | (text == ord("\n")))) for text in texts)


def timing(path: Path) -> None:
    """Print how long each takes."""
    names = path.open().readline().strip().split(",")
    works: dict[str, Callable[[], object]] = {
        "numpy, separators only": lambda: separators(path),
        "pyarrow": lambda: all(arrow_text(block, names).num_rows for block in blocks(path)),
        "polars": lambda: all(polars_text(block, names).height for block in blocks(path)),
        "duckdb, from the file": lambda: duckdb_text(path).to_arrow_table(),
        "csv of the standard library": lambda: sum(
            1 for block in blocks(path) for _ in csv.reader(io.StringIO(block.decode("utf-8", "replace")))
        ),
        "the product, with validation": lambda: product(path),
    }
    print(f"{path.stat().st_size / 1e6:.0f} MB\n")
    for name, work in works.items():
        print(f"{name:<30}{seconds(work):>8.2f} s", flush=True)


def truth() -> None:
    """Print what each makes of a few broken inputs."""
    for title, data in BROKEN.items():
        print(f"\n{title}: {data!r}")
        with tempfile.NamedTemporaryFile(suffix=".csv") as file:
            file.write(HEADER + data)
            file.flush()
            path = Path(file.name)
            readings: dict[str, Callable[[], object]] = {
                "pyarrow": partial(with_pyarrow, data, ["a", "b", "c"]),
                "polars": partial(with_polars, data, ["a", "b", "c"]),
                "duckdb": partial(with_duckdb, path),
                "duckdb, ignore_errors": partial(with_duckdb, path, ignore_errors=True),
                "csv": partial(with_csv, data),
                "the product's records": partial(with_product, data, 3),
            }
            for name, read in readings.items():
                print(f"  {name:<24}{outcome(read)}")


def outcome(read: Callable[[], object]) -> str:
    """The rows, or the first line of the error."""
    try:
        return str(read())
    except Exception as error:  # noqa: BLE001  whatever a reader says is the result
        return f"{type(error).__name__}: {str(error).splitlines()[0][:90]}"


def main() -> None:
    """Make a file, measure, and look at the truth."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "orders.csv"
        generate = ["generate_orders", "--rows", str(rows), "--seed", "1", "--output", str(path)]
        command = [sys.executable, "manage.py", *generate]
        subprocess.run(
            command, cwd=ROOT, check=True, env={"DJANGO_SECRET_KEY": secrets.token_urlsafe(50), **os.environ}
        )
        timing(path)
    truth()


if __name__ == "__main__":
    main()
