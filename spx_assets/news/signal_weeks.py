"""Signals of whole weeks: the asset body of gold/news_signals.

Belongs here: which candles and articles a chunk of weeks needs. Does not: the signals themselves (`signals`).
"""

from collections.abc import Iterator
from datetime import timedelta

import polars as pl

from spx_assets import calendar
from spx_assets.features.definitions.news import LATEST_DAYS
from spx_assets.lake.windows import Chunk, Chunks, Window
from spx_assets.news.signals import BAR, COLUMNS, signals

LOOK_BACK = timedelta(days=LATEST_DAYS)


def by_week(candles: Window, sentiment: Window) -> Chunks:
    """A row of `gold.news_signals` for every candle of the weeks being made.

    Articles are read from three days before a week on: of the week before, never of a later one.
    """
    return Chunks(_chunks(candles, sentiment))


def _chunks(candles: Window, sentiment: Window) -> Iterator[Chunk]:
    for weeks in candles.chunks():
        parts = []
        for run in calendar.week_runs(weeks):
            start, end = calendar.run_window(run)
            bars = candles.read(start, end, columns=BAR)
            articles = sentiment.read(max(start - LOOK_BACK, sentiment.start), end, columns=COLUMNS)
            parts.append(signals(bars, articles))
        yield Chunk(weeks, pl.concat(parts).sort("instrument", "ts") if len(parts) > 1 else parts[0])
