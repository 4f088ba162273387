"""Opening hours of the US index market as the simulator keeps them: sessions, holidays, early closes.

Belongs here: which minutes of a trading day are open, from fixed rules. Does not: the hours of any real provider (a
file holds the minutes it holds), trading days and weeks (`calendar`).

A full session runs from 18:00 New York on the evening before to 17:00, 1,380 minutes; an early close ends it at 13:00,
1,140 minutes. New York changes its clock on Sundays at 02:00, when the market is closed, so no session is longer or shorter.
"""

from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta
from functools import cache

from spx_assets import calendar

FULL_MINUTES = 23 * 60
EARLY_MINUTES = 19 * 60
OPEN = time(18)


def session_start(day: date) -> datetime:
    """First minute of the session of trading day `day`: 18:00 New York the evening before, in UTC."""
    local = datetime.combine(day - calendar.ONE_DAY, OPEN, calendar.NEW_YORK)
    return local.astimezone(UTC)


def session_minutes(day: date, holidays: Collection[date] = ()) -> int:
    """Minutes the market is open in trading day `day`; 0 on a weekend, a full holiday or one of `holidays`."""
    if not calendar.is_trading_day(day) or day in holidays or day in _closed(day.year):
        return 0
    return EARLY_MINUTES if day in _early(day.year) else FULL_MINUTES


@cache
def _closed(year: int) -> frozenset[date]:
    """New Year's Day, Good Friday and Christmas Day, moved to Monday from a Sunday (Christmas also to Friday from a Saturday)."""
    days = {easter(year) - timedelta(days=2)}
    for fixed in (date(year, 1, 1), date(year, 12, 25)):
        days.add(fixed + calendar.ONE_DAY if fixed.weekday() == 6 else fixed)
    if date(year, 12, 25).weekday() == 5:
        days.add(date(year, 12, 24))
    return frozenset(days)


@cache
def _early(year: int) -> frozenset[date]:
    """Holidays and their eves on which trading halts at 13:00."""
    thanksgiving, memorial = _weekday(year, 11, 3, 4), date(year, 5, 31)
    days = {
        _weekday(year, 1, 0, 3),
        _weekday(year, 2, 0, 3),
        memorial - timedelta(days=memorial.weekday()),
        date(year, 6, 19),
        date(year, 7, 3),
        date(year, 7, 4),
        _weekday(year, 9, 0, 1),
        thanksgiving,
        thanksgiving + calendar.ONE_DAY,
        date(year, 12, 24),
    }
    return frozenset(days - _closed(year))


def _weekday(year: int, month: int, weekday: int, n: int) -> date:
    """The n-th `weekday` (0 Monday) of a month."""
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (n - 1))


def easter(year: int) -> date:
    """Easter Sunday in the Gregorian calendar (the anonymous algorithm, Nature 1876)."""
    a, (b, c) = year % 19, divmod(year, 100)
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    weekday = (32 + 2 * e + 2 * i - h - k) % 7
    m = (a + 11 * h + 22 * weekday) // 451
    month, day = divmod(h + weekday - 7 * m + 114, 31)
    return date(year, month, day + 1)
