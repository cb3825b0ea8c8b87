"""Instants and business days: instants are aware UTC, days and years are those of Asia/Shanghai."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

SHANGHAI: Final = ZoneInfo("Asia/Shanghai")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DAY: Final = timedelta(days=1)


def wall_now() -> datetime:
    """The machine's clock in UTC. Only entry points and db may call it; below, the instant is an argument."""
    return datetime.now(UTC)


def business_date(at: datetime) -> date:
    """The day in Shanghai at that instant. Refuses (ValueError) a naive datetime."""
    return _aware(at).astimezone(SHANGHAI).date()


def fiscal_year(at: datetime) -> int:
    """The budget year, which is the calendar year in Shanghai (预算法 article 18)."""
    return business_date(at).year


def day_bounds(day: date) -> tuple[datetime, datetime]:
    """First instant of a Shanghai day and of the next one, in UTC: `start <= at < end`.

    Refuses (ValueError) a datetime in place of a date and days at the ends of the calendar.
    """
    if isinstance(day, datetime):
        raise ValueError("a day is a date, not a datetime")
    try:
        return _midnight(day), _midnight(day + _DAY)
    except OverflowError as error:
        raise ValueError(f"no such business day: {day.isoformat()}") from error


def year_bounds(year: int) -> tuple[datetime, datetime]:
    """First instant of a Shanghai year and of the next one, in UTC: `start <= at < end`."""
    return day_bounds(date(year, 1, 1))[0], day_bounds(date(year, 12, 31))[1]


def iso(at: datetime) -> str:
    """ISO 8601 with microseconds and +08:00, as the API and every report write it; always the same width."""
    return _aware(at).astimezone(SHANGHAI).isoformat(timespec="microseconds")


def micros(at: datetime) -> int:
    """Whole microseconds since 1970-01-01 UTC, exact."""
    return (_aware(at) - _EPOCH) // timedelta(microseconds=1)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=SHANGHAI).astimezone(UTC)


def _aware(at: datetime) -> datetime:
    if at.utcoffset() is None:
        raise ValueError("an instant needs a time zone")
    return at
