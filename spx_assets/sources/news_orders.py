"""Simulated articles to order: written into the drop folder, from where the online job takes them like any others.

Belongs here: when ordered articles are known, who may have them. Does not: their words (`news_simulator`), the folder
(`news_drop`).
"""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from datetime import time as clock_time
from pathlib import Path
from typing import Literal

import polars as pl

from spx_assets import calendar
from spx_assets.lake.connection import Lake
from spx_assets.news import identity
from spx_assets.sources import bindings, news_drop, news_simulator
from spx_assets.sources.bindings import SIMULATOR, Feed
from spx_assets.sources.errors import FeedBoundError, InstrumentError, SourceError
from spx_assets.sources.news_simulator import KINDS, Kind

SPREAD = timedelta(minutes=5)
"""The articles of one order come evenly within so much time, the last of them at its end."""
Tone = Literal[Kind, "custom"]
TONES: tuple[Tone, ...] = (*KINDS, "custom")
"""What may be ordered: a tone of the newsroom, or words of one's own, which sound as they sound."""
_WRITTEN = ("title", "source", "url", "language", "published_at", "first_seen_at")


class OrderError(SourceError):
    """Nobody can write such articles."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """Articles that wait in the drop folder: columns article_id, title, known_at."""

    path: Path
    articles: pl.DataFrame


def order(
    lake: Lake, tone: Tone, count: int = 1, *, title: str | None = None, at: datetime | None = None, instrument: str | None = None
) -> Order:
    """Leave `count` articles of one tone in the drop folder, the last of them known at `at`; with `title`, those words.

    By default the newest bar of `instrument` knows them: on a standing clock they come by the last bar's start, else by now.
    OrderError for a custom article without a title.
    FeedBoundError in a home with candles of a real market: its signals must not hear made-up news.
    """
    if tone == "custom" and not (title and title.strip()):
        raise OrderError("a custom article has no words but your own; give it a title")
    feed = _simulated_feed(bindings.feeds(lake), instrument)
    last = at or (datetime.now(UTC) if feed.live else feed.end - calendar.ONE_MINUTE)
    kind: Kind = "neutral" if tone == "custom" else tone
    rows = news_simulator.simulated(kind, count, at=last, title=title, first=time.time_ns())
    stamps = pl.Series(
        [_timed(last - SPREAD * ((count - 1 - k) / count)) for k in range(count)], dtype=rows.schema["published_at"]
    )
    rows = rows.with_columns(published_at=stamps, first_seen_at=stamps)
    path = news_drop.put(news_drop.folder(lake.settings), [*rows.select(_WRITTEN).iter_rows(named=True)])
    return Order(path=path, articles=rows.select("title", article_id=identity.article_ids(rows), known_at="first_seen_at"))


def _timed(at: datetime) -> datetime:
    """The instant, or a second before a midnight: in a file that is a date, known from the next day."""
    return at - timedelta(seconds=1) if at.astimezone(UTC).time() == clock_time() else at


def _simulated_feed(bound: dict[str, Feed], instrument: str | None) -> Feed:
    """The feed whose clock counts; it and every other must be the simulator's."""
    if instrument is not None and instrument not in bound:
        raise InstrumentError(f"{instrument} has no feed; bound are {', '.join(bound) or 'none'}")
    if not bound:
        raise FeedBoundError("no instrument is bound, so there is no bar that could know an article; run `spx demo` first")
    if real := [f"{name} ({feed.provider})" for name, feed in bound.items() if feed.provider != SIMULATOR]:
        raise FeedBoundError(
            f"this home has candles of a real market: {', '.join(real)}; simulated articles would change its signals. "
            "Order them in a home of the simulator (set SPX_HOME to another folder and run `spx demo`)"
        )
    return bound[instrument] if instrument else next(iter(bound.values()))
