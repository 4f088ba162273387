"""Streamed bars in the lake: storing them exactly once with the feed's clock, reading them back, where they count.

Belongs here: bronze.candles_live and how far a feed was streamed. Does not: making bars (`market_replay`, `oanda_stream`), the
candles of a week (`feeds`).

What makes a bar stored once is the feed's own row: it says how far the stream got and changes in the transaction that adds the
bars, so a bar given again after a crash is known by its minute.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

import polars as pl

from spx_assets import calendar
from spx_assets.lake import tables
from spx_assets.lake.connection import Lake
from spx_assets.sources import bindings
from spx_assets.sources.bars import Bar
from spx_assets.sources.bindings import SIMULATOR, Feed
from spx_assets.sources.landing import Landing

LOG = logging.getLogger(__name__)


def follow(lake: Lake, wanted: Sequence[Feed]) -> None:
    """Bind archive feeds live: from now on they are judged by the wall's clock, whether or not a bar comes."""
    with Landing(lake.settings.landing).locked():
        bound = bindings.feeds(lake)
        archives = [replace(bound[feed.instrument], live=True) for feed in wanted if not bound[feed.instrument].live]
        if archives:
            bindings.write(lake, archives)


def store(lake: Lake, bars: Sequence[Bar]) -> int:
    """Add the bars that are not there yet and move their feeds' clocks, an instrument a transaction; how many were new.

    Bars of a feed that was bound anew since are left out: they are of another market.
    """
    new = 0
    with Landing(lake.settings.landing).locked():
        for name in sorted({bar.instrument for bar in bars}):
            new += _store(lake, bindings.feeds(lake).get(name), [bar for bar in bars if bar.instrument == name])
    return new


def _store(lake: Lake, feed: Feed | None, bars: Sequence[Bar]) -> int:
    if feed is None or feed.binding != bars[0].binding:
        name = bars[0].instrument
        LOG.warning("%d streamed bars of %s belong to a feed that was bound anew since; they are left out", len(bars), name)
        return 0
    fresh = [bar for bar in bars if bar.ts >= (feed.streamed[1] if feed.streamed else feed.end)]
    if fresh:
        rows = pl.DataFrame([_row(bar) for bar in fresh], schema=tables.CANDLES_LIVE.schema())
        forgotten = None if feed.streamed else feed.instrument
        bindings.write(lake, [_moved(feed, fresh[-1].end)], streamed=rows, forgotten=forgotten)
    return len(fresh)


def _moved(feed: Feed, end: datetime) -> Feed:
    start = feed.streamed[0] if feed.streamed else feed.end
    config = {**feed.config, "streamed_from": start.isoformat(), "streamed_to": end.isoformat()}
    if feed.provider == SIMULATOR:
        config["end"] = end.isoformat()
    return replace(feed, config=config)


def _row(bar: Bar) -> dict[str, object]:
    return {name: getattr(bar, name) for name in tables.CANDLES_LIVE.schema()}


def rows(
    lake: Lake, feed: Feed, *, start: datetime | None = None, end: datetime | None = None, snapshot: int | None = None
) -> pl.DataFrame:
    """Rows of bronze.candles_live of [start, end) that belong to the feed as it is bound."""
    if feed.streamed is None:
        return tables.CANDLES_LIVE.empty()
    first, last = feed.streamed
    return lake.read(
        tables.CANDLES_LIVE.name,
        start=first if start is None else max(first, start),
        end=last if end is None else min(last, end),
        instruments=[feed.instrument],
        snapshot=snapshot,
    )


def uncovered(feed: Feed, streamed: pl.DataFrame) -> pl.DataFrame:
    """Of streamed rows those in minutes that the provider's own history does not cover: there it says all there was."""
    ts = pl.col("ts")
    covered = [ts.is_between(first, last, closed="left") for first, last in covered_by(feed)]
    return streamed.filter(~pl.any_horizontal(covered)) if covered and streamed.height else streamed


def covered_by(feed: Feed) -> list[tuple[datetime, datetime]]:
    """Ranges of which the feed's files say all there was: those that were asked for, else from a file's first bar to its last."""
    return [
        (datetime.fromisoformat(file.rules["from"]), datetime.fromisoformat(file.rules["to"]))
        if "from" in file.rules
        else (file.first_ts, file.last_ts + calendar.ONE_MINUTE)
        for file in feed.files
    ]


def candles(feed: Feed, streamed: pl.DataFrame) -> pl.DataFrame:
    """Streamed rows as rows of bronze.candles."""
    day = calendar.trading_day_expr(pl.col("ts"))
    return streamed.with_columns(trading_day=day, source=pl.lit(feed.live_source)).select(*tables.CANDLES.schema())


@dataclass(frozen=True)
class Mark:
    """What a stream gave a week beyond the provider's history; streamed rows never change, so it says which they are."""

    rows: int
    last: datetime


def marks(lake: Lake, feed: Feed, *, snapshot: int | None = None) -> dict[date, Mark]:
    """By week, the streamed bars that count in it. The simulator has none: its own rows end where the stream does."""
    if feed.provider == SIMULATOR or feed.streamed is None:
        return {}
    counted = uncovered(feed, rows(lake, feed, snapshot=snapshot)).select("ts")
    week = calendar.week_expr(calendar.trading_day_expr(pl.col("ts")))
    found = counted.group_by(week.alias("week")).agg(pl.len().alias("rows"), pl.col("ts").max().alias("last"))
    return {row[0]: Mark(row[1], row[2]) for row in found.iter_rows()}
