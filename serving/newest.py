"""The vector of an instrument's newest bar, and reading it from the lake.

Belongs here: what a vector holds, the reads of one at one snapshot. Does not: when it is read and which answers (`vectors`),
features themselves (`spx_assets.features.online`).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from serving.stream.history import History
from spx_assets import calendar
from spx_assets.calendar import ONE_MINUTE
from spx_assets.features import online, readiness
from spx_assets.lake import Lake
from spx_assets.scoring import sequences
from spx_assets.scoring.sequences import F32, I64
from spx_assets.sources import feeds
from spx_assets.sources.bindings import Feed


@dataclass(frozen=True, eq=False)
class Vector:
    """The last bar of an instrument: its model inputs in the order of the catalog, NaN for null, and its mid close."""

    instrument: str
    ts: datetime
    close: float
    recent: F32
    """[k, f]: inputs of the last bars of its trading day, as many as some model looks at and there are, its own last."""
    stamps: I64
    """When those bars begin, in microseconds since 1970."""
    clock: datetime
    """The feed's clock when this was made: where a standing feed still is."""
    news: str | None = None
    """Why inputs made of news are not what a batch row would have; None where they are."""
    binding: str | None = None
    """To which market it belongs (`Feed.binding`); None for one that is never compared with another."""

    def older_than(self, other: "Vector | None") -> bool:
        """Whether the other one is of a later bar of the same market."""
        return other is not None and self.binding == other.binding and self.ts < other.ts

    def run(self, *, tolerance_min: int) -> I64:
        """How many of those bars up to and including each follow one another."""
        return sequences.runs(np.zeros(len(self.stamps), np.int32), self.stamps, tolerance_min=tolerance_min)

    def age(self, clock: datetime) -> timedelta:
        """Time since the bar ended."""
        return clock - (self.ts + ONE_MINUTE)


def newest(lake: Lake, feed: Feed, news: online.News, *, rows: int, at: datetime, snapshot: int) -> Vector:
    """The vector of the newest bar that has ended by the feed's clock `at`, and up to `rows` of its day, read at one snapshot.

    NotReadyError where the batch row of that bar would have other numbers, or the feed has newer bars than the lake.
    """
    if feed.streamed:
        return _streamed(lake, feed, news, rows=rows, at=at, snapshot=snapshot)
    made = online.vector(lake, instrument=feed.instrument, rows=rows, at=at, snapshot=snapshot, news=news)
    end = made.ts + ONE_MINUTE
    anchor = calendar.anchor(calendar.trading_day(made.ts), lake.settings.lookback_days)
    columns = ["ts", "close", "source"]
    bars = lake.read("bronze.candles", start=anchor, end=end, columns=columns, instruments=[feed.instrument], snapshot=snapshot)
    if not feed.live:
        readiness.require_its_rows(lake, feed, bars, until=feed.own_end, snapshot=snapshot)
    weeks = feeds.weeks_with_rows(lake, instrument=feed.instrument)
    readiness.require(lake, instrument=feed.instrument, ts=made.ts, weeks=weeks, snapshot=snapshot)
    behind = readiness.news(lake, instrument=feed.instrument, ts=made.ts, snapshot=snapshot, now=at if feed.live else None)
    return Vector(feed.instrument, made.ts, float(bars["close"][-1]), made.recent, made.stamps, at, behind, feed.binding)


def _streamed(lake: Lake, feed: Feed, news: online.News, *, rows: int, at: datetime, snapshot: int) -> Vector:
    """The same of a feed whose stream went on where bronze/candles end."""
    history = History.load(lake, feed, snapshot=snapshot, at=at)
    articles = news.before(lake, feed.instrument, history.day, snapshot=snapshot)
    made = history.vector(articles, rows=rows)
    behind = readiness.news(lake, instrument=feed.instrument, ts=made.ts, snapshot=snapshot, now=at if feed.live else None)
    return Vector(feed.instrument, made.ts, history.close, made.recent, made.stamps, at, behind, feed.binding)
