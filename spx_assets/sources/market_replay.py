"""Markets that are played: the simulator going on from where it stands, and candles of a file or a feed once more.

Belongs here: past and simulated candles as bars, at a chosen speed. Does not: the pace (`bars`), live prices (`oanda_stream`).

A played bar is known when its minute ends, by the market's own time, as its row in bronze.candles says: a batch run over the
same minutes gives the same rows.
"""

import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from spx_assets import calendar
from spx_assets.lake.connection import Lake
from spx_assets.sources import feeds, files, quality, simulator
from spx_assets.sources.bars import Bar, paced
from spx_assets.sources.bindings import Feed
from spx_assets.sources.errors import RangeError
from spx_assets.sources.rows import JUDGED, conform


class SimulatedBars:
    """The embedded market, minute by minute from each feed's end on, for ever."""

    trouble: str | None = None

    def __init__(self, bound: Sequence[Feed], *, speed: float) -> None:
        self._bound, self._speed = list(bound), speed

    def bars(self, stop: threading.Event) -> Iterator[Bar]:
        """Of several instruments in the order of their minutes."""
        return paced(self._all(), speed=self._speed, stop=stop)

    def _all(self) -> Iterator[Bar]:
        day = min(calendar.trading_day(feed.end) for feed in self._bound)
        while True:
            start, end = calendar.day_window(day)
            made = [bar for feed in self._bound if feed.end < end for bar in _simulated(feed, max(start, feed.end), end)]
            yield from sorted(made, key=lambda bar: (bar.ts, bar.instrument))
            day += calendar.ONE_DAY


class ReplayedBars:
    """Candles of the past once more: those of `frames`, one frame after the other."""

    trouble: str | None = None

    def __init__(self, feed: Feed, frames: Iterator[pl.DataFrame], *, speed: float) -> None:
        self._feed, self._frames, self._speed = feed, frames, speed

    @classmethod
    def of_feed(cls, lake: Lake, feed: Feed, start: datetime, *, speed: float) -> "ReplayedBars":
        """The feed's own candles from `start` on; RangeError if there are none."""
        if start >= feed.own_end:
            raise RangeError(
                f"the feed of {feed.instrument} has no candles after {start:%Y-%m-%dT%H:%MZ}, where bronze/candles end; name a "
                "file that has with SPX_STREAM__REPLAY"
            )
        return cls(feed, feeds.own_rows(lake, feed, start), speed=speed)

    @classmethod
    def of_file(cls, feed: Feed, path: Path, *, speed: float, tz: str | None = None) -> "ReplayedBars":
        """The candles of a file after the feed's end; RangeError if there are none."""
        (read,) = files.read(path, name=path.name, now=datetime.now(UTC), instrument=feed.instrument, tz=tz)
        later = read.rows.filter(pl.col("ts") >= feed.end)
        frame, _ = quality.split(later, instrument=feed.instrument, source=feed.live_source)
        if frame.is_empty():
            raise RangeError(f"{path.name} has no candles of {feed.instrument} after {feed.end:%Y-%m-%dT%H:%MZ}, its feed's end")
        return cls(feed, iter([frame.sort("ts")]), speed=speed)

    def bars(self, stop: threading.Event) -> Iterator[Bar]:
        """In order of time."""
        return paced((bar for frame in self._frames for bar in of_candles(self._feed, frame)), speed=self._speed, stop=stop)


def of_candles(feed: Feed, frame: pl.DataFrame) -> Iterator[Bar]:
    """Rows of bronze.candles as bars of the feed."""
    provider, binding = feed.provider, feed.binding
    for row in frame.drop("trading_day", "source").iter_rows(named=True):
        yield Bar(provider=provider, binding=binding, **row)


def _simulated(feed: Feed, start: datetime, end: datetime) -> Iterator[Bar]:
    rows = simulator.generate(feed.simulator, start, end, instrument=feed.instrument, holidays=feed.holidays)
    if rows.height:
        frame, _ = quality.split(conform(rows.with_row_index("line"), JUDGED), instrument=feed.instrument, source=feed.source())
        yield from of_candles(feed, frame)
