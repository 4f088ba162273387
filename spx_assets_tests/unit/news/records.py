"""Landed records of hand-made articles, as `news_feeds.articles` gives them once they have an article id."""

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from spx_assets.news import identity
from spx_assets.sources.news_feeds import LANDED

# Monday 15:00 New York in the week of Sunday 2019-01-13.
NOON = datetime(2019, 1, 14, 20, 0, tzinfo=UTC)


def record(title: str, minutes: float = 0, **given: Any) -> dict[str, Any]:
    """A record known `minutes` after NOON."""
    known = NOON + timedelta(minutes=minutes)
    clocks = dict.fromkeys(("published_at", "first_seen_at", "ingested_at", "known_at"), known)
    return {"provider": "files", "source": "wire", "title": title, "time_precision": "minute", "raw": "{}", **clocks, **given}


def landed(*records: dict[str, Any], position: int = 0) -> pl.DataFrame:
    """The records as one landed batch, with their article ids."""
    rows = [{"position": position, "line": line, "rows_sha256": f"batch{position}", **row} for line, row in enumerate(records)]
    return identity.identified(pl.DataFrame(rows, schema=LANDED))


def resolve(rows: pl.DataFrame, *, start: float = -1e5, end: float = 1e5, hours: float = 48, score: float = 90) -> pl.DataFrame:
    """`identity.resolve` between minutes after NOON."""
    window = {"start": NOON + timedelta(minutes=start), "end": NOON + timedelta(minutes=end)}
    return identity.resolve(rows, **window, hours=hours, score=score)
