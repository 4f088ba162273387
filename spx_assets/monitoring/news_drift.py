"""Drift of the news: how many articles a trading day brings and how they sound, against the weeks before.

Belongs here: rows of `monitoring.news_drift`. Does not: signals at bars (those are model inputs: `feature_drift`), how an article
sounds (`news.sentiment`).

There is no training window of articles: providers come and go. A day is set against the trading days of the twelve weeks before,
and what they tell of chance comes from their own days.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from spx_assets import calendar
from spx_assets.lake.measure_tables import NEWS_DRIFT
from spx_assets.lake.windows import Chunk, Chunks, Window
from spx_assets.monitoring import distance
from spx_assets.settings.monitoring import DriftSettings
from spx_assets.sources import feeds

if TYPE_CHECKING:
    from spx_assets.lake.connection import Lake

WEEKS_BEFORE = 12
FEWEST_DAYS = 10
"""Days before with articles, below which nothing is usual."""
EDGES = np.linspace(-1.0, 1.0, 41)
"""Scores at which distribution functions are compared."""
COLUMNS = ("instrument", "known_at", "source", "score", "relevance", "duplicate_of")


def drift(sentiment: Window) -> Chunks:
    """Drift of the articles about each instrument, per trading day, in the weeks of `sentiment` (silver/news_sentiment)."""
    return Chunks(_chunks(sentiment))


def fingerprints(lake: "Lake", weeks: Iterable[date], *, snapshot: int) -> dict[date, str]:
    """What the rows of each week depend on besides the articles: which of its days are over."""
    clocks = sorted(feeds.clocks(lake, snapshot=snapshot).values())
    days = {week: calendar.trading_days(week, week + timedelta(days=5)) for week in weeks}
    return {week: str(sum(clock >= calendar.day_window(day)[1] for day in of for clock in clocks)) for week, of in days.items()}


def _chunks(sentiment: Window) -> Iterator[Chunk]:
    rules, clocks = sentiment.lake.settings.monitoring.drift, feeds.clocks(sentiment.lake, snapshot=sentiment.snapshot)
    for weeks in sentiment.chunks():
        rows = [row for week in weeks for row in _week(sentiment, rules, clocks, week)]
        told = fingerprints(sentiment.lake, weeks, snapshot=sentiment.snapshot)
        yield Chunk(weeks, pl.DataFrame(rows, schema=NEWS_DRIFT.schema(), orient="row").sort(NEWS_DRIFT.key), fingerprints=told)


def _week(sentiment: Window, rules: DriftSettings, clocks: Mapping[str, datetime], week: date) -> Iterator[dict[str, Any]]:
    start, end = calendar.week_window(week)
    opens = max(start - timedelta(weeks=WEEKS_BEFORE), sentiment.start)
    day = calendar.trading_day_expr(pl.col("known_at"))
    told = sentiment.read(opens, end, columns=COLUMNS).filter(pl.col("duplicate_of").is_null()).with_columns(trading_day=day)
    # What is known on a weekend is the market's only when it opens: those days are no measure of a trading day.
    told = told.filter(pl.col("trading_day").dt.weekday() <= 5)
    for (instrument,), own in told.group_by("instrument", maintain_order=True):
        for today in own.filter(pl.col("known_at") >= start)["trading_day"].unique().sort():
            # Of a day that is not over half the articles are still to come.
            if clocks[str(instrument)] < calendar.day_window(today)[1]:
                continue
            before = own.filter(pl.col("trading_day") < today, pl.col("trading_day") >= today - timedelta(weeks=WEEKS_BEFORE))
            newest = own.filter(pl.col("trading_day") == today)
            known = {"trading_day": today, "ts": calendar.day_window(today)[0], "instrument": instrument}
            yield {**known, **measure(newest, before, rules)}


def measure(newest: pl.DataFrame, before: pl.DataFrame, rules: DriftSettings) -> dict[str, Any]:
    """Columns of `monitoring.news_drift` from the articles of a day and those of the days before: score, source, trading_day."""
    days = [rows["score"].to_numpy() for _, rows in before.group_by("trading_day", maintain_order=True)]
    score = newest["score"].to_numpy()
    found: dict[str, Any] = {
        "articles": newest.height,
        "sources": newest["source"].n_unique(),
        "articles_usual": float(np.median([len(day) for day in days])) if days else None,
        "mean_score": float(score.mean()),
        "drifted": False,
    }
    if len(days) < FEWEST_DAYS:
        return found
    usual = _function(before["score"].to_numpy())
    others = np.array([np.abs(_function(day) - usual).max() for day in days])
    chance = distance.usual(others)
    statistic = float(distance.ks(_function(score), usual))
    said = (np.array([value]) for value in (statistic, chance.spread, chance.freedom))
    p_score = float(distance.p_value(*said, rows=np.array([float(len(score))]))[0])
    both = distance.adjusted(np.array([_p_count(len(score), days), p_score]))
    return {**found, "statistic": statistic, "p_articles": both[0], "p_score": both[1], "drifted": bool(both.min() < rules.alpha)}


def _function(score: np.ndarray) -> np.ndarray:
    """Distribution function of scores at EDGES."""
    return np.searchsorted(np.sort(score), EDGES, side="right") / len(score)


def _p_count(articles: int, days: list[np.ndarray]) -> float:
    """Two-sided p-value of a day's number of articles: Student's t of its logarithm among those of the days before."""
    # Here, not above: its import takes 0.2 s, which every process that opens the graph would pay.
    from scipy import special

    counts = np.log1p([len(day) for day in days])
    # Counts vary by at least the root of their size, however alike the days before were.
    spread = max(float(counts.std(ddof=1)), float(np.exp(-counts.mean() / 2)))
    deviate = abs(np.log1p(articles) - counts.mean()) / (spread * np.sqrt(1.0 + 1.0 / len(counts)))
    return float(2.0 * special.stdtr(len(counts) - 1.0, -deviate))
