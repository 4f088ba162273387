"""Upkeep forgets scores of texts that the lake holds no longer; none while it cannot tell whose they are."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from spx_assets import calendar
from spx_assets.lake.news_tables import NEWS_SENTIMENT
from spx_assets.lake.windows import Chunk
from spx_assets.news import model_version, sentiment_cache
from spx_assets.news.sentiment_cache import SentimentCache
from spx_assets.settings import Settings
from spx_assets.upkeep import scores
from spx_assets_tests import lakes
from spx_assets_tests.unit.news import scored

KNOWN = datetime(2019, 5, 28, 14, 0, tzinfo=UTC)
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("loaded", [True, False])
def test_only_scores_of_lost_texts_go_and_only_where_the_model_is_known(settings: Settings, loaded: bool) -> None:
    lake = lakes.fresh(settings)
    week = calendar.week_of(KNOWN)
    chunk = Chunk((week,), scored.frame([scored.article(KNOWN, text_hash="held")]))
    lake.replace(NEWS_SENTIMENT, chunk, asset="a", run_id="x", read_snapshot=lake.snapshot(), inputs_hashes={week: "x"})
    assert scores.forget(lake, settings, now=NOW) == 0
    cache = SentimentCache(sentiment_cache.path(settings))
    kept = {"negative": 0.1, "neutral": 0.2, "positive": 0.7}
    cache.add("embedded@1", pl.DataFrame([{"text_hash": name, **kept} for name in ("held", "lost")]))
    if loaded:
        cache.remember(model_version.version(settings.news), "embedded@1")
    assert [scores.forget(lake, settings, now=NOW + timedelta(days=days)) for days in (0, 89, 91)] == [0, 0, int(loaded)]
    left = cache.read("embedded@1", ["held", "lost"])["text_hash"].to_list()
    assert sorted(left) == (["held"] if loaded else ["held", "lost"])
