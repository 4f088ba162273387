"""Trading days, trading weeks and feed clocks: pure rules of time.

Belongs here: functions from instants and dates to instants and dates, in New York market time. Does not: Dagster
partitions, data, settings.

A trading day runs from 17:00 to 17:00 New York and is named by the date on which it ends, Monday to Friday, whatever
data exist. A trading week runs from Sunday 17:00 New York to the next and is keyed by that Sunday's date.
All instants are timezone-aware UTC datetimes or polars `Datetime('us', 'UTC')`.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import polars as pl

NEW_YORK = ZoneInfo("America/New_York")
OPEN_HOUR = 17
ONE_DAY = timedelta(days=1)
ONE_MINUTE = timedelta(minutes=1)


@lru_cache(maxsize=8192)
def at_open(day: date) -> datetime:
    """17:00 New York on `day`, in UTC."""
    return datetime.combine(day, time(OPEN_HOUR), NEW_YORK).astimezone(UTC)


def instant(text: str) -> datetime:
    """The UTC instant of ISO 8601 text; without an offset it is UTC. ValueError for any other text, which is not guessed at."""
    at = datetime.fromisoformat(text.strip())
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def trading_day(ts: datetime) -> date:
    """The date on which the 17:00-to-17:00 New York day around `ts` ends. A weekend date means the market is closed."""
    local = ts.astimezone(NEW_YORK)
    return (local.replace(tzinfo=None) + timedelta(hours=24 - OPEN_HOUR)).date()


def trading_day_expr(ts: pl.Expr) -> pl.Expr:
    """`trading_day` for a UTC datetime column."""
    return (ts.dt.convert_time_zone("America/New_York").dt.replace_time_zone(None) + pl.duration(hours=24 - OPEN_HOUR)).dt.date()


def day_window(day: date) -> tuple[datetime, datetime]:
    """[start, end) of the trading day named `day`, in UTC."""
    return at_open(day - ONE_DAY), at_open(day)


def is_trading_day(day: date) -> bool:
    """Monday to Friday; holidays are trading days without bars."""
    return day.weekday() < 5


def shift_trading_days(day: date, n: int) -> date:
    """The trading day `n` calendar trading days after `day` (before it when n < 0). `day` must be Monday to Friday."""
    if not is_trading_day(day):
        raise ValueError(f"{day} is a {day:%A}, not a trading day")
    weeks, rest = divmod(day.weekday() + n, 5)
    return day + timedelta(days=7 * weeks + rest - day.weekday())


def trading_days(start: date, end: date) -> Iterator[date]:
    """Trading days from `start` to `end`, both included."""
    day = start
    while day <= end:
        if is_trading_day(day):
            yield day
        day += ONE_DAY


def week_of(ts: datetime) -> date:
    """Key of the trading week that holds the instant `ts`: the date of its Sunday."""
    return week_of_day(trading_day(ts))


def week_of_day(day: date) -> date:
    """Key of the trading week of the trading day `day`: the Sunday before it (a weekend counts to the week it ends)."""
    return day - timedelta(days=day.weekday() + 1)


def week_expr(day: pl.Expr) -> pl.Expr:
    """`week_of_day` for a date column."""
    return day - pl.duration(days=day.dt.weekday())


def week_window(week: date) -> tuple[datetime, datetime]:
    """[start, end) of the trading week keyed `week`, in UTC; 167 or 169 hours long where New York changes its clock."""
    if week.weekday() != 6:
        raise ValueError(f"{week} is a {week:%A}; a trading week is keyed by its Sunday")
    return at_open(week), at_open(week + timedelta(days=7))


def weeks_between(start: datetime, end: datetime) -> list[date]:
    """Keys of the weeks that overlap [start, end)."""
    weeks, week = [], week_of(start)
    while week_window(week)[0] < end:
        weeks.append(week)
        week += timedelta(days=7)
    return weeks


def week_range(first: date, last: date) -> list[date]:
    """Week keys from `first` to `last`, both included."""
    return [first + timedelta(days=7 * i) for i in range((last - first).days // 7 + 1)]


def week_runs(weeks: Iterable[date]) -> list[list[date]]:
    """The weeks in order, cut wherever one is missing: what can be read, generated or run in one go."""
    runs: list[list[date]] = []
    for week in sorted(weeks):
        if runs and week - runs[-1][-1] == timedelta(days=7):
            runs[-1].append(week)
        else:
            runs.append([week])
    return runs


def run_window(weeks: Sequence[date]) -> tuple[datetime, datetime]:
    """[start of the first, end of the last) of weeks in order, in UTC."""
    return week_window(weeks[0])[0], week_window(weeks[-1])[1]


def anchor(day: date, lookback_days: int) -> datetime:
    """First instant a feature of trading day `day` may see: the start of the day `lookback_days` trading days before."""
    return day_window(shift_trading_days(day, -lookback_days))[0]


def newest_closed_day(now: datetime, holidays: Collection[date] = ()) -> date:
    """The last trading day that is over at `now`, holidays passed over."""
    day = trading_day(now) - ONE_DAY
    while not is_trading_day(day) or day in holidays:
        day -= ONE_DAY
    return day


def next_open(ts: datetime) -> datetime:
    """The first instant at or after `ts` that lies in a trading day (the weekend ends on Sunday 17:00 New York)."""
    day = trading_day(ts)
    return ts if is_trading_day(day) else at_open(day + timedelta(days=6 - day.weekday()))
