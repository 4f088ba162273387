"""The history a kernel sees: one instrument's bars since the anchor as float64 arrays, and its completed days.

Belongs here: `Bars`, `DailyBars`, how frames become them, and what several kernels derive from time alone.
Does not: indicators, reading the lake.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from itertools import pairwise
from typing import TypeVar, cast

import numpy as np
import polars as pl

from spx_assets import calendar
from spx_assets.features.columns import F64, I64, Columns
from spx_assets.features.market_time import day_at, day_number, day_opens, open_of

__all__ = ["F64", "I64", "Bars", "DailyBars", "stamps"]

T = TypeVar("T")

# Rows before the trading day that its windows may reach back to: the longest look-back is 360 minutes, and a mean of 240
# values of 60 bars each. A percentile looks back 1,400 bars.
RECENT, PAST_DAY = 400, 1440
SETTLED = 28  # e^-28 is 7e-13

BAR_COLUMNS = ("ts", "open", "high", "low", "close", "volume", "spread")
DAILY_COLUMNS = ("trading_day", "high", "low", "close")


def stamps(frame: pl.DataFrame) -> I64:
    """Column `ts` in microseconds since 1970."""
    return np.ascontiguousarray(frame["ts"].cast(pl.Datetime("us", "UTC")).to_physical().to_numpy())


@dataclass(frozen=True, eq=False)
class Bars(Columns):
    """One instrument's one-minute bars in order of time, each array of the same length, and which rows are asked for.

    `ts` is the start of the minute in microseconds since 1970 UTC. `spread` is NaN where one side is unknown, `volume` 0
    where the feed reports none.

    Kernels see all rows and answer for the rows from `first` on: of a batch's 4 days of history only the last is stored, of
    an online one only the last row. `compute` asks for rows of one trading day at a time. Windows, running
    sums and recursions begin a fixed number of rows before that day (`recent`, `settled`), so that a row's value does not
    depend on which rows are asked for.
    """

    ts: I64
    open: F64
    high: F64
    low: F64
    close: F64
    volume: F64
    spread: F64
    first: int = 0
    whole: "Bars | None" = None
    offset: int = 0

    @classmethod
    def from_frame(cls, frame: pl.DataFrame) -> "Bars":
        """Bars of a frame of candles of one instrument, ordered by ts. A column that is not there is all NaN."""
        rows = frame.height

        def values(name: str) -> F64:
            if name not in frame.columns:
                return np.full(rows, np.nan)
            return np.ascontiguousarray(frame[name].cast(pl.Float64).to_numpy())

        prices = (values("open"), values("high"), values("low"), values("close"))
        return cls(stamps(frame), *prices, values("volume"), values("spread"))

    @property
    def _source(self) -> Columns | None:
        return self.whole

    def head(self, rows: int) -> "Bars":
        """The first `rows` bars as a history of their own: what was known at that time."""
        return self._part(slice(0, rows))

    def ask(self, first: int) -> "Bars":
        """The same history, asked for the rows from `first` on."""
        return replace(self._part(slice(None)), first=first)

    def window(self, start: int, stop: int, *, first: int) -> "Bars":
        """The history of rows [start, stop), asked for the rows from `first` (counted in this one) on; views, no copy."""
        return replace(self._part(slice(start, stop)), first=first - start, whole=self, offset=start)

    def _part(self, rows: slice) -> "Bars":
        prices = (self.open[rows], self.high[rows], self.low[rows], self.close[rows])
        return Bars(self.ts[rows], *prices, self.volume[rows], self.spread[rows])

    def cut(self, values: F64, bars_ago: int = 0) -> F64:
        """`values` on the rows asked for, or as they were `bars_ago` rows before each; NaN before the history."""
        start, stop = self.first - bars_ago, len(values) - bars_ago
        if start >= 0:
            return values[start:stop]
        return np.concatenate((np.full(min(-start, len(values) - self.first), np.nan), values[: max(stop, 0)]))

    def nothing(self) -> F64:
        """Null on every row asked for."""
        return self.always(np.nan)

    @cached_property
    def day(self) -> date:
        """Trading day of the first row asked for."""
        return day_at(int(self.ts[self.first]))

    @cached_property
    def today(self) -> int:
        """First row of that trading day."""
        return int(np.searchsorted(self.ts, open_of(self.day)))

    @cached_property
    def recent(self) -> "Bars":
        """The history from `RECENT` rows before the trading day on: enough for every window."""
        return self._since(RECENT)

    @cached_property
    def past_day(self) -> "Bars":
        """The history from `PAST_DAY` rows before the trading day on."""
        return self._since(PAST_DAY)

    def settled(self, memory: float) -> "Bars":
        """The history for a recursion that forgets 1/`memory` of its state a row: of where it began, under 1e-12 is left."""
        if memory * SETTLED <= RECENT:
            return self.recent
        return self.past_day if memory * SETTLED <= PAST_DAY else self

    def _since(self, rows: int) -> "Bars":
        start = self.today - rows
        if start <= 0:
            return self
        return replace(self._part(slice(start, None)), first=self.first - start, whole=self.whole, offset=self.offset + start)

    @cached_property
    def _memo(self) -> dict[str, object]:
        return {}

    def once(self, name: str, make: Callable[[], T]) -> T:
        """`make()`, kept for the other kernels that ask for `name`."""
        if name not in self._memo:
            self._memo[name] = make()
        return cast(T, self._memo[name])

    @cached_property
    def has_volume(self) -> bool:
        """False where no bar has volume: then every volume window is empty and every volume feature null."""
        return bool(np.any(self.volume > 0))

    @cached_property
    def has_spread(self) -> bool:
        return not bool(np.all(np.isnan(self.spread)))

    @cached_property
    def _last_at(self) -> I64:
        """For every minute since the first bar, the row of the last bar that had started."""
        position = (self.minute - self.minute[0]).astype(np.int64)
        rows = np.zeros(int(position[-1]) + 1, dtype=np.int64)
        rows[position] = np.arange(len(self))
        np.maximum.accumulate(rows, out=rows)
        return rows

    @cached_property
    def _minutes_in(self) -> I64:
        """Minutes since the first bar, on the rows asked for."""
        return np.asarray((self.minute[self.first :] - self.minute[0]).astype(np.int64))

    @cached_property
    def _close_at(self) -> F64:
        """For every minute since the first bar, the last close."""
        return self.close[self._last_at]

    def close_minutes_ago(self, minutes: int) -> F64:
        """Last close `minutes` before each row asked for; NaN where the history is not that long."""
        position = self._minutes_in - minutes
        if position[0] >= 0:
            return self._close_at[position]
        return np.where(position < 0, np.nan, self._close_at[np.maximum(position, 0)])

    def row_minutes_ago(self, minutes: int) -> I64:
        """Row of the last bar that had started `minutes` before each row asked for; -1 where the history is not that long."""
        position = self._minutes_in - minutes
        if position[0] >= 0:
            return self._last_at[position]
        return np.where(position < 0, -1, self._last_at[np.maximum(position, 0)])

    def days(self) -> list[tuple[int, int]]:
        """(first row asked for, row after the last) of every trading day with rows asked for."""
        edges = [self.first, len(self)]
        last = day_at(int(self.ts[-1]))
        if last != self.day:
            edges[1:1] = np.searchsorted(self.ts, day_opens(self.day, last)[1:]).tolist()
        return [(a, b) for a, b in pairwise(edges) if b > a]

    def of_day(self, accumulate: Callable[[F64], F64], values: F64) -> F64:
        """`accumulate` (np.cumsum, np.maximum.accumulate, ...) from the trading day's first row on, on the rows asked for."""
        return accumulate(values[self.today :])[self.first - self.today :]

    def always(self, value: float) -> F64:
        """One number on every row asked for."""
        return np.full(len(self) - self.first, value)


