"""Make order exports: files of any size with the shape and the dirt of a real one.

Every row is a function of the recipe and of its position in the file, drawn from a hash and reckoned in whole
numbers only. So the same recipe gives the same bytes on every machine, in chunks of any size, and memory does
not grow with the file. Nothing here knows of Django or of a database.
"""

from __future__ import annotations

import hashlib
import io
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import csv

from catalog.contract import NAMES
from ingestion import generator_shape as shape
from ingestion.generator_dirt import break_line, soil_line
from ingestion.generator_shape import Ints

Flags = NDArray[np.bool_]

MAX_ROWS = 10**9
CHUNK_ROWS = 65_536
HEADER = ",".join(f'"{name}"' for name in NAMES).encode() + b"\n"


@dataclass(frozen=True, slots=True)
class Recipe:
    """What decides a file, to the last byte.

    Raises `ValueError`, with a sentence to show, when the figures make no sense.
    """

    rows: int
    seed: int
    dirty: float = 0.0
    """Share of rows that look wrong and load all the same."""
    broken: float = 0.0
    """Share of rows that break the contract or the file."""
    changed: float = 0.0
    """Share of orders that have moved on since the file that the same recipe without it gives."""

    def __post_init__(self) -> None:
        if not 0 <= self.rows <= MAX_ROWS:
            raise ValueError(f"The number of rows must be between 0 and {MAX_ROWS}, not {self.rows}.")
        if self.seed < 0:
            raise ValueError(f"The seed must be 0 or more, not {self.seed}.")
        for name in ("dirty", "broken", "changed"):
            share = getattr(self, name)
            if not 0 <= share <= 1:
                raise ValueError(f"The share of {name} rows must be between 0 and 1, not {share}.")
        if self.dirty + self.broken > 1:
            raise ValueError("The shares of dirty and broken rows must not add up to more than 1.")


def generate(recipe: Recipe, chunk_rows: int = CHUNK_ROWS) -> Iterator[bytes]:
    """The file that `recipe` describes, in pieces: the header, then `chunk_rows` rows at a time."""
    export = _Export(recipe)
    yield HEADER
    for start in range(0, recipe.rows, chunk_rows):
        yield export.text(start, min(start + chunk_rows, recipe.rows))


@dataclass(frozen=True, slots=True)
class _Dice:
    """Random numbers without a state: the same name and key always give the same number."""

    seed: int

    def hash(self, name: str, keys: Ints) -> NDArray[np.uint64]:
        """64 random bits for every key (the finaliser of splitmix64)."""
        digest = hashlib.blake2b(f"{self.seed}:{name}".encode(), digest_size=8).digest()
        bits = keys.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(int.from_bytes(digest, "little"))
        bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return bits ^ (bits >> np.uint64(31))

    def roll(self, name: str, keys: Ints, sides: int | Ints) -> Ints:
        """For every key a number from 0 to `sides` - 1; `sides` below 2^31."""
        return ((self.hash(name, keys) >> np.uint64(33)).astype(np.int64) * sides) >> 31

    def pick(self, name: str, keys: Ints, quantiles: Ints) -> Ints:
        """For every key a number that is spread as `quantiles`, sixteen steps of equal weight."""
        return _between(self.roll(name, keys, 1 << 20), quantiles)


def _between(place: Ints, quantiles: Ints) -> Ints:
    """The value at `place` (of 2^20) on the line through sixteen steps."""
    step = place >> 16
    values: Ints = quantiles[step] + ((np.diff(quantiles)[step] * (place & 0xFFFF)) >> 16)
    return values


@dataclass(frozen=True, slots=True)
class _Picks:
    """`count` of `rows` positions, one from each of `count` equal stretches of the file."""

    name: str
    dice: _Dice
    rows: int
    count: int

    def stretch(self, numbers: Ints) -> tuple[Ints, Ints]:
        """First position and length of each of these stretches."""
        starts = numbers * self.rows // self.count
        return starts, (numbers + 1) * self.rows // self.count - starts

    def among(self, positions: Ints) -> tuple[Flags, Ints]:
        """Which of `positions` are picked, and the number of the stretch in which each lies."""
        if not self.count:
            return np.zeros(len(positions), dtype=np.bool_), np.zeros_like(positions)
        numbers = ((positions + 1) * self.count - 1) // self.rows
        starts, lengths = self.stretch(numbers)
        return positions == starts + self.dice.roll(self.name, numbers, lengths), numbers


