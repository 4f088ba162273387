"""The vector of an instrument as it could be known at a time in the past.

Belongs here: which candles, days and articles were known by then. Does not: features (`online`), whether the lake is complete
(`readiness`), models.

A row counts if it had ended and was known by then: a bar or an article that came later changes nothing, nor do the daily bars
made of such bars.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl

from spx_assets import calendar
from spx_assets.features import online
from spx_assets.features.bars import BAR_COLUMNS, DAILY_COLUMNS, DailyBars
from spx_assets.features.batch import daily_frame
from spx_assets.features.definitions.news import LATEST_DAYS
from spx_assets.features.definitions.timeframes import DAILY_DAYS
from spx_assets.lake import known
from spx_assets.lake.tables import CANDLES, Table
from spx_assets.news import signals
from spx_assets.news.signals import Articles

if TYPE_CHECKING:
    from spx_assets.lake.connection import Lake
    from spx_assets.sources.heard import Heard

AN_INSTANT = timedelta(microseconds=1)
A_YEAR = timedelta(days=380)
"""250 trading days are 350 days; 30 more reach over a pause of the market."""
A_WEEK = timedelta(days=7)


Streamed = Callable[[datetime | None], pl.DataFrame]


def nothing(_: datetime | None) -> pl.DataFrame:
    """What a home without a stream has beside its candles."""
    return CANDLES.empty()


@dataclass(frozen=True)
class AsOf:
    """A vector, the mid close of its bar, the last bar before it that bronze.candles hold, which is what `readiness` can judge,
    and the last of all that had ended, whenever it was known.
    """

    vector: online.Vector
    close: float
    stored: datetime
    last: datetime


def vector(
    lake: "Lake",
    *,
    instrument: str,
    at: datetime,
    rows: int,
    snapshot: int,
    streamed: Streamed = nothing,
    heard: "Heard | None" = None,
) -> AsOf:
    """The vector of the newest bar known at `at`, and up to `rows` of its trading day.

    `streamed` gives the candles after a bar, the last in bronze.candles, that are not there yet. Of a feed that is streamed live
    `heard` does, and says when each came to be known. `online.NoBarsError` where no bar was known by then.

    About 80 ms of CPU and 4 MB on 464,000 candles.
    """
    asked = _Asked(lake, instrument, at, snapshot, streamed, heard)
    newest = asked.newest()
    day = calendar.trading_day(newest.ts)
    anchor = calendar.anchor(day, lake.settings.lookback_days)
    own = _known(asked.candles(anchor, asked.end, newest.further, "instrument", *BAR_COLUMNS), at)
    made = online.from_frames(
        own,
        DailyBars.from_frame(asked.daily_bars(day, newest.further)),
        Articles.from_frame(asked.articles(day)),
        instrument=instrument,
        lookback_days=lake.settings.lookback_days,
        rows=rows,
    )
    return AsOf(made, float(own["close"][-1]), min(newest.ts, newest.stored or newest.ts), newest.last or newest.ts)


@dataclass(frozen=True)
class _Newest:
    """Where the candles end: the newest bar known then, the last of all that had ended, the last of those that bronze.candles
    hold, and the streamed ones after it.
    """

    ts: datetime
    last: datetime | None
    stored: datetime | None
    further: pl.DataFrame


@dataclass(frozen=True)
class _Asked:
    """What could be read of one instrument at a time in the past."""

    lake: "Lake"
    instrument: str
    at: datetime
    snapshot: int
    streamed: Streamed
    heard: "Heard | None"

    @property
    def end(self) -> datetime:
        """Bars that begin before it had ended."""
        return self.at - calendar.ONE_MINUTE + AN_INSTANT

    def candles(self, start: datetime | None, until: datetime, further: pl.DataFrame, *columns: str) -> pl.DataFrame:
        """Candles of [start, until), later ones streamed, whenever they were known."""
        wanted = [*columns, "known_at"]
        if self.heard is not None:
            told = self._read(CANDLES, list(dict.fromkeys([*wanted, "ts", "source"])), start, until)
            return self.heard.candles(told, start=start, until=until).select(wanted)
        return pl.concat([self._read(CANDLES, wanted, start, until), further.filter(pl.col("ts") < until).select(wanted)])

    def newest(self) -> _Newest:
        """A year is looked at first: candles of all years only where it does not reach what the daily indicators look at."""
        for start in (self.at - A_YEAR, None):
            found = self._newest_since(start)
            if found and (start is None or start <= _first(calendar.trading_day(found.ts))):
                return found
        raise online.NoBarsError(
            f"{self.instrument}: no bar that had ended and was known by {self.at:%Y-%m-%dT%H:%MZ} in {CANDLES.name}; import its "
            "candles or materialise the week"
        )

    def daily_bars(self, day: date, further: pl.DataFrame) -> pl.DataFrame:
        """Of the days before `day`: the lake's, unless they hold bars that came late or lack some that were only streamed."""
        first, opens = _first(day), calendar.day_window(day)[0]
        streamed = further["ts"].is_between(first, opens, closed="left").any()
        if streamed or (self.heard is not None and self.heard.first < opens) or self._late(first, opens):
            own = self.candles(first, opens, further, "instrument", "trading_day", *BAR_COLUMNS)
            return daily_frame(_known(own, self.at))
        return self._read("silver.daily_bars", ["instrument", *DAILY_COLUMNS], first, opens)

    def articles(self, day: date) -> pl.DataFrame:
        """Scores known by then that may still count."""
        opens = calendar.day_window(day)[0]
        return self._read(online.SENTIMENT, signals.COLUMNS, opens - timedelta(days=LATEST_DAYS), self.at + AN_INSTANT)

    def _newest_since(self, start: datetime | None) -> _Newest | None:
        stored = known.last(
            self.lake, CANDLES, instrument=self.instrument, start=start, end=self.end, at=self.at, snapshot=self.snapshot
        )
        further = CANDLES.empty()
        if self.heard is None:
            further = self.streamed(stored.of_all).filter(pl.col("ts") < self.end)
            ts, last = _last(_known(further, self.at)) or stored.known, _last(further) or stored.of_all
        else:
            # A year of minutes is read only where nothing of the last week was known.
            for since in (self.end - A_WEEK, start):
                ended = self.candles(since, self.end, further, "ts")
                ts, last = _last(_known(ended, self.at)), _last(ended)
                if ts is not None:
                    break
        return None if ts is None else _Newest(ts, last, stored.of_all, further)

    def _late(self, start: datetime, end: datetime) -> bool:
        return known.late(
            self.lake, CANDLES, instrument=self.instrument, start=start, end=end, at=self.at, snapshot=self.snapshot
        )

    def _read(self, table: str | Table, columns: Sequence[str], start: datetime | None, end: datetime) -> pl.DataFrame:
        return self.lake.read(table, start=start, end=end, columns=columns, instruments=[self.instrument], snapshot=self.snapshot)


def _known(frame: pl.DataFrame, at: datetime) -> pl.DataFrame:
    return frame.filter(pl.col("known_at") <= at).drop("known_at")


def _last(frame: pl.DataFrame) -> datetime | None:
    ts: datetime | None = frame["ts"][-1] if frame.height else None
    return ts


def _first(day: date) -> datetime:
    """The first instant that the daily indicators of a trading day look at."""
    return calendar.day_window(calendar.shift_trading_days(day, -DAILY_DAYS))[0]
