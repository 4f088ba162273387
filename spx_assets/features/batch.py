"""The batch path: windows of the lake to chunks of feature tables, one instrument and trading day at a time.

Belongs here: which history each trading day gets, trimming, and the merge into `gold.market_features`. Does not: kernels,
commits. Every row is a function of its own history only, so a range may be cut into weeks in any way.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from spx_assets import SpxError, calendar
from spx_assets.features import catalog
from spx_assets.features.bars import BAR_COLUMNS, Bars, DailyBars
from spx_assets.features.compute import compute_spans, stored
from spx_assets.features.days import Span
from spx_assets.features.definitions.timeframes import DAILY_DAYS
from spx_assets.features.market_time import microseconds
from spx_assets.lake.tables import ROW_KEY, table
from spx_assets.lake.windows import Chunk, Chunks, Window

_KEY = [column.name for column in ROW_KEY]
_ROW = ["instrument", "ts"]
_DAY = timedelta(days=1)
_AHEAD = timedelta(weeks=261)


class MisalignedError(SpxError):
    """The feature tables of one week do not hold the same bars."""


def by_day(candles: Window, *, family: str) -> Chunks:
    """Rows of `silver.<family>` for every candle of the weeks being made; nothing but `candles` is read."""
    return Chunks(_feature_chunks(candles, family, lambda *_: {}))


def timeframes(candles: Window, daily_bars: Window) -> Chunks:
    """Rows of `silver.timeframes`: higher bars inside the history, days from the 250 trading days before each day."""

    ahead = _Ahead(daily_bars, ["instrument", "ts", "trading_day", "high", "low", "close"])

    def days(weeks: Sequence[date]) -> dict[str, DailyBars]:
        first = calendar.shift_trading_days(weeks[0] + _DAY, -DAILY_DAYS)
        start = max(calendar.day_window(first)[0], daily_bars.start)
        end = min(calendar.week_window(weeks[-1])[1], daily_bars.end)
        return {instrument: DailyBars.from_frame(part) for instrument, part in _instruments(ahead.read(start, end))}

    return Chunks(_feature_chunks(candles, "timeframes", days))


class _Ahead:
    """A small table read five years at a time, for chunks whose look-back of 60 weeks overlaps: a read of its own is 20 ms each.

    1,300 days an instrument. Weeks that were never made are not read ahead of the chunk that needs them.
    """

    def __init__(self, window: Window, columns: Sequence[str]) -> None:
        self._window, self._columns = window, columns
        self._start = self._end = window.end
        self._rows = pl.DataFrame()

    def read(self, start: datetime, end: datetime) -> pl.DataFrame:
        """Rows of [start, end)."""
        if start < self._start or end > self._end:
            unmade = [opens for week in self._window.unmade if (opens := calendar.week_window(week)[0]) >= end]
            self._start, self._end = start, max(end, min(end + _AHEAD, self._window.end, *unmade))
            self._rows = self._window.read(self._start, self._end, columns=self._columns)
        return self._rows.filter(pl.col("ts").is_between(start, end, closed="left"))


def daily_bars(candles: Window) -> Chunks:
    """Rows of `silver.daily_bars`: one bar an instrument and trading day, from the minutes that traded so far."""
    return Chunks(Chunk(weeks, daily_frame(_read_weeks(candles, weeks, _CANDLES))) for weeks in candles.chunks())


def market_features(*tables: Window) -> Chunks:
    """Rows of `gold.market_features`: the model inputs of all families, merged on equality of the key."""
    by_family = {window.table.name.split(".")[1]: window for window in tables}
    if missing := set(catalog.MARKET_FAMILIES) - set(by_family):
        raise MisalignedError(f"gold.market_features needs silver.{', silver.'.join(sorted(missing))} as well")
    return Chunks(Chunk(weeks, _merged(by_family, weeks)) for weeks in next(iter(by_family.values())).chunks())


def features_of(bars: Bars, spans: Sequence[tuple[int, int, int]], family: str, days: DailyBars) -> dict[str, npt.NDArray[Any]]:
    """Every feature of `family` for consecutive spans of rows of one instrument.

    `spans` are (first row of the history, first row asked for, row after the last). Arrays run from the first span's first
    row asked for to the last span's end, typed as they are stored.
    """
    features = catalog.family(family)
    offset = spans[0][1]
    out = {f.name: np.empty(spans[-1][2] - offset, np.float32 if f.model_input else np.float64) for f in features}

    def keep(first: int, name: str, values: npt.NDArray[Any]) -> None:
        out[name][first - offset : first - offset + len(values)] = values

    compute_spans(family, bars, [Span(*span) for span in spans], days, keep)
    return {f.name: stored(f, out[f.name]) for f in features}


def day_spans(ts: npt.NDArray[np.int64], days: Sequence[date], *, lookback_days: int) -> list[tuple[int, int, int]]:
    """For each trading day with bars: rows of (anchor, day start, day end) in `ts`, microseconds in order."""
    edges = [(calendar.anchor(day, lookback_days), *calendar.day_window(day)) for day in days]
    rows = np.searchsorted(ts, np.array([[microseconds(at) for at in edge] for edge in edges]))
    return [(int(a), int(b), int(c)) for a, b, c in rows if c > b]


_CANDLES = [*_KEY, "open", "high", "low", "close", "volume"]


def daily_frame(candles: pl.DataFrame) -> pl.DataFrame:
    """`silver.daily_bars` of a frame of candles ordered by instrument and ts."""
    if candles.is_empty():
        return table("silver.daily_bars").empty()
    instrument, day = (candles[name].rle_id().to_numpy() for name in ("instrument", "trading_day"))
    new = (np.diff(instrument, prepend=-1) != 0) | (np.diff(day.astype(np.int64), prepend=-1) != 0)
    starts = np.flatnonzero(new)
    ends = np.append(starts[1:], candles.height) - 1
    high, low, volume = (candles[name].to_numpy() for name in ("high", "low", "volume"))
    keys = candles[starts]
    opened = {d: calendar.day_window(d)[0] for d in keys["trading_day"].unique()}
    frame = keys.select("instrument", "trading_day", "open").with_columns(
        ts=pl.Series([opened[d] for d in keys["trading_day"]], dtype=table("silver.daily_bars")["ts"].polars),
        high=np.maximum.reduceat(high, starts),
        low=np.minimum.reduceat(low, starts),
        close=candles["close"][ends],
        # One running sum: numpy adds a slice in pairs, so a day's sum would depend on where it lies.
        volume=np.array([np.cumsum(volume[a : b + 1])[-1] for a, b in zip(starts, ends, strict=True)]),
        bars=pl.Series(ends - starts + 1, dtype=pl.Int32),
        last_ts=candles["ts"][ends],
    )
    return frame.select(table("silver.daily_bars").schema().keys())


def _feature_chunks(candles: Window, family: str, days: Callable[[Sequence[date]], dict[str, DailyBars]]) -> Iterator[Chunk]:
    needed = {name for f in catalog.family(family) for name in f.inputs}
    columns = [*_KEY, *(name for name in BAR_COLUMNS[1:] if name in needed)]
    for weeks in candles.chunks():
        parts = [_rows(candles, family, run, columns, days(run)) for run in calendar.week_runs(weeks)]
        yield Chunk(weeks, pl.concat(parts).sort("instrument", "ts") if len(parts) > 1 else parts[0])


def _rows(
    candles: Window, family: str, weeks: Sequence[date], columns: Sequence[str], daily: dict[str, DailyBars]
) -> pl.DataFrame:
    """Features of consecutive weeks."""
    contract = table(f"silver.{family}")
    lookback = candles.lake.settings.lookback_days
    trading_days = list(calendar.trading_days(weeks[0] + _DAY, weeks[-1] + 6 * _DAY))
    start = max(calendar.anchor(trading_days[0], lookback), candles.start)
    frame = candles.read(start, calendar.week_window(weeks[-1])[1], columns=columns)
    parts = []
    for instrument, own in _instruments(frame):
        bars = Bars.from_frame(own)
        spans = day_spans(bars.ts, trading_days, lookback_days=lookback)
        if not spans:
            continue
        made = features_of(bars, spans, family, daily.get(instrument, DailyBars.none()))
        keys = own[spans[0][1] : spans[-1][2]]
        parts.append(pl.DataFrame([*(keys[name] for name in _KEY), *(_series(name, column) for name, column in made.items())]))
    return pl.concat(parts) if parts else contract.empty()


def _series(name: str, values: npt.NDArray[Any]) -> pl.Series:
    """A column with null for NaN. Most have none, and looking costs a tenth of making a null mask."""
    return pl.Series(name, values, nan_to_null=bool(np.isnan(values.min())))


def _instruments(frame: pl.DataFrame) -> Iterator[tuple[str, pl.DataFrame]]:
    """The parts of a frame ordered by instrument."""
    names, start = frame["instrument"], 0
    while start < frame.height:
        name = names[start]
        stop = frame.height if names[-1] == name else int(names.search_sorted(name, side="right"))
        yield str(name), frame[start:stop]
        start = stop


def _merged(windows: dict[str, Window], weeks: Sequence[date]) -> pl.DataFrame:
    keys: pl.DataFrame | None = None
    columns: list[pl.Series] = []
    for family in catalog.MARKET_FAMILIES:
        names = [f.name for f in catalog.family(family) if f.model_input]
        # The trading day follows from the time: it is read once.
        frame = _read_weeks(windows[family], weeks, [*(_KEY if keys is None else _ROW), *names])
        if keys is None:
            keys = frame.select(_KEY)
        elif not keys.select(_ROW).equals(key := frame.select(_ROW)):
            raise MisalignedError(_difference(keys.select(_ROW), key, family, weeks))
        columns += [frame[name] for name in names]
    assert keys is not None
    return keys.hstack(columns)


def _difference(keys: pl.DataFrame, key: pl.DataFrame, family: str, weeks: Sequence[date]) -> str:
    first = next(iter(catalog.MARKET_FAMILIES))
    left, right = keys.join(key, on=_ROW, how="anti"), key.join(keys, on=_ROW, how="anti")
    example = (left if left.height else right).row(0)
    return (
        f"silver.{family} and silver.{first} do not hold the same bars in the weeks {weeks[0]} to {weeks[-1]}: "
        f"{left.height} are missing from silver.{family} and {right.height} from silver.{first}, e.g. {example[0]} at "
        f"{example[1]}; "
        f"make them again: `spx backfill silver/{family} silver/{first} --from {weeks[0]} --to {weeks[-1]}`"
    )


def _read_weeks(window: Window, weeks: Sequence[date], columns: Sequence[str]) -> pl.DataFrame:
    parts = [window.read(*calendar.run_window(run), columns=columns) for run in calendar.week_runs(weeks)]
    return pl.concat(parts).sort("instrument", "ts") if len(parts) > 1 else parts[0]
