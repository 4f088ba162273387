"""The online path: the vectors of the newest bars, from the same kernels and signals on the same history as the batch rows.

Belongs here: the newest row of a history as the model's vector, and those before it in its trading day. Does not: caching,
freshness rules, scoring.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from operator import itemgetter
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import polars as pl

from spx_assets import SpxError, calendar
from spx_assets.features import catalog, inputs
from spx_assets.features.bars import BAR_COLUMNS, DAILY_COLUMNS, F64, Bars, DailyBars
from spx_assets.features.compute import model_inputs
from spx_assets.features.definitions.news import LATEST_DAYS
from spx_assets.features.definitions.timeframes import DAILY_DAYS
from spx_assets.features.market_time import anchor_of, day_at, instant, microseconds, open_of
from spx_assets.news import signals
from spx_assets.news.signals import Articles

if TYPE_CHECKING:
    from spx_assets.lake.connection import Lake

F32 = npt.NDArray[np.float32]
SENTIMENT = "silver.news_sentiment"
I64 = npt.NDArray[np.int64]


class NoBarsError(SpxError):
    """There is no bar to compute a vector for."""


@dataclass(frozen=True)
class Vector:
    """The model's inputs at one bar, in the order of `catalog.model_inputs()`; NaN where not known."""

    instrument: str
    ts: datetime
    names: tuple[str, ...]
    recent: F32
    """[k, f]: of the last bars of its trading day, as many as were asked for and there are, itself last."""
    stamps: I64
    """When those bars begin, in microseconds since 1970."""

    @property
    def values(self) -> F32:
        """Of the bar itself, [f]."""
        newest: F32 = self.recent[-1]
        return newest


def latest(bars: Bars, daily: DailyBars, articles: Articles) -> F32:
    """Model inputs [rows, f] of the rows asked for of `bars`, which begin at the anchor of their one trading day."""
    columns = _market_inputs()(model_inputs(bars, daily))
    with np.errstate(over="ignore"):
        market = np.concatenate(columns).reshape(-1, bars.asked).T.astype(np.float32)
    market[~np.isfinite(market)] = np.nan
    ts = bars.ts[bars.first :]
    return inputs.beside(ts, market, ts, signals.inputs_at(articles, ts))


@cache
def _market_inputs() -> Callable[[dict[str, F64]], tuple[F64, ...]]:
    """What takes the values of the catalog's inputs in its order."""
    return itemgetter(*(f.name for f in catalog.market_inputs()))


@cache
def _names() -> tuple[str, ...]:
    return tuple(f.name for f in catalog.model_inputs())


def from_frames(
    candles: pl.DataFrame, daily: DailyBars, articles: Articles, *, instrument: str, lookback_days: int, rows: int = 1
) -> Vector:
    """The vector of the newest candle of `instrument`, and up to `rows` vectors of its trading day.

    `candles` are in order and reach back to the anchor at least; what is older, or another instrument's, is left out here, so
    a caller may keep a longer buffer. `daily` are the instrument's 250 trading days before; indicators of a day are kept in
    them. `articles` are those about the instrument from three days before the trading day on; later ones than a bar change
    nothing.
    """
    bars = Bars.from_frame(_own(candles, instrument))
    return from_bars(bars, daily, articles, instrument=instrument, lookback_days=lookback_days, rows=rows)


def from_bars(bars: Bars, daily: DailyBars, articles: Articles, *, instrument: str, lookback_days: int, rows: int = 1) -> Vector:
    """The same of bars that are known to be the instrument's own: to look through 5,000 names takes a thirtieth of a vector."""
    if not len(bars):
        raise NoBarsError(f"{instrument}: no bars; import or materialise its candles first")
    ts = int(bars.ts[-1])
    day, end = day_at(ts), len(bars)
    start, opened = np.searchsorted(bars.ts, (anchor_of(day, lookback_days), open_of(day))).tolist()
    kept = min(rows, end - opened)
    recent = latest(bars.window(start, end, first=end - kept), daily, articles)
    return Vector(instrument, instant(ts), _names(), recent, bars.ts[end - kept :].copy())


