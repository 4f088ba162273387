"""The vector of an instrument as it could be known at a time in the past.

Belongs here: which candles, days and articles were known by then. Does not: features (`online`), whether the lake is complete
(`readiness`), models.

A row counts if it had ended and was known by then: a bar or an article that came later changes nothing, nor do the daily bars
made of such bars.
"""

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl

from spx_assets import calendar
from spx_assets.features import online
from spx_assets.features.bars import BAR_COLUMNS, DAILY_COLUMNS
from spx_assets.features.batch import daily_frame
from spx_assets.features.definitions.news import LATEST_DAYS
from spx_assets.features.definitions.timeframes import DAILY_DAYS
from spx_assets.news import signals
from spx_assets.news.signals import Articles

if TYPE_CHECKING:
    from spx_assets.lake.connection import Lake

CANDLES = "bronze.candles"
AN_INSTANT = timedelta(microseconds=1)
A_YEAR = timedelta(days=380)
"""250 trading days are 350 days; 30 more reach over a pause of the market."""


def vector(lake: "Lake", *, instrument: str, at: datetime, rows: int, snapshot: int) -> tuple[online.Vector, float]:
    """The vector of the newest bar known at `at`, up to `rows` of its trading day, and its mid close.

    `online.NoBarsError` where no bar was known by then. About 30 ms: the stamps of a year are read for bars that came late.
    """
    end = at - calendar.ONE_MINUTE + AN_INSTANT
    day, late = _last_day(lake, instrument, at, end, snapshot)
    first = _first(day)
    anchor, opens = calendar.anchor(day, lake.settings.lookback_days), calendar.day_window(day)[0]

    def candles(start: datetime, until: datetime, *columns: str) -> pl.DataFrame:
        frame = lake.read(
            CANDLES, start=start, end=until, columns=[*columns, "known_at"], instruments=[instrument], snapshot=snapshot
        )
        return frame.filter(pl.col("known_at") <= at).drop("known_at")

    if late.is_between(first, opens, closed="left").any():
        days = daily_frame(candles(first, opens, "instrument", "trading_day", *BAR_COLUMNS))
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
    own = candles(anchor, end, "instrument", *BAR_COLUMNS)
    made = online.from_frames(
        own,
        days,
        Articles.from_frame(articles),
        instrument=instrument,
        lookback_days=lake.settings.lookback_days,
        rows=rows,
    )
    return made, float(own["close"][-1])


def _last_day(lake: "Lake", instrument: str, at: datetime, end: datetime, snapshot: int) -> tuple[date, pl.Series]:
    """The trading day of the last bar before `end` that was known at `at`, and stamps of bars that came later than `at`.

    NoBarsError where no bar was known.
    """
    for start in (at - A_YEAR, None):
        frame = lake.read(CANDLES, start=start, end=end, columns=["ts", "known_at"], instruments=[instrument], snapshot=snapshot)
        known = frame["known_at"] <= at
        if known.any():
            day = calendar.trading_day(frame.filter(known)["ts"][-1])
            if start is None or start <= _first(day):
                return day, frame.filter(~known)["ts"]
    raise online.NoBarsError(
        f"{instrument}: no bar that had ended and was known by {at:%Y-%m-%dT%H:%MZ} in {CANDLES}; import its candles or "
        "materialise the week"
    )


def _first(day: date) -> datetime:
    """The first instant that the daily indicators of a trading day look at."""
    return calendar.day_window(calendar.shift_trading_days(day, -DAILY_DAYS))[0]
