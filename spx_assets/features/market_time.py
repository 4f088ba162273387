"""Trading days as numbers: the rules of `calendar` for arrays of microseconds.

Belongs here: starts of trading days and day numbers, remembered. Does not: rules of their own.
"""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from spx_assets import calendar

MINUTE_US = 60_000_000
MINUTES_A_DAY = 1440
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def microseconds(ts: datetime) -> int:
    """Microseconds since 1970 UTC, exactly."""
    return (ts - _EPOCH) // timedelta(microseconds=1)


def instant(us: int) -> datetime:
    """The UTC datetime `us` microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=us)


def day_number(day: date) -> int:
    """Days since 1970-01-01, as polars stores a date."""
    return (day - _EPOCH.date()).days


@lru_cache(maxsize=4096)
def day_opens(first: date, last: date) -> npt.NDArray[np.int64]:
    """Start of every trading day from `first` to `last`, microseconds."""
    return np.array([microseconds(calendar.day_window(day)[0]) for day in calendar.trading_days(first, last)], dtype=np.int64)


@lru_cache(maxsize=4096)
def open_of(day: date) -> int:
    """Start of the trading day in microseconds since 1970."""
    return int(day_opens(day, day)[0])


@lru_cache(maxsize=4096)
def anchor_of(day: date, lookback_days: int) -> int:
    """Start of the history of a trading day in microseconds since 1970."""
    return microseconds(calendar.anchor(day, lookback_days))


@lru_cache(maxsize=4096)
def day_at(us: int) -> date:
    """Trading day of an instant. Closed hours (quarantined, but a history may be hand-made) count to the Friday before."""
    day = calendar.trading_day(_EPOCH + timedelta(microseconds=us))
    return day if calendar.is_trading_day(day) else day - timedelta(days=day.weekday() - 4)
