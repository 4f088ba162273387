"""Weeks of silver.news_sentiment: how each article sounds, and how much it is about each instrument with a candle feed.

Belongs here: from rows of bronze.news to rows of silver.news_sentiment, and what besides those rows decides them. Does not:
scoring (`sentiment_cache`), tone and relevance themselves.

Every wording is scored on its own words, that of a duplicate too: who counts a story once leaves out rows with a `duplicate_of`.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from datetime import date

import polars as pl

from spx_assets import calendar
from spx_assets.lake.connection import Lake
from spx_assets.lake.news_tables import NEWS_SENTIMENT
from spx_assets.lake.windows import Chunk, Chunks, Window
from spx_assets.news import model_version, texts
from spx_assets.news.relevance import Relevance
from spx_assets.news.sentiment_cache import scores
from spx_assets.news.tone import tones
from spx_assets.sources import feeds

READ = ("article_id", "revision", "known_at", "source", "title", "body", "duplicate_of")


def by_week(news: Window) -> Chunks:
    """Sentiment of the articles of each week being made, a row an instrument and wording."""
    return Chunks(_chunks(news))


def fingerprints(lake: Lake, weeks: Sequence[date], *, snapshot: int | None = None) -> dict[date, str]:
    """What decides the rows of a week besides its articles: the instruments with a feed, the files of the sentiment model."""
    said = json.dumps([sorted(feeds.feeds(lake, snapshot=snapshot)), model_version.version(lake.settings.news)])
    return dict.fromkeys(weeks, hashlib.sha256(said.encode()).hexdigest()[:32])


def _chunks(news: Window) -> Iterator[Chunk]:
    lake = news.lake
    instruments = sorted(feeds.feeds(lake, snapshot=news.snapshot))
    for weeks in news.chunks():
        told = pl.concat([news.read(*calendar.run_window(run), columns=READ) for run in calendar.week_runs(weeks)])
        rows = sentiment(lake, told, instruments)
        yield Chunk(weeks, rows, fingerprints=fingerprints(lake, weeks, snapshot=news.snapshot))


def sentiment(lake: Lake, told: pl.DataFrame, instruments: Sequence[str]) -> pl.DataFrame:
    """Rows of silver.news_sentiment, in key order, of rows of bronze.news (columns READ)."""
    if told.is_empty() or not instruments:
        return NEWS_SENTIMENT.empty()
    text = pl.Series("text", [texts.scored(*row) for row in told.select("title", "body").iter_rows()], dtype=pl.String)
    model_id, scored = scores(lake.settings, text.unique(maintain_order=True).to_list())
    classes = [pl.col(name) for name in ("negative", "neutral", "positive")]
    rows = (
        told.hstack(tones(text))
        .with_columns(text_hash=pl.Series([texts.digest(each) for each in text], dtype=pl.String), model_id=pl.lit(model_id))
        .join(scored, on="text_hash", how="left", maintain_order="left")
        .with_columns(score=pl.col("positive") - pl.col("negative"), confidence=pl.max_horizontal(classes))
    )
    further = lake.settings.news.relevance
    about = [
        rows.with_columns(Relevance(name, further.get(name)).of_texts(text), instrument=pl.lit(name)) for name in instruments
    ]
    return pl.concat(about).select(*NEWS_SENTIMENT.schema()).sort(NEWS_SENTIMENT.key)
