"""Landing articles: batches of records kept by digest, listed in the lake together with how far the provider was heard.

Belongs here: what of a poll is new, its clocks, keeping it whole or not at all. Does not: asking providers, reading landed
articles back by time (`news_feeds`).

`<sha256 of itself>.news.parquet` in the landing folder is one batch. It appears by rename; only then one transaction of the
lake lists it and moves the cursor, so a kill at any moment leaves the records landed and the cursor moved, or neither.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import polars as pl

from spx_assets import calendar
from spx_assets.lake.connection import Lake
from spx_assets.lake.news_tables import NEWS_FEEDS, NEWS_FILES
from spx_assets.news import identity
from spx_assets.sources import imports, news_batches, news_feeds
from spx_assets.sources.articles import stamped
from spx_assets.sources.landing import Landing
from spx_assets.sources.news_index import Index
from spx_assets.sources.rows import UTC_US, conform


@dataclass(frozen=True, kw_only=True)
class LandingReport:
    """What became of one batch: records that are new, that were landed before, and, of the new ones, refused with a reason."""

    provider: str
    name: str
    rows: int
    landed: int
    known: int
    refused: Mapping[str, int] = field(default_factory=dict)
    first_known_at: datetime | None = None
    last_known_at: datetime | None = None
    troubles: tuple[str, ...] = ()


def land(
    lake: Lake,
    provider: str,
    rows: pl.DataFrame,
    *,
    name: str,
    cursor: Mapping[str, Any] | None = None,
    live: bool = False,
    config: Mapping[str, Any] | None = None,
    now: datetime | None = None,
    troubles: tuple[str, ...] = (),
) -> LandingReport:
    """Keep what is new of a provider's records (columns ARTICLES), and how far it was heard, all or nothing.

    `live`: the records were polled as they appeared and are known from then on; else they are a dated archive. A provider once
    live stays so. `config` is what was asked; entries of `cursor` replace those stored, unless something else was asked before:
    then the cursor starts anew. `now` is when the home got the records, `troubles` go into the report.
    Records landed before are left out; a batch of nothing else lands no file, but still moves the cursor and the poll's time.
    """
    at = now or datetime.now(UTC)
    landing, index = Landing(lake.settings.landing), Index(lake)
    kept = recorded(provider, stamped(conform(rows, news_batches.KEPT), live=live, now=at))
    with landing.locked():
        files = lake.read(NEWS_FILES)
        fresh = _unknown(kept, index, files, provider)
        if not live:
            fresh = _since_start(lake, _later_wordings(fresh, index, files), name)
        feed = news_feeds.feeds(lake).get(provider)
        same = feed is not None and (config is None or feed.config == config)
        going_on = {**(feed.cursor if feed is not None and same else {}), **(cursor or {})}
        bound = pl.DataFrame(
            {
                "provider": [provider],
                "live": [live or (feed is not None and feed.live)],
                "config": [_json(config if config is not None else feed.config if feed else {})],
                "cursor": [_json(going_on)],
                # What is imported of a live provider's history is no poll: its news may be stale all the same.
                "polled_at": [feed.polled_at if feed is not None and feed.live and not live else at],
                "bound_at": [feed.bound_at if feed else at],
            },
            schema=NEWS_FEEDS.schema(),
        )
        lake.write(
            upsert={NEWS_FEEDS: bound},
            append={} if fresh.is_empty() else {NEWS_FILES: _listed(lake, provider, fresh, files, name, at)},
        )
    return _report(provider, name, kept, fresh, troubles)


def fresh(lake: Lake, provider: str, rows: pl.DataFrame) -> pl.DataFrame:
    """Those of the records that the provider has not delivered before, as `land` takes them whatever is added to them."""
    return _unknown(recorded(provider, rows), Index(lake), lake.read(NEWS_FILES), provider)


def together(provider: str, name: str, reports: Sequence[LandingReport]) -> LandingReport:
    """One report of several batches."""
    refused = Counter[str]()
    for report in reports:
        refused.update(report.refused)
    return LandingReport(
        provider=provider,
        name=name,
        rows=sum(report.rows for report in reports),
        landed=sum(report.landed for report in reports),
        known=sum(report.known for report in reports),
        refused=dict(refused),
        first_known_at=min((report.first_known_at for report in reports if report.first_known_at), default=None),
        last_known_at=max((report.last_known_at for report in reports if report.last_known_at), default=None),
        troubles=tuple(trouble for report in reports for trouble in report.troubles),
    )


def recorded(provider: str, rows: pl.DataFrame) -> pl.DataFrame:
    """Rows with the columns KEPT: each has the digest of what its provider said, that of an earlier call if it has one.

    Neither when a record came nor what stands around the article in it counts: a page of search results numbers it anew.
    """
    kept = conform(rows, news_batches.KEPT).with_columns(line=pl.int_range(pl.len(), dtype=pl.Int64))
    said = ("source", "title", "body", "url", "published_at", "time_precision", "reason")
    digests = []
    for row in kept.select(*said, "raw", "record").iter_rows(named=True):
        raw, known = row.pop("raw"), row.pop("record")
        text = _json([provider, *row.values(), raw if row["reason"] is not None else None])
        digests.append(known or hashlib.blake2b(text.encode(), digest_size=16).hexdigest())
    return kept.with_columns(record=pl.Series(digests, dtype=pl.String))


def _unknown(rows: pl.DataFrame, index: Index, files: pl.DataFrame, provider: str) -> pl.DataFrame:
    once = rows.unique("record", keep="first", maintain_order=True)
    known = index.known(files, provider, once["record"].to_list())
    return once.filter(~pl.col("record").is_in(list(known)))


def _later_wordings(rows: pl.DataFrame, index: Index, files: pl.DataFrame) -> pl.DataFrame:
    """An archive's further record of an address that is dated like one there, and no later known, is known from when it came.

    Its date is that of the article, not of the change, which may have been made at any time up to now. A record dated a day or
    more before stands for itself. Without an address nothing ties two wordings together, and a title comes again every week.
    """
    addressed = pl.col("reason").is_null() & pl.col("url").is_not_null()
    rows = rows.with_columns(article=pl.when(addressed).then(identity.article_ids(rows)))
    told = index.told(files, rows["article"].drop_nulls().unique().to_list())
    met = rows.select("article", "record", "published_at", "known_at").join(told, on="article", suffix="_told")
    alike = pl.col("published_at_told") < pl.col("published_at") + pl.duration(days=1)
    late = met.filter(alike & (pl.col("known_at_told") >= pl.col("known_at")))["record"].unique().to_list()
    again = addressed & ~pl.struct("article", "known_at").is_first_distinct()
    known = pl.when(again | pl.col("record").is_in(late)).then(pl.max_horizontal("known_at", "ingested_at")).otherwise("known_at")
    return rows.with_columns(known_at=known).drop("article")


def _since_start(lake: Lake, rows: pl.DataFrame, name: str) -> pl.DataFrame:
    """Rows of the home's weeks: HistoryStartError for articles before the first; refused ones lie where they came."""
    refused = pl.col("reason").is_not_null()
    first = rows.filter(~refused)["known_at"].min()
    if isinstance(first, datetime):
        imports.check_start(lake.settings, first, f"the articles of {name}")
    start = pl.lit(calendar.week_window(lake.settings.history_start)[0], UTC_US)
    return rows.with_columns(known_at=pl.when(refused & (pl.col("known_at") < start)).then("ingested_at").otherwise("known_at"))