@dataclass(frozen=True, slots=True)
class _Numbering:
    """How one source gave out its order numbers: rising with time, each but once, with gaps."""

    ids: Ints
    ranks: Ints
    dice: _Dice

    def slot(self, ranks: Ints) -> tuple[Ints, Ints]:
        """From which number to before which the orders of these ranks may lie."""
        year = np.searchsorted(self.ranks[:-1], ranks, side="right") - 1
        done, orders = ranks - self.ranks[year], np.maximum(np.diff(self.ranks)[year], 1)
        first, room = self.ids[year], np.diff(self.ids)[year]
        return first + done * room // orders, first + (done + 1) * room // orders

    def order_ids(self, ranks: Ints) -> Ints:
        """The order numbers of these ranks."""
        low, high = self.slot(ranks)
        return low + self.dice.roll("order number", ranks, high - low)

    def near(self, order_ids: Ints) -> Ints:
        """Numbers that orders close to `order_ids` really have."""
        year = self.years(order_ids)
        done, room = order_ids - self.ids[year], np.diff(self.ids)[year]
        return self.order_ids(self.ranks[year] + done * np.diff(self.ranks)[year] // room)

    def years(self, order_ids: Ints) -> Ints:
        """The year of each order, 0 for 2014."""
        return np.searchsorted(self.ids[1:-1], order_ids, side="right")

    def times(self, order_ids: Ints, years: Ints) -> Ints:
        """When each order was placed, in seconds since 1970; few at night, many in the evening."""
        spans, room = np.diff(shape.YEAR_STARTS)[years], np.diff(self.ids)[years]
        seconds = shape.YEAR_STARTS[years] + (order_ids - self.ids[years]) * spans // room
        of_day = seconds % 86_400
        by_the_clock = np.minimum(_between((of_day << 20) // 86_400, shape.DAY_HOURS), 86_399)
        times: Ints = seconds - of_day + by_the_clock
        return times


class _Export:
    """One file: computes the rows at any positions."""

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe
        self.dice = _Dice(recipe.seed)
        self.avdd_rows = (recipe.rows + 50) // 100
        self.services = self._numbering(0, recipe.rows - self.avdd_rows)
        self.avdd = self._numbering(1, self.avdd_rows)
        self.broken_rows = round(recipe.rows * recipe.broken)
        dirty_rows = min(round(recipe.rows * recipe.dirty), recipe.rows - self.broken_rows)
        self.spoilt = self._picks("spoilt", self.broken_rows + dirty_rows)
        self.changed = self._picks("changed", round(recipe.rows * recipe.changed))

    def _numbering(self, source: int, orders: int) -> _Numbering:
        stretch = max(1, math.ceil(self.recipe.rows / shape.FULL_ROWS))
        return _Numbering(shape.ORDER_IDS[source] * stretch, shape.YEAR_SHARES * orders // 1000, self.dice)

    def _picks(self, name: str, count: int) -> _Picks:
        return _Picks(name, self.dice, self.recipe.rows, count)

    def text(self, start: int, stop: int) -> bytes:
        """The rows from position `start` to before `stop`, as they stand in the file."""
        positions = np.arange(start, stop, dtype=np.int64)
        text = self._clean_text(positions)
        spoilt, numbers = self.spoilt.among(positions)
        if not spoilt.any():
            return text
        lines = text.split(b"\n")
        places, numbers = np.flatnonzero(spoilt), numbers[spoilt]
        others = self._others(positions[spoilt], numbers)
        for place, number, other in zip(places.tolist(), numbers.tolist(), others, strict=True):
            lines[place] = self._spoil(lines[place], other, number)
        return b"\n".join(lines)

    def _spoil(self, line: bytes, other: bytes, number: int) -> bytes:
        broken_before = number * self.broken_rows // self.spoilt.count
        if (number + 1) * self.broken_rows // self.spoilt.count > broken_before:
            return break_line(line, other, broken_before)
        return soil_line(line, number - broken_before)

    def _others(self, positions: Ints, numbers: Ints) -> list[bytes]:
        """For every spoilt row a good one from its stretch of the file, or nothing where it has none."""
        starts, lengths = self.spoilt.stretch(numbers)
        steps = 1 + self.dice.roll("other", numbers, np.maximum(lengths - 1, 1))
        lines = self._clean_text(starts + (positions - starts + steps) % lengths).split(b"\n")
        return [line if length > 1 else b"" for line, length in zip(lines, lengths.tolist(), strict=False)]

    def _clean_text(self, positions: Ints) -> bytes:
        buffer = io.BytesIO()
        options = csv.WriteOptions(include_header=False, quoting_style="none", batch_size=8192)
        csv.write_csv(_Orders(self, positions).batch(), buffer, options)
        return buffer.getvalue()

    def shuffled(self, positions: Ints) -> Ints:
        """The order at each position: a permutation of all orders.

        A Feistel network on a near-square grid. The grid has a few cells too many; who lands there goes on.
        """
        width = math.isqrt(self.recipe.rows - 1) + 1
        height = -(-self.recipe.rows // width)
        orders = self._shuffled_on_grid(positions, width, height)
        while (outside := orders >= self.recipe.rows).any():
            orders[outside] = self._shuffled_on_grid(orders[outside], width, height)
        return orders

    def _shuffled_on_grid(self, cells: Ints, width: int, height: int) -> Ints:
        left, right = np.divmod(cells, height)
        for turn in ("1", "2", "3"):
            left = (left + self.dice.roll("left" + turn, right, width)) % width
            right = (right + self.dice.roll("right" + turn, left, height)) % height
        return left * height + right


class _Orders:
    """The orders at some positions of a file, one array a column."""

    def __init__(self, export: _Export, positions: Ints) -> None:
        self.export, self.dice, self.positions = export, export.dice, positions
        self.orders = export.shuffled(positions)
        self.is_avdd = self.orders < export.avdd_rows
        self.order_ids, self.years, self.seconds = self._number_and_time()
        self.lines = np.where(self.is_avdd, shape.AVDD_LINE, self.years)
        self.states = self._states()

    def _number_and_time(self) -> tuple[Ints, Ints, Ints]:
        """Order number, year (0 for 2014) and time of every order."""
        services, avdd = self.export.services, self.export.avdd
        theirs = self.is_avdd
        order_ids = services.order_ids(np.maximum(self.orders - self.export.avdd_rows, 0))
        order_ids[theirs] = self._avdd_ids(self.orders[theirs])
        years = services.years(order_ids)
        years[theirs] = avdd.years(order_ids[theirs])
        seconds = services.times(order_ids, years)
        seconds[theirs] = avdd.times(order_ids[theirs], years[theirs])
        return order_ids, years, seconds

    def _avdd_ids(self, ranks: Ints) -> Ints:
        """Numbers of `avdd`; every second one that can be is the number of an order of `services` as well."""
        services, avdd = self.export.services, self.export.avdd
        low, high = avdd.slot(ranks)
        own = avdd.order_ids(ranks)
        shared = services.near(np.maximum(own, services.ids[0]))
        use = (low <= shared) & (shared < high) & (self.dice.roll("shared", ranks, 2) == 0)
        return np.where(use, shared, own)

    def _states(self) -> Ints:
        """Where every order stands, by its line in the table of states."""
        states = shape.STATES_OF_YEAR[self.lines, self.dice.roll("state", self.orders, shape.TABLE_SLOTS)]
        moved, _ = self.export.changed.among(self.positions)
        spoilt, _ = self.export.spoilt.among(self.positions)
        return np.where(moved & ~spoilt, shape.STATES[states, 3], states)

    def _over_time(self, values: Ints) -> Ints:
        """What `values`, given for the turn of every year, are on the day of each order."""
        gone = self.seconds - shape.YEAR_STARTS[self.years]
        growth: Ints = np.diff(values)[self.years] * gone // np.diff(shape.YEAR_STARTS)[self.years]
        return values[self.years] + growth

    def _products(self) -> Ints:
        """Mostly from the newest tenth of the products, at times much older ones."""
        newest, depth = self._over_time(shape.NEWEST_PRODUCTS), self.dice.roll("product", self.orders, 1 << 16)
        own = newest - ((newest // 4 * (depth * depth >> 16) >> 16) * depth >> 16)
        low, high = shape.AVDD_PRODUCTS
        return np.where(self.is_avdd, low + self.dice.roll("avdd product", self.orders, high - low), own)

    def _customers(self) -> Ints:
        """One customer with every sixth order, regulars of very different weight, and those who came once."""
        low, high = shape.AVDD_CUSTOMERS
        company = self.dice.roll("company", self.orders, 10) < 6
        group = np.where(company, -1 - self.positions // shape.NEIGHBOURS, self.orders)
        kind = self.dice.roll("customer kind", group, 1000)
        customers = np.where(kind < shape.BIGGEST_SHARE + shape.REGULAR_SHARE, self._regulars(group), self._newcomers())
        customers[kind < shape.BIGGEST_SHARE] = shape.BIGGEST_CUSTOMER
        return np.where(self.is_avdd, low + self.dice.roll("avdd customer", self.orders, high - low), customers)

    def _regulars(self, group: Ints) -> Ints:
        count = self.export.recipe.rows // 12 + 9
        weight = self.dice.roll("regular", group, 1 << 30)
        return shape.BIGGEST_CUSTOMER + 300 + 3 * ((weight * weight >> 30) * count >> 30)

    def _newcomers(self) -> Ints:
        """Most order once. Some come back at once: neighbours in time share a customer."""
        again = self.dice.roll("again", self.orders, 10) < 6
        person = np.where(again, -1 - self.orders // 4, self.orders)
        oldest = shape.BIGGEST_CUSTOMER
        return oldest + self.dice.roll("newcomer", person, shape.NEWEST_CUSTOMERS[self.years] - oldest)

    def batch(self) -> pa.RecordBatch:
        """The twelve columns."""
        codes = shape.STATES[self.states]
        has_payment, has_voucher = codes[:, 2] == 1, codes[:, 1] != 0
        delays = self.dice.pick("payment delay", self.orders, shape.PAYMENT_DELAYS)
        payments = self.order_ids + self._over_time(shape.PAYMENT_OFFSETS) + delays // 12
        jitter = self.dice.roll("voucher", self.orders, 4000)
        vouchers = self.order_ids + self._over_time(shape.VOUCHER_OFFSETS) + jitter
        websites = shape.WEBSITES_OF_YEAR[self.lines, self.dice.roll("website", self.orders, shape.TABLE_SLOTS)]
        columns = [
            pa.array(self.order_ids),
            _words(shape.SOURCES, self.is_avdd.astype(np.int64)),
            pa.array(self._customers()),
            pa.array(payments, mask=~has_payment),
            pa.array(vouchers, mask=~has_voucher),
            pa.array(self._products(), mask=self.lines == 0),
            _words(shape.WEBSITES, websites),
            _words(shape.ORDER_STATUSES, codes[:, 0]),
            _words(shape.VOUCHER_STATUSES, codes[:, 1]),
            _words(shape.PAYMENT_STATUSES, codes[:, 2]),
            _times(self.seconds, np.zeros_like(has_payment)),
            _times(self.seconds + delays, ~has_payment),
        ]
        return pa.RecordBatch.from_arrays(columns, names=list(NAMES))


def _words(words: Sequence[str], codes: Ints) -> pa.Array:
    return pa.array(words).take(pa.array(codes))


def _times(seconds: Ints, missing: Flags) -> pa.Array:
    return pa.array((seconds * 1000).astype("datetime64[ms]"), mask=missing)
