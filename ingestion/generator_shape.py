"""The shape of an order export, as rounded figures: what a generated file is drawn from."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

SOURCES = ("services", "avdd")
WEBSITES = ("VVNL", "VVBE", "VVBDBE", "VVBDFR", "SJSNL", "AVDD-NL")
ORDER_STATUSES = ("PAID", "CANCELED", "UNKNOWN")
VOUCHER_STATUSES = ("", "PAID_TO_SUPPLIER", "USED", "EXPIRED", "INVALID")
PAYMENT_STATUSES = ("", "PAID", "REFUNDED")

# Where an order can stand: its order, voucher and payment status (as indexes above) and, last, the line of
# this table at which it stands after it has moved on. A voucher number is there exactly when a voucher status
# is; a payment's number and date are there exactly when its status is PAID.
STATES = np.array(
    [
        (0, 1, 1, 1),  # PAID, voucher paid to the supplier -> used
        (0, 2, 1, 0),  # PAID, used -> paid to the supplier
        (0, 3, 1, 6),  # PAID, expired -> canceled and refunded
        (0, 0, 1, 4),  # PAID, no voucher -> canceled and refunded
        (1, 0, 2, 5),  # CANCELED, no voucher, refunded; none begins here
        (1, 0, 0, 4),  # CANCELED, no voucher, never paid -> refunded
        (1, 3, 2, 8),  # CANCELED, expired, refunded -> invalid
        (1, 3, 0, 6),  # CANCELED, expired, never paid -> refunded
        (1, 4, 2, 6),  # CANCELED, invalid, refunded -> expired
        (1, 4, 0, 8),  # CANCELED, invalid, never paid -> refunded
        (2, 0, 0, 3),  # UNKNOWN -> PAID
    ]
)
TABLE_SLOTS = 4096


def _lottery(weights: Sequence[Sequence[int]]) -> Ints:
    """For every line of `weights` a row of slots, in which each column has its share."""
    rows = []
    for line in weights:
        ends = np.cumsum(line) * TABLE_SLOTS // sum(line)
        rows.append(np.searchsorted(ends, np.arange(TABLE_SLOTS), side="right"))
    return np.array(rows)


# Eight lines for the years 2014 to 2021 of `services`, the ninth for `avdd`. What a year's orders look like has
# changed a lot: vouchers became rare in 2019, and refunds are on record for 2017 only.
STATES_OF_YEAR = _lottery(
    [
        (23, 8, 4, 0, 0, 0, 0, 0, 0, 0, 0),
        (9, 3, 4, 0, 0, 0, 0, 0, 0, 0, 0),
        (17, 3, 5, 0, 0, 0, 0, 0, 0, 0, 0),
        (48, 26, 8, 6, 0, 0, 3, 0, 3, 0, 0),
        (8, 6, 2, 2, 0, 0, 0, 0, 0, 0, 0),
        (12, 1, 3, 58, 0, 0, 0, 0, 0, 0, 0),
        (1, 0, 5, 6, 0, 0, 0, 0, 0, 0, 0),
        (1, 2, 5, 20, 0, 6, 0, 2, 0, 4, 0),
        (0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1),
    ]
)
WEBSITES_OF_YEAR = _lottery(
    [
        *[(1, 0, 0, 0, 0, 0)] * 4,
        (16, 1, 0, 1, 0, 0),
        (28, 7, 1, 0, 1, 0),
        (28, 7, 1, 0, 1, 0),
        (5, 11, 3, 0, 0, 0),
        (0, 0, 0, 0, 0, 1),
    ]
)
AVDD_LINE = 8

# At the turn of each year from 2014 on, and at the end: the first order number of either source; how far
# payment and voucher numbers are from the order's; the newest product and customer of either source.
YEARS = range(2014, 2022)
_TURNS = (*(datetime(year, 1, 1, tzinfo=UTC) for year in YEARS), datetime(2021, 12, 1, tzinfo=UTC))
YEAR_STARTS = np.array([int(turn.timestamp()) for turn in _TURNS])
YEAR_SHARES = np.array([0, 175, 255, 380, 615, 710, 895, 905, 1000])  # of all orders, in thousandths
ORDER_IDS = np.array(
    [
        (8_100, 10_300, 12_450, 15_000, 18_550, 23_300, 28_600, 33_150, 37_100),
        (4_750, 5_350, 5_950, 6_550, 7_160, 7_760, 8_360, 8_960, 9_500),
    ]
) * np.int64(1000)
PAYMENT_OFFSETS = np.array((590, 1_330, 1_740, 2_200, 2_830, 3_530, 4_050, 4_270, 4_460)) * np.int64(1000)
VOUCHER_OFFSETS = np.array((-540, -400, -215, -223, -178, -480, -1_700, -1_200, -1_260)) * np.int64(1000)
NEWEST_PRODUCTS = np.array((70_000, 81_500, 90_700, 97_000, 104_500, 115_000, 123_500, 135_000, 144_800))
NEWEST_CUSTOMERS = np.array((5_400, 6_500, 7_600, 8_700, 9_900, 11_000, 12_000, 13_050, 14_300)) * np.int64(1000)
AVDD_PRODUCTS = (80_000, 440_000)
AVDD_CUSTOMERS = (600_000, 2_400_000)
FULL_ROWS = 10**7
"""Up to so many rows the order numbers above have room, with gaps; beyond, they are stretched."""

BIGGEST_CUSTOMER = 1_680_001
BIGGEST_SHARE, REGULAR_SHARE = 155, 560  # in thousandths; the rest are people who come once or twice
NEIGHBOURS = 40
"""Rows that lie together in the file, more than half of which are one customer's."""

# Quantiles, in sixteenths: seconds from the order to the payment, and the time of day of an order.
PAYMENT_DELAYS = np.array(
    (12, 36, 49, 60, 90, 120, 160, 240, 420, 5_000, 50_000, 95_000, 150_000, 200_000, 330_000, 480_000, 1_400_000)
)
DAY_HOURS = np.array((0, 6, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 22, 24)) * np.int64(3600)
