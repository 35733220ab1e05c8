"""Years, quarters, months, weeks and days of a time zone; each is named by its first day."""

from __future__ import annotations

from datetime import MAXYEAR, UTC, date, datetime, time, timedelta, tzinfo

UNITS = ("year", "quarter", "month", "week", "day", "hour")
"""What time is cut into, from the largest. Hours are those of UTC, so that none is there twice or half."""

DAYS = UNITS[:-1]
"""Those that begin with a day."""

END = datetime.max.replace(tzinfo=UTC)
"""After everything."""


def local_day(moment: datetime, zone: tzinfo) -> date:
    """The day of a moment in a zone; there is none before the first of the calendar or after its last."""
    try:
        return moment.astimezone(zone).date()
    except OverflowError:
        return moment.astimezone(UTC).date()


def first_day(day: date, unit: str) -> date:
    """The first day of the period to which a day belongs. Weeks begin on Monday."""
    if unit == "week":
        return day - timedelta(days=day.weekday())
    month = {"year": 1, "quarter": day.month - (day.month - 1) % 3}.get(unit, day.month)
    return day if unit == "day" else date(day.year, month, 1)


def next_day(first: date, unit: str) -> date | None:
    """The first day of the next period; none where the calendar ends."""
    if unit in ("day", "week"):
        days = timedelta(days=7 if unit == "week" else 1)
        return first + days if date.max - first >= days else None
    months = first.year * 12 + first.month - 1 + {"month": 1, "quarter": 3, "year": 12}[unit]
    year, month = divmod(months, 12)
    return date(year, month + 1, 1) if year <= MAXYEAR else None


def begins(day: date | None, zone: tzinfo) -> datetime:
    """The moment at which a day begins in a zone: not always when the clocks there show midnight."""
    if day is None:
        return END
    try:
        return datetime.combine(day, time(), zone).astimezone(UTC)
    except OverflowError:
        return datetime.combine(day, time(), UTC)
