"""News feeds: what the landed batches of all providers say, by time and by week, and how far each provider was heard.

Belongs here: reading landed articles, their weeks and fingerprints, the cursors. Does not: landing them (`news_landing`), which
records are the same article (`spx_assets.news.identity`), storing bronze/news (the IO manager does).
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl

from spx_assets import calendar
from spx_assets.lake.connection import Lake
from spx_assets.lake.news_tables import NEWS_FEEDS, NEWS_FILES
from spx_assets.sources import bindings, news_batches
from spx_assets.sources.articles import ARTICLES
from spx_assets.sources.bindings import SIMULATOR
from spx_assets.sources.news_index import Index
from spx_assets.sources.rows import conform

# Part of every fingerprint: raise it when the same landed rows give other articles.
VERSION = "1"

# A landed row: its record, who delivered it, and where it lies. `position` is the order of arrival of batches, `line` of rows.
LANDED: dict[str, pl.DataType] = {"provider": pl.String(), "rows_sha256": pl.String(), "position": pl.Int32(), **ARTICLES}


@dataclass(frozen=True, kw_only=True)
class NewsFeed:
    """How far one provider was heard. `cursor` is what its last poll left for the next one."""

    provider: str
    live: bool
    config: Mapping[str, Any]
    cursor: Mapping[str, Any]
    polled_at: datetime | None
    bound_at: datetime


def feeds(lake: Lake, *, snapshot: int | None = None) -> dict[str, NewsFeed]:
    """Every provider that was ever heard, by name."""
    found = {}
    for row in lake.read(NEWS_FEEDS, snapshot=snapshot).iter_rows(named=True):
        parsed = {"config": json.loads(row["config"]), "cursor": json.loads(row["cursor"] or "{}")}
        found[row["provider"]] = NewsFeed(**{**row, **parsed})
    return found


def articles(lake: Lake, start: datetime, end: datetime, *, snapshot: int | None = None) -> tuple[pl.DataFrame, pl.DataFrame]:
    """(articles, refused records) known in [start, end), columns LANDED, in the order they came.

    The same article may come more than once: from two providers, or in two wordings.
    """
    rows = _rows(lake, _files(lake, snapshot, start, end), start, end)
    return rows.filter(pl.col("reason").is_null()), rows.filter(pl.col("reason").is_not_null())


def earlier_wordings(lake: Lake, start: datetime, end: datetime, *, snapshot: int | None = None) -> pl.DataFrame:
    """Articles known before `start` that are the same, by identity, as one known in [start, end); columns LANDED.

    Without them a week cannot tell a new article from a correction of one it has not seen.
    """
    files = _files(lake, snapshot, None, end)
    wanted = Index(lake).earlier(files, start, end)
    held = [_rows(lake, files.filter(pl.col("position") == position), None, start) for position in sorted(wanted)]
    found = pl.concat([pl.DataFrame(schema=LANDED), *held])
    lines = pl.DataFrame(
        [(position, line) for position, those in wanted.items() for line in those],
        schema={"position": pl.Int32, "line": pl.Int64},
        orient="row",
    )
    return found.join(lines, on=["position", "line"], how="semi")


def weeks_with_articles(lake: Lake) -> list[date]:
    """Trading weeks in which some landed record was known, refused ones included, in order.

    Those that have begun: what is dated today may be known from next week on, which is no partition yet.
    """
    begun = calendar.week_of(datetime.now(UTC))
    return [week for week in Index(lake).weeks(_files(lake, None, None, None)) if week <= begun]


def fingerprints(lake: Lake, weeks: Sequence[date], *, snapshot: int | None = None) -> dict[date, str]:
    """A hash per week that changes if, and only if, the landed rows its bronze/news is made of may have changed.

    These are the rows of the week, those of the hours before it in which a like title is the same story, and the earlier
    wordings of its articles.
    """
    settings = lake.settings.news
    index, files = Index(lake), _files(lake, snapshot, None, None)
    rules = [VERSION, settings.same_story_h, settings.same_story_score]
    found = {}
    for week in weeks:
        start, end = calendar.week_window(week)
        said = json.dumps([*rules, index.lines(files, start, end, before=timedelta(hours=settings.same_story_h))])
        found[week] = hashlib.sha256(said.encode()).hexdigest()[:32]
    return found


def _files(lake: Lake, snapshot: int | None, start: datetime | None, end: datetime | None) -> pl.DataFrame:
    """Batches in force that may hold rows known in [start, end), in order of arrival.

    The newsroom is in force beside a simulated market: of its articles nothing may reach the candles of a real one.
    """
    files, bound = lake.read(NEWS_FILES, snapshot=snapshot), bindings.feeds(lake, snapshot=snapshot).values()
    if bound and not any(feed.provider == SIMULATOR for feed in bound):
        files = files.filter(pl.col("provider") != SIMULATOR)
    if end is not None:
        files = files.filter(pl.col("first_known_at") < end)
    return files.filter(pl.col("last_known_at") >= start) if start is not None else files


def _rows(lake: Lake, files: pl.DataFrame, start: datetime | None, end: datetime | None) -> pl.DataFrame:
    known = pl.col("known_at")
    tests = [known >= start] if start is not None else []
    tests += [known < end] if end is not None else []
    frames = [pl.DataFrame(schema=LANDED)]
    for file in files.iter_rows(named=True):
        rows = news_batches.read(lake.settings.landing, file["rows_sha256"]).filter(*tests).collect()
        named = {name: pl.lit(file[name]) for name in ("provider", "rows_sha256", "position")}
        frames.append(conform(rows.with_columns(**named), LANDED))
    return pl.concat(frames)
