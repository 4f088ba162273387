"""Training with news and without: the same rows, other inputs; never on signals that were not made."""

from collections import Counter
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from spx_assets import calendar
from spx_assets.features import catalog
from spx_assets.features.inputs import SignalsMissingError
from spx_assets.lake import Chunk, Lake, tables
from spx_assets.news import model_version, signals
from spx_assets.scoring import artifact, compatibility
from spx_assets.settings import NewsSettings, Settings
from spx_assets.sources import feeds
from spx_assets.training import comparison, dataset
from spx_assets_tests.integration.training.conftest import LAST, MARKET_ONLY, NAME, train_week
from spx_assets_tests.unit.news import scored


def learning_from(settings: Settings, *families: str) -> Settings:
    models = settings.models.model_copy(update={"features": {NAME: families}})
    return settings.model_copy(update={"models": models})


def store(lake: Lake, table: str, chunk: Chunk) -> None:
    hashes = dict.fromkeys(chunk.weeks, "test")
    asset = table.replace(".", "/")
    lake.replace(table, chunk, asset=asset, run_id="test", read_snapshot=lake.snapshot(), inputs_hashes=hashes)


def hear(settings: Settings) -> None:
    """Signals of random articles over the whole market."""
    lake = Lake.open(settings)
    weeks = tuple(feeds.weeks_with_rows(lake))
    start, end = calendar.run_window(weeks)
    bars = lake.read("gold.market_features", columns=signals.BAR)
    store(lake, "gold.news_signals", Chunk(weeks, signals.signals(bars, scored.at_random(start, end, 1500))))


def test_market_only_and_market_with_news_are_compared_on_the_same_rows(home: Settings, taught: tuple[Path, str, str]) -> None:
    market, both, with_news = learning_from(home, *MARKET_ONLY), home, taught[2]
    without = train_week(market).version
    table = comparison.compare(Lake.open(both), both, versions=(without, with_news))
    known = Counter(feature.family for feature in catalog.model_inputs())
    inputs = sum(known[family] for family in MARKET_ONLY)
    assert table["features"].to_list() == [inputs, inputs + known["news"]]
    assert table["rows"].n_unique() == table["log_loss_base"].n_unique() == 1
    assert table["rows"][0] > 1000
    # No article was ever landed here: news that never say anything change no forecast.
    assert table["log_loss"].n_unique() == 1
    assert table["p_better"].to_list() == [1.0, 1.0]
    said = [artifact.load(artifact.folder(home.artifacts, NAME, version)).manifest for version in (without, with_news)]
    assert [manifest.sentiment_model for manifest in said] == [None, model_version.version(home.news)]
    # An hour without an article is forecast too.
    assert said[0].required == said[1].required
    assert len(said[0].required) > 35
    other = both.model_copy(update={"news": NewsSettings(model="ProsusAI/finbert")})
    assert [compatibility.objection(manifest, other) is None for manifest in said] == [True, False]


def test_news_alone_are_a_set_of_inputs_of_the_same_bars(untaught_home: Settings) -> None:
    hear(untaught_home)
    lake = Lake.open(untaught_home)
    news = dataset.load(lake, learning_from(untaught_home, catalog.NEWS), name=NAME, week=LAST)
    whole = dataset.load(lake, untaught_home, name=NAME, week=LAST)
    assert news.features == tuple(f.name for f in catalog.news_inputs())
    assert np.array_equal(news.X, whole.select(news.features), equal_nan=True)
    assert news.X.shape == (len(whole.ts), 18)
    count = news.features.index("article_count")
    assert not np.isnan(news.X[:, count]).any()
    assert 0 < np.isnan(news.X[:, news.features.index("avg_sentiment")]).mean() < 1


def test_weeks_whose_signals_were_never_made_stop_the_training_and_name_the_remedy(untaught_home: Settings) -> None:
    lake, lost = Lake.open(untaught_home), date(2025, 9, 28)
    store(lake, "gold.news_signals", Chunk((lost,), tables.table("gold.news_signals").empty()))
    with pytest.raises(SignalsMissingError, match=f"run `spx backfill gold/news_signals --from {lost} --to {lost}`"):
        train_week(untaught_home)
    assert lake.read("models.versions").is_empty()
    market = dataset.load(lake, learning_from(untaught_home, *catalog.MARKET_FAMILIES), name=NAME, week=LAST)
    assert market.features == tuple(f.name for f in catalog.market_inputs())