def _listed(lake: Lake, provider: str, fresh: pl.DataFrame, files: pl.DataFrame, name: str, at: datetime) -> pl.DataFrame:
    """Keep the batch and describe it for `bronze.news_files`."""
    digest = news_batches.keep(lake.settings.landing, fresh)
    entry = {
        "provider": provider,
        "position": files.height,
        "rows_sha256": digest,
        "name": name,
        "rows": fresh.height,
        "first_known_at": fresh["known_at"].min(),
        "last_known_at": fresh["known_at"].max(),
        "landed_at": at,
    }
    return pl.DataFrame([entry], schema=NEWS_FILES.schema())


def _report(provider: str, name: str, kept: pl.DataFrame, fresh: pl.DataFrame, troubles: tuple[str, ...]) -> LandingReport:
    reasons = fresh.drop_nulls("reason")["reason"].value_counts(sort=True).iter_rows()
    good = fresh.filter(pl.col("reason").is_null())
    return LandingReport(
        provider=provider,
        name=name,
        rows=kept.height,
        landed=good.height,
        known=kept.height - fresh.height,
        refused=dict(reasons),
        first_known_at=good["known_at"].min(),  # type: ignore[arg-type]
        last_known_at=good["known_at"].max(),  # type: ignore[arg-type]
        troubles=troubles,
    )


def _json(value: object) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
