"""The vector of an instrument as it could be known at a time in the past.

Belongs here: which candles, days and articles were known by then. Does not: features (`online`), whether the lake is complete
(`readiness`), models.

A row counts if it had ended and was known by then: a bar or an article that came later changes nothing, nor do the daily bars
made of such bars.
"""

from collections.abc import Callable
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
from spx_assets.lake.tables import CANDLES
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
    end = at - calendar.ONE_MINUTE + AN_INSTANT

    def candles(start: datetime | None, until: datetime, *columns: str) -> pl.DataFrame:
        """Candles of [start, until), later ones streamed, whenever they were known."""
        wanted = [*columns, "known_at"]
        if heard is not None:
            read = list(dict.fromkeys([*wanted, "ts", "source"]))
            told = lake.read(CANDLES, start=start, end=until, columns=read, instruments=[instrument], snapshot=snapshot)
            return heard.candles(told, start=start, until=until).select(wanted)
        found = lake.read(CANDLES, start=start, end=until, columns=wanted, instruments=[instrument], snapshot=snapshot)
        return pl.concat([found, further.filter(pl.col("ts") < until).select(wanted)])

    for start in (at - A_YEAR, None):
        stored = known.last(lake, CANDLES, instrument=instrument, start=start, end=end, at=at, snapshot=snapshot)
        if heard is None:
            further = streamed(stored.of_all).filter(pl.col("ts") < end)
            ts, last = _last(_known(further, at)) or stored.known, _last(further) or stored.of_all
        else:
            further = CANDLES.empty()
            # A year of minutes is read only where nothing of the last week was known.
            for since in (end - A_WEEK, start):
                ended = candles(since, end, "ts")
                ts, last = _last(_known(ended, at)), _last(ended)
                if ts is not None:
                    break
        if ts is not None:
            day = calendar.trading_day(ts)
            first = _first(day)
            if start is None or start <= first:
                break
    else:
        raise online.NoBarsError(
            f"{instrument}: no bar that had ended and was known by {at:%Y-%m-%dT%H:%MZ} in {CANDLES.name}; import its candles or "
            "materialise the week"
        )
    anchor, opens = calendar.anchor(day, lake.settings.lookback_days), calendar.day_window(day)[0]
    # Daily bars in the lake hold bars that came late, and lack those that were only streamed.
    others = further["ts"].is_between(first, opens, closed="left").any()
    others = others or (heard is not None and heard.first < opens)
    if others or known.late(lake, CANDLES, instrument=instrument, start=first, end=opens, at=at, snapshot=snapshot):
        days = daily_frame(_known(candles(first, opens, "instrument", "trading_day", *BAR_COLUMNS), at))
    else:
        columns = ["instrument", *DAILY_COLUMNS]
        days = lake.read(
            "silver.daily_bars", start=first, end=opens, columns=columns, instruments=[instrument], snapshot=snapshot
        )
    articles = lake.read(
        online.SENTIMENT,
        start=opens - timedelta(days=LATEST_DAYS),
        end=at + AN_INSTANT,
        columns=signals.COLUMNS,
        instruments=[instrument],
        snapshot=snapshot,
    )
    own = _known(candles(anchor, end, "instrument", *BAR_COLUMNS), at)
    made = online.from_frames(
        own,
        DailyBars.from_frame(days),
        Articles.from_frame(articles),
        instrument=instrument,
        lookback_days=lake.settings.lookback_days,
        rows=rows,
    )
    return AsOf(made, float(own["close"][-1]), min(ts, stored.of_all or ts), last or ts)


def _known(frame: pl.DataFrame, at: datetime) -> pl.DataFrame:
    return frame.filter(pl.col("known_at") <= at).drop("known_at")


def _last(frame: pl.DataFrame) -> datetime | None:
    ts: datetime | None = frame["ts"][-1] if frame.height else None
    return ts


def _first(day: date) -> datetime:
    """The first instant that the daily indicators of a trading day look at."""
    return calendar.day_window(calendar.shift_trading_days(day, -DAILY_DAYS))[0]