@dataclass(frozen=True, eq=False)
class DailyBars:
    """One instrument's trading days in order: day number since 1970, high, low, close."""

    day: I64
    high: F64
    low: F64
    close: F64

    @classmethod
    def from_frame(cls, frame: pl.DataFrame) -> "DailyBars":
        """Days of a frame of `silver.daily_bars` of one instrument, ordered by trading_day."""
        day = frame["trading_day"].cast(pl.Int32).cast(pl.Int64).to_numpy()
        return cls(day, *(frame[name].to_numpy() for name in DAILY_COLUMNS[1:]))

    @classmethod
    def none(cls) -> "DailyBars":
        """No history of days: every daily feature is null."""
        return cls(np.empty(0, dtype=np.int64), *(np.empty(0) for _ in DAILY_COLUMNS[1:]))

    @cached_property
    def memo(self) -> dict[date, dict[str, float]]:
        """Indicators already computed from these days, by the trading day they are for."""
        return {}

    def before(self, day: date, trading_days: int) -> "DailyBars":
        """The bars of exactly the `trading_days` calendar trading days before `day`, as many as there are."""
        first = day_number(calendar.shift_trading_days(day, -trading_days))
        a, b = np.searchsorted(self.day, (first, day_number(day)))
        return DailyBars(self.day[a:b], self.high[a:b], self.low[a:b], self.close[a:b])