def _own(frame: pl.DataFrame, instrument: str) -> pl.DataFrame:
    """Rows of one instrument; nothing is copied where there is no other."""
    own = frame["instrument"] == instrument
    return frame if own.all() else frame.filter(own)


def vector(
    lake: "Lake",
    *,
    instrument: str,
    rows: int = 1,
    at: datetime | None = None,
    snapshot: int | None = None,
    news: "News | None" = None,
) -> Vector:
    """The vector of the newest bar of `instrument` that had ended by `at` (default: the newest bar of all), and up to `rows` of
    its trading day.

    Reads `bronze.candles` from the anchor on, `silver.daily_bars` of the 250 trading days before, and `silver.news_sentiment`
    of the three days before through `news`, which may remember them. NoBarsError where no bar had ended by then.
    """
    end = None if at is None else at - calendar.ONE_MINUTE + timedelta(microseconds=1)
    settings = lake.settings
    candles = _history(lake, instrument, end, snapshot)
    day = calendar.trading_day(candles["ts"][-1])
    first = calendar.shift_trading_days(day, -DAILY_DAYS)
    days = lake.read(
        "silver.daily_bars",
        start=calendar.day_window(first)[0],
        end=calendar.day_window(day)[0],
        columns=["instrument", *DAILY_COLUMNS],
        instruments=[instrument],
        snapshot=snapshot,
    )
    articles = (news or News()).before(lake, instrument, day, snapshot=lake.snapshot() if snapshot is None else snapshot)
    known = DailyBars.from_frame(days)
    return from_frames(candles, known, articles, instrument=instrument, lookback_days=settings.lookback_days, rows=rows)


class News:
    """Recent articles by instrument, read again when silver.news_sentiment has changed or another trading day began."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[date, int, Articles]] = {}

    def before(self, lake: "Lake", instrument: str, day: date, *, snapshot: int) -> Articles:
        """Articles that may count at a bar of the trading day: from three days before it on, as of the lake's `snapshot`."""
        kept = self._kept.get(instrument)
        if kept and kept[0] == day and (kept[1] == snapshot or lake.unchanged([SENTIMENT], kept[1], snapshot)):
            articles = kept[2]
        else:
            start, end = calendar.day_window(day)
            articles = Articles.from_frame(
                lake.read(
                    SENTIMENT,
                    start=start - timedelta(days=LATEST_DAYS),
                    end=end,
                    columns=signals.COLUMNS,
                    instruments=[instrument],
                    snapshot=snapshot,
                )
            )
        self._kept[instrument] = (day, snapshot, articles)
        return articles


def _history(lake: "Lake", instrument: str, end: datetime | None, snapshot: int | None) -> pl.DataFrame:
    """Candles from the anchor of the newest bar before `end` on, or from a little earlier."""

    def read(start: datetime | None, columns: Sequence[str] = ("instrument", *BAR_COLUMNS)) -> pl.DataFrame:
        return lake.read("bronze.candles", start=start, end=end, columns=columns, instruments=[instrument], snapshot=snapshot)

    def anchor(ts: datetime) -> datetime:
        return calendar.anchor(day_at(microseconds(ts)), lake.settings.lookback_days)

    start = None if end is None else anchor(end)
    if start is not None:
        candles = read(start)
        if candles.height and anchor(candles["ts"][-1]) >= start:
            return candles
    # Nothing in the day of `end`: after a weekend, a holiday or a longer silence. Only stamps are read to find the last bar.
    bars = read(None, ["ts"])
    if bars.is_empty():
        when = "" if end is None else f" that had ended by {end + calendar.ONE_MINUTE}"
        raise NoBarsError(f"{instrument}: no bar{when} in bronze.candles; import its candles or materialise the week")
    return read(anchor(bars["ts"][-1]))
