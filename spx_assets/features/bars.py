"""The history a kernel sees: one instrument's bars since the anchor as float64 arrays, and its completed days.

Belongs here: `Bars`, `DailyBars`, how frames become them, and how a kernel reaches back in rows, minutes and days.
Does not: indicators, reading the lake.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import pairwise
from typing import Any, TypeVar, cast

import numpy as np
import numpy.typing as npt
import polars as pl

from spx_assets import calendar
from spx_assets.features.columns import F64, I64, Columns, after
from spx_assets.features.days import PAST_DAY, RECENT, Day, Span, together
from spx_assets.features.market_time import day_at, day_number, day_opens, open_of

__all__ = ["F64", "I64", "Bars", "DailyBars", "stamps"]

T = TypeVar("T")

BAR_COLUMNS = ("ts", "open", "high", "low", "close", "volume", "spread")
DAILY_COLUMNS = ("trading_day", "high", "low", "close")
_LOOKED_FOR = 1000
"""To look for a minute takes 0.1 us; a table of all minutes 20 us for a weekend, and 2 ns for each one that is looked up."""


def stamps(frame: pl.DataFrame) -> I64:
    """Column `ts` in microseconds since 1970."""
    ts = frame.get_column("ts")
    if ts.dtype != pl.Datetime("us", "UTC"):
        ts = ts.cast(pl.Datetime("us", "UTC"))
    return np.ascontiguousarray(ts.to_numpy()).view(np.int64)


@dataclass(frozen=True, eq=False)
class Bars(Columns):
    """One instrument's one-minute bars in order of time, each array of the same length, and which rows are asked for.

    `ts` is the start of the minute in microseconds since 1970 UTC. `spread` is NaN where one side is unknown, `volume` 0
    where the feed reports none.

    Kernels see all rows and answer for the rows from `first` on: of a batch's history only the days being made are stored, of
    an online one only the last row. A row's value does not depend on which rows are asked for: windows reach a fixed number of
    rows back from each row (`recent`, `past_day`), recursions and running sums begin a fixed number of rows before each trading
    day (`days`, `recursive`).
    """

    ts: I64
    open: F64
    high: F64
    low: F64
    close: F64
    volume: F64
    spread: F64
    first: int = 0
    spans: tuple[Span, ...] = ()

    @classmethod
    def from_frame(cls, frame: pl.DataFrame) -> "Bars":
        """Bars of a frame of candles of one instrument, ordered by ts. A column that is not there is all NaN."""
        rows, there = frame.height, set(frame.columns)

        def values(name: str) -> F64:
            if name not in there:
                return np.full(rows, np.nan)
            column = frame.get_column(name)
            return np.ascontiguousarray((column if column.dtype == pl.Float64 else column.cast(pl.Float64)).to_numpy())

        prices = (values("open"), values("high"), values("low"), values("close"))
        return cls(stamps(frame), *prices, values("volume"), values("spread"))

    def head(self, rows: int) -> "Bars":
        """The first `rows` bars as a history of their own: what was known at that time."""
        return self._rows(0, rows)

    def ask(self, first: int) -> "Bars":
        """The same history, asked for the rows from `first` on."""
        return self._rows(0, len(self), first=first)

    def window(self, start: int, stop: int, *, first: int) -> "Bars":
        """The history of rows [start, stop), asked for the rows from `first` (counted in this one) on; views, no copy."""
        return self._rows(start, stop, first=first - start)

    def over(self, spans: Sequence[Span]) -> "Bars":
        """The history of consecutive days whose own histories `spans` are, asked for their rows."""
        start, first, stop = spans[0].start, spans[0].first, spans[-1].stop
        own = tuple(Span(*(row - start for row in span)) for span in spans)
        return self._rows(start, stop, first=first - start, spans=own)

    def parts(self) -> "list[Bars]":
        """The rows asked for as histories of days that kernels may answer for in one call."""
        groups = together(self.spans or self._all_spans)
        return [self] if len(groups) == 1 else [self.over(group) for group in groups]

    def _rows(self, start: int, stop: int, *, first: int = 0, spans: tuple[Span, ...] = ()) -> "Bars":
        rows = slice(start, stop)
        prices = (self.open[rows], self.high[rows], self.low[rows], self.close[rows])
        return Bars(self.ts[rows], *prices, self.volume[rows], self.spread[rows], first, spans)

    @cached_property
    def days(self) -> tuple[Day, ...]:
        """Every trading day with rows asked for, in order."""
        return tuple(self._days())

    def _days(self) -> Iterable[Day]:
        for start, first, stop in self.spans or self._all_spans:
            day = day_at(int(self.ts[first]))
            opened = start + int(np.searchsorted(self.ts[start : first + 1], open_of(day)))
            yield Day(day, start, opened, first, stop)

    @cached_property
    def _all_spans(self) -> list[Span]:
        """A span a trading day of the rows asked for; every day's history is this one."""
        edges = [self.first, len(self)]
        day, last = day_at(int(self.ts[self.first])), day_at(int(self.ts[-1]))
        if last != day:
            edges[1:1] = np.searchsorted(self.ts, day_opens(day, last)[1:]).tolist()
        return [Span(0, a, b) for a, b in pairwise(edges) if b > a]

    def each_day(self, make: Callable[[Day], npt.NDArray[Any]]) -> F64:
        """What `make` gives for the rows asked for of each trading day, one day after the other (rows in the last axis)."""
        made = [make(day) for day in self.days]
        return made[0] if len(made) == 1 else np.concatenate(made, axis=-1)

    def per_day(self, values: Sequence[float]) -> F64:
        """One number a trading day, on its rows asked for."""
        if len(self.days) == 1:
            return self.always(values[0])
        return np.repeat(np.asarray(values, dtype=np.float64), [day.stop - day.first for day in self.days])

    def since_open(self, accumulate: Callable[[F64], F64], values: F64) -> F64:
        """`accumulate` (np.cumsum, np.maximum.accumulate, ...) from each trading day's first bar on, on the rows asked for."""
        return self.each_day(lambda day: accumulate(values[..., day.opened : day.stop])[..., day.first - day.opened :])

    def recursive(self, memory: float, indicator: Callable[..., Any], *columns: F64) -> F64:
        """`indicator` of columns on the rows asked for, begun for each day where it has settled by the day's first bar.

        It forgets 1/`memory` of its state a row. Where it gives several columns they are rows of the result.
        """

        def of(day: Day) -> F64:
            begin = day.settled(memory)
            return np.asarray(indicator(*(column[begin : day.stop] for column in columns)))[..., day.first - begin :]

        return self.each_day(of)

    def rows(self, day: Day) -> slice:
        """The rows of a day among those asked for."""
        return slice(day.first - self.first, day.stop - self.first)

    @cached_property
    def asked(self) -> int:
        """How many rows are asked for."""
        return len(self) - self.first

    def cut(self, values: F64, bars_ago: int = 0) -> F64:
        """`values` on the rows asked for, or as they were `bars_ago` rows before each; NaN before the history."""
        start, stop = self.first - bars_ago, len(values) - bars_ago
        if start >= 0:
            return values[start:stop]
        return np.concatenate((np.full(min(-start, self.asked), np.nan), values[: max(stop, 0)]))

    def reaching(self, rows: int, values: F64) -> F64:
        """`values` from `rows` rows before the first asked for on; NaN stands before the history."""
        missing = rows - self.first
        return values[-missing:] if missing <= 0 else after(missing, values)

    def always(self, value: float) -> F64:
        """One number on every row asked for."""
        out = np.empty(self.asked)
        out.fill(value)  # half of what np.full costs for one row
        return out

    # A history that kept itself would be a cycle, and its arrays would wait for the next look for garbage.
    @property
    def recent(self) -> "Bars":
        """The history from `RECENT` rows before the first asked for on: enough for every window."""
        return self if self.first <= RECENT else self._recent

    @property
    def past_day(self) -> "Bars":
        """The history from `PAST_DAY` rows before the first asked for on."""
        return self if self.first <= PAST_DAY else self._past_day

    @cached_property
    def _recent(self) -> "Bars":
        return self._rows(self.first - RECENT, len(self), first=RECENT)

    @cached_property
    def _past_day(self) -> "Bars":
        return self._rows(self.first - PAST_DAY, len(self), first=PAST_DAY)

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
        position = self.minute - self.minute[0]
        rows = np.zeros(int(position[-1]) + 1, dtype=np.int64)
        rows[position] = np.arange(len(self))
        return np.maximum.accumulate(rows, out=rows)

    def minutes_ago(self, minutes: Sequence[int], values: npt.NDArray[Any], *, before: float = np.nan) -> F64:
        """`values` of the last bar that had started by so many minutes before each row asked for, one row a look-back.

        `before` where the history is not that long.
        """
        asked = self.minute[self.first :]
        if len(asked) * len(minutes) <= _LOOKED_FOR:
            row = np.searchsorted(self.minute, asked - np.array(minutes)[:, None], side="right")
            found: F64 = np.concatenate(([before], values))[row]
            return found
        longest = max(minutes)
        at = np.concatenate((np.full(longest, before), values[self._last_at]))
        position = asked - self.minute[0]
        out = np.empty((len(minutes), self.asked))
        for row, ago in zip(out, minutes, strict=True):
            row[:] = at[longest - ago :][position]
        return out


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
        day = frame["trading_day"].to_numpy().astype("datetime64[D]").astype(np.int64)
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
