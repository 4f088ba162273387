"""Weeks of bronze.news: what the landed batches say about them, refused records beside.

Belongs here: which landed records a chunk of weeks needs, its quarantine and fingerprints. Does not: landing and reading batches
(`sources.news_feeds`), which records are the same article (`identity`).
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import polars as pl

from spx_assets import calendar
from spx_assets.lake.connection import Lake
from spx_assets.lake.news_tables import NEWS, NEWS_QUARANTINE
from spx_assets.lake.windows import Chunk, Chunks
from spx_assets.news import identity
from spx_assets.sources import news_feeds


def by_week(lake: Lake, weeks: Sequence[date]) -> Chunks:
    """Articles and quarantine of `weeks` as landed now, in chunks that are staged together."""
    size, at = lake.settings.lake.chunk_weeks, lake.snapshot()
    return Chunks(articles(lake, weeks[i : i + size], snapshot=at) for i in range(0, len(weeks), size))


def articles(lake: Lake, weeks: Sequence[date], *, snapshot: int | None = None) -> Chunk:
    """What was landed by `snapshot` about `weeks`: articles, the refused records beside them, the weeks' fingerprints."""
    good, bad = [NEWS.empty()], [NEWS_QUARANTINE.empty()]
    for run in calendar.week_runs(weeks):
        found, refused = _read(lake, *calendar.run_window(run), snapshot=snapshot)
        good.append(found)
        bad.append(refused)
    return Chunk(
        tuple(weeks),
        pl.concat(good).sort(NEWS.key),
        beside={NEWS_QUARANTINE.name: pl.concat(bad).sort(NEWS_QUARANTINE.key)},
        fingerprints=news_feeds.fingerprints(lake, weeks, snapshot=snapshot),
    )


def quarantine_counts(lake: Lake, *, start: datetime | None = None, end: datetime | None = None) -> dict[str, int]:
    """Refused records stored for [start, end), by reason."""
    stored = lake.read(NEWS_QUARANTINE, start=start, end=end, columns=["reason"])
    return dict(stored["reason"].value_counts(name="records").sort("reason").iter_rows())


def _read(lake: Lake, start: datetime, end: datetime, *, snapshot: int | None) -> tuple[pl.DataFrame, pl.DataFrame]:
    """(bronze.news, bronze.news_quarantine) of [start, end)."""
    settings = lake.settings.news
    before = start - timedelta(hours=settings.same_story_h)
    told, refused = news_feeds.articles(lake, before, end, snapshot=snapshot)
    earlier = news_feeds.earlier_wordings(lake, start, end, snapshot=snapshot)
    rows = identity.identified(pl.concat([told, earlier]).unique(["position", "line"]))
    found = identity.resolve(rows, start=start, end=end, hours=settings.same_story_h, score=settings.same_story_score)
    quarantine = refused.filter(pl.col("known_at") >= start).select(
        "provider", "line", "reason", "raw", batch="rows_sha256", ts="known_at"
    )
    return found, quarantine.select(*NEWS_QUARANTINE.schema())
