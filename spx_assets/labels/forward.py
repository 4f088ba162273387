"""Forward returns: the label rule, for one instrument's bars.

Belongs here: from bars to labels, without I/O. Does not: reading candles, choosing weeks.

For a bar at t and horizon h: entry is the open of the first bar after t, exit the close of the last bar with a stamp in
(t+h-tolerance, t+h]. The label is null if either is missing, if two bars in a row between t and the exit lie more than the
tolerance apart, or if its life [t, t+h+1 min] ends after the trading day or after the feed's clock.
"""

from collections.abc import Sequence
from datetime import datetime

import numpy as np
import numpy.typing as npt
import polars as pl

from spx_assets import SpxError, calendar
from spx_assets.lake.tables import LABELS, UTC_US

I64 = npt.NDArray[np.int64]
MINUTE_US = 60_000_000
FOREVER_US = np.iinfo(np.int64).max


class LabelInputError(SpxError):
    """Labels were asked for bars that are not one instrument's in order of time."""


def forward_returns(
    candles: pl.DataFrame, *, horizons: Sequence[int], tolerance_min: int, clock: datetime | None
) -> pl.DataFrame:
    """Labels of every bar of one instrument, per `tables.LABELS`, ordered by (ts, horizon).

    `candles` needs instrument, ts (strictly rising), trading_day, open, close. `clock` is the feed's: what ends after it is
    not known yet; None stands for a feed that has ended.
    """
    ts = candles["ts"].to_physical().to_numpy()
    if candles["instrument"].n_unique() > 1 or bool((np.diff(ts) <= 0).any()):
        names = candles["instrument"].unique().sort().to_list()
        raise LabelInputError(
            f"bars of {names} are not one instrument's in rising time; sort them and label each instrument alone"
        )
    steps = sorted(horizons)
    limit = np.minimum(_day_ends(candles["trading_day"]), _us(clock) if clock else FOREVER_US)
    exits = [_exit_index(ts, limit, horizon=h, tolerance_min=tolerance_min) for h in steps]
    # Interleaved, so that rows come in key order: all horizons of the first bar, then of the second.
    last = np.stack(exits, axis=1).ravel() if steps else np.empty(0, np.int64)
    bar = np.repeat(np.arange(len(ts)), len(steps))
    horizon = np.tile(np.array(steps, np.int32), len(ts))
    known = last >= 0
    entry = candles["open"].to_numpy()[np.where(known, bar + 1, 0)] if len(ts) else np.empty(0)
    leave = candles["close"].to_numpy()[np.where(known, last, 0)] if len(ts) else np.empty(0)
    frame = candles.select("instrument", "ts", "trading_day")[bar].with_columns(
        pl.Series("horizon_minutes", horizon),
        pl.Series("entry", entry, dtype=pl.Float64),
        pl.Series("exit", leave, dtype=pl.Float64),
        pl.Series("label_end", ts[bar] + (horizon.astype(np.int64) + 1) * MINUTE_US).cast(UTC_US),
        pl.Series("known", known, dtype=pl.Boolean),
    )
    priced = frame.with_columns(pl.when("known").then(name) for name in ("entry", "exit"))
    rated = priced.with_columns(return_bp=1e4 * (pl.col("exit") / pl.col("entry") - 1))
    up = pl.when(pl.col("exit") != pl.col("entry")).then((pl.col("exit") > pl.col("entry")).cast(pl.Int8))
    return rated.with_columns(direction=up).select(pl.col(name).cast(kind) for name, kind in LABELS.schema().items())


def _exit_index(ts: I64, limit: I64, *, horizon: int, tolerance_min: int) -> I64:
    """Index of the exit bar of every bar, -1 where there is no label."""
    if not len(ts):
        return np.empty(0, np.int64)
    end = ts + horizon * MINUTE_US
    last = np.searchsorted(ts, end, side="right") - 1
    # Bars of one run follow each other within the tolerance; a label needs its entry and exit in the run of its bar.
    run = np.concatenate(([0], np.cumsum(np.diff(ts) > tolerance_min * MINUTE_US)))
    inside = (last > np.arange(len(ts))) & (ts[last] > end - tolerance_min * MINUTE_US) & (run[last] == run)
    return np.where(inside & (end + MINUTE_US <= limit), last, -1)


def _day_ends(trading_day: pl.Series) -> I64:
    """End of each bar's trading day in microseconds, by New York's clock: 1,300 days are looked up, not 1.7 million bars."""
    days = trading_day.unique().to_list()
    ends = pl.Series([_us(calendar.day_window(day)[1]) for day in days], dtype=pl.Int64)
    return trading_day.replace_strict(days, ends, return_dtype=pl.Int64).to_numpy() if days else np.empty(0, np.int64)


def _us(ts: datetime) -> int:
    return round(ts.timestamp() * 1_000_000)
