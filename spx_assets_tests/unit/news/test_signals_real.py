"""Real headlines beside real bars: inside the catalog's bounds, none a copy of another, and quick."""

import time
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from spx_assets.features import catalog, correlation
from spx_assets.lake.news_tables import NEWS_SENTIMENT, news_signals
from spx_assets.news.signals import BAR, signals
from spx_assets.sources.articles import known_at
from spx_assets_tests.unit.features import market


def archive(folder: Path) -> pl.DataFrame:
    """28,932 dated headlines, their scores drawn at random: what they say does not matter here."""
    raw = pl.read_parquet(folder / "news" / "headlines_2017_2019h1.parquet")
    never = pl.lit(None, pl.Datetime("us", "UTC"))
    known = raw.select(published_at="ts", time_precision="ts_precision", first_seen_at=never, ingested_at=never).select(
        known_at=known_at(live=False)
    )
    rng = np.random.default_rng(4)
    drawn = dict(zip(("positive", "negative", "neutral"), rng.dirichlet([0.5, 0.5, 0.9], raw.height).T, strict=True))
    tones = {name: rng.uniform(-1, 1, raw.height) for name in ("policy_tone", "polarity")}
    shares = {name: rng.random(raw.height) for name in ("subjectivity", "relevance")}
    again = pl.when(pl.Series(rng.random(raw.height)) < 0.05).then(pl.lit("told before"))
    return (
        raw.select(source="source", title="headline")
        .hstack(known)
        .with_row_index("article_id")
        .with_columns(pl.Series(name, values) for name, values in (drawn | tones | shares).items())
        .with_columns(
            pl.col("article_id").cast(pl.String),
            instrument=pl.lit("SPX500_USD"),
            revision=pl.lit(0, pl.Int32),
            duplicate_of=again,
            model_id=pl.lit("drawn"),
            text_hash=pl.lit("none"),
            words=pl.lit(12, pl.Int32),
            score=pl.col("positive") - pl.col("negative"),
            confidence=pl.max_horizontal("positive", "negative", "neutral"),
        )
        .select(NEWS_SENTIMENT.schema().keys())
    )


@pytest.fixture(scope="module")
def made(shared_data: Path) -> pl.DataFrame:
    bars = market.real("spx500usd_m1_2018_2019h1").with_columns(instrument=pl.lit("SPX500_USD")).select(BAR)
    told = archive(shared_data)
    began = time.process_time()
    rows = signals(bars, told)
    assert time.process_time() - began < 3.0  # 0.3 on an idle machine
    assert (rows.height, told.height) == (463_858, 28_932)
    return rows


def test_real_signals_are_inside_the_bounds_of_the_catalog(made: pl.DataFrame) -> None:
    assert made.schema == news_signals().schema()
    for feature in catalog.family(catalog.NEWS):
        values = made[feature.name]
        assert not values.is_nan().any(), feature.name
        low, high = values.min(), values.max()
        assert isinstance(low, float)
        assert isinstance(high, float)
        assert feature.low is None or low >= feature.low, (feature.name, low)
        assert feature.high is None or high <= feature.high, (feature.name, high)
        assert low < high, feature.name
    # Most headlines are dated: they are known from midnight in New York on, 50 at a time.
    assert made["article_count"].max() > 50
    assert 0.05 < 1 - made["avg_sentiment"].null_count() / made.height < 0.2


def test_no_two_inputs_of_real_news_are_copies(made: pl.DataFrame) -> None:
    pairs = correlation.pairs(made.gather_every(4), above=0.9)
    print(f"\npairs of news inputs with |correlation| > 0.9\n{pairs.write_csv(separator=chr(9))}")
    assert pairs.filter(pl.col("correlation").abs() > 0.999).rows() == []
