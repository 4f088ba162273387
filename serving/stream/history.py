"""What the vector of an instrument's next bar is made from, in memory: its bars since the anchor and its completed days.

Belongs here: taking it from the lake, adding bars, the vector of the newest one. Does not: news (`news`), who asks (`worker`,
`serving.vectors`).

A history begins with what the lake holds and may be served from (`readiness`), goes on with streamed bars, and completes days
with the function that makes silver.daily_bars. So its vector has the numbers that the batch row of the same bar will have.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import polars as pl

from serving.stream.growing import Growing
from spx_assets import calendar
from spx_assets.features import batch, online, readiness
from spx_assets.features.bars import BAR_COLUMNS, DAILY_COLUMNS, DailyBars
from spx_assets.features.definitions.timeframes import DAILY_DAYS
from spx_assets.features.market_time import day_at, microseconds
from spx_assets.features.online import NoBarsError
from spx_assets.lake import Lake
from spx_assets.lake.records import newest
from spx_assets.lake.tables import table
from spx_assets.news.signals import Articles
from spx_assets.sources import feeds, live
from spx_assets.sources.bars import Bar
from spx_assets.sources.bindings import Feed

CANDLES = "bronze.candles"
DAILY = "silver.daily_bars"
BASE = (CANDLES, DAILY)
"""What a history begins with: where one of them changed, it begins anew."""
_COLUMNS = ("instrument", "trading_day", *BAR_COLUMNS)
_SCHEMA = {name: table(CANDLES)[name].polars for name in _COLUMNS}


class History:
    """Bars and days of one instrument. Not safe to share between threads."""

    def __init__(self, instrument: str, candles: pl.DataFrame, daily: pl.DataFrame, *, lookback_days: int) -> None:
        self._instrument, self._lookback_days = instrument, lookback_days
        self._candles, self._daily = candles.select(_COLUMNS), daily
        self._since: list[Bar] = []
        """Bars that came after those."""
        self._day = day_at(microseconds(self._candles["ts"][-1]))
        self._complete_days()

    @classmethod
    def load(cls, lake: Lake, feed: Feed, *, snapshot: int, at: datetime | None = None, rest_follows: bool = False) -> "History":
        """What the lake holds of a feed, streamed bars included, up to the last bar that had ended by `at`.

        `rest_follows`: what the feed has beyond the lake is to come bar by bar; else it must be there.
        NoBarsError if there is none, NotReadyError if the batch rows of what follows would have other numbers.
        """
        end = None if at is None else at - calendar.ONE_MINUTE + timedelta(microseconds=1)
        last = _last_stored(lake, feed.instrument, snapshot, end)
        lookback = lake.settings.lookback_days
        day = day_at(microseconds(last))
        stored = lake.read(
            CANDLES,
            start=calendar.anchor(day, lookback),
            end=last + calendar.ONE_MINUTE,
            columns=[*_COLUMNS, "source"],
            instruments=[feed.instrument],
            snapshot=snapshot,
        )
        if not feed.live:
            until = last + calendar.ONE_MINUTE if rest_follows else feed.own_end
            readiness.require_its_rows(lake, feed, stored, until=until, snapshot=snapshot)
        weeks = feeds.weeks_with_rows(lake, instrument=feed.instrument)
        readiness.require(lake, instrument=feed.instrument, ts=last, weeks=weeks, snapshot=snapshot)
        streamed = live.rows(lake, feed, start=last + calendar.ONE_MINUTE, end=end, snapshot=snapshot)
        further = live.candles(feed, live.uncovered(feed, streamed))
        days = lake.read(
            DAILY,
            start=calendar.day_window(calendar.shift_trading_days(day, -DAILY_DAYS))[0],
            end=calendar.day_window(day)[0],
            columns=["instrument", *DAILY_COLUMNS],
            instruments=[feed.instrument],
            snapshot=snapshot,
        )
        candles = pl.concat([stored.select(_COLUMNS), further.select(_COLUMNS)])
        return cls(feed.instrument, candles, days, lookback_days=lookback)

    @property
    def last(self) -> datetime:
        """Start of the newest bar."""
        return self._growing.last

    @property
    def day(self) -> date:
        """Its trading day."""
        return self._day

    @property
    def close(self) -> float:
        """Its mid close."""
        return self._growing.close

    def add(self, bars: Sequence[Bar]) -> None:
        """Take bars that are later than all there are; earlier ones are known already and left out."""
        last = self.last
        for bar in bars:
            if bar.ts > last:
                self._growing.append(bar)
                self._since.append(bar)
        if (day := day_at(microseconds(self.last))) != self._day:
            self._day = day
            self._complete_days()

    def vector(self, articles: Articles, *, rows: int) -> online.Vector:
        """The vector of the newest bar, and up to `rows` of its trading day."""
        return online.from_bars(
            self._growing.bars(),
            self._days,
            articles,
            instrument=self._instrument,
            lookback_days=self._lookback_days,
            rows=rows,
        )

    def _complete_days(self) -> None:
        """Days before the newest bar's become daily bars; bars from before its anchor are needed no more."""
        if self._since:
            rows = pl.DataFrame([_row(bar) for bar in self._since], schema=_SCHEMA, orient="row")
            self._candles, self._since = pl.concat([self._candles, rows]), []
        opened = calendar.day_window(self._day)[0]
        # Of the oldest day of the buffer some bars may be gone, but its daily bar was made when they were there.
        known = self._daily["trading_day"].max()
        days = self._candles.filter(pl.col("ts") < opened)
        if isinstance(known, date):
            days = days.filter(pl.col("trading_day") > known)
        made = batch.daily_frame(days).select("instrument", *DAILY_COLUMNS)
        self._daily = pl.concat([self._daily, made])
        self._days = DailyBars.from_frame(self._daily)
        self._candles = self._candles.filter(pl.col("ts") >= calendar.anchor(self._day, self._lookback_days)).rechunk()
        self._growing = Growing(self._candles)


def _row(bar: Bar) -> tuple[object, ...]:
    return (bar.instrument, calendar.trading_day(bar.ts), *(getattr(bar, name) for name in BAR_COLUMNS))


def _last_stored(lake: Lake, instrument: str, snapshot: int, end: datetime | None) -> datetime:
    """The newest candle before `end`: looked for from the newest week that has rows."""
    made = newest(lake, CANDLES, "bronze/candles", snapshot=snapshot)
    for week in sorted((week for week, record in made.items() if record.rows), reverse=True):
        start, stop = calendar.week_window(week)
        stop = stop if end is None else min(stop, end)
        if start < stop:
            found = lake.read(CANDLES, start=start, end=stop, columns=["ts"], instruments=[instrument], snapshot=snapshot)
            if found.height:
                last: datetime = found["ts"].max()  # type: ignore[assignment]
                return last
    raise NoBarsError(f"{instrument}: no bar in {CANDLES}; import its candles or materialise the week")
