"""When the bars of a feed that is streamed live came to be known: for answers as of a past time.

Belongs here: bars of the streamed span with the time and the prices they were first heard at. Does not: the candles of a week
(`feeds`), where a provider's own history comes before the stream, what is made of rows known by a time (`features.as_of`).

A provider's history is downloaded after the minutes it tells of, yet its rows say in `known_at` that they were known a minute
after their start. Of an archive that is all one can say. Beside a stream, and after its last bar, it would let a past time see
a bar that the stream gave later, or never, or at another price.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import polars as pl

from spx_assets.lake import known
from spx_assets.lake.tables import CANDLES_LIVE, UTC_US
from spx_assets.sources import live
from spx_assets.sources.bindings import SIMULATOR, Feed

if TYPE_CHECKING:
    from spx_assets.lake.connection import Lake


@dataclass(frozen=True)
class Heard:
    """What a live feed's stream gave, from its first bar to the end of its last."""

    lake: "Lake"
    feed: Feed
    snapshot: int
    first: datetime
    end: datetime

    def candles(self, stored: pl.DataFrame, *, start: datetime | None, until: datetime) -> pl.DataFrame:
        """Rows of bronze.candles of [start, until), `source` among their columns, as they came to be known.

        A streamed row stands in place of any other of its minute. A row of the provider's history that the stream did not give,
        within its span or after it, was known when its file was fetched; when the newest was, where no file of the feed tells.
        """
        streamed = live.candles(self.feed, live.rows(self.lake, self.feed, start=start, end=until, snapshot=self.snapshot))
        fetched: dict[str, datetime] = {}
        for file in self.feed.files:  # the same file may be bound again
            fetched.setdefault(self.feed.source(file), file.imported_at)
        latest = max([self.end, *fetched.values()])
        at = pl.col("source").replace_strict(list(fetched), list(fetched.values()), default=latest, return_dtype=UTC_US)
        official = (pl.col("ts") >= self.first) & (pl.col("source") != self.feed.live_source)
        told = pl.when(official).then(pl.max_horizontal("known_at", at)).otherwise("known_at")
        others = stored.join(streamed, on="ts", how="anti").with_columns(known_at=told)
        return pl.concat([others, streamed.select(others.columns)]).sort("ts")


def heard(lake: "Lake", feed: Feed, *, snapshot: int) -> Heard | None:
    """None for a feed that no stream follows live: a replay's bars, and the simulator's, are known as its candles say."""
    if not feed.live or feed.streamed is None or feed.provider == SIMULATOR:
        return None
    start, end = feed.streamed
    first = known.first(lake, CANDLES_LIVE, instrument=feed.instrument, start=start, end=end, snapshot=snapshot)
    return None if first is None else Heard(lake, feed, snapshot, first, end)
