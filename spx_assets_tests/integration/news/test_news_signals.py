"""gold/news_signals through Dagster: in a home without news, when articles come, and what stands beside the online vector."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import dagster as dg
import polars as pl
import pytest

from spx_assets.automation.backfill import Backfill
from spx_assets.features import catalog, online, readiness
from spx_assets.lake import Lake
from spx_assets.settings import Settings, SimulatorSettings
from spx_assets.sources import articles, feeds
from spx_assets.sources.news_landing import land
from spx_assets_tests.integration.news.articles import article
from spx_assets_tests.unit.features.lookahead import same_bits

LAST = datetime(2025, 10, 15, 15, 59, tzinfo=UTC)
"""The simulated market trades from Thursday 9 October to Wednesday 15 October 2025, 12:00 New York: two weeks."""


@pytest.fixture
def plan(settings: Settings) -> Iterator[Backfill]:
    small = settings.model_copy(update={"simulator": SimulatorSettings(days=5)})
    feeds.bind_simulator(Lake.open(small), "SPX500_USD")
    with dg.DagsterInstance.ephemeral() as instance:
        yield Backfill(small, instance)


def made(result: dict[str, int]) -> dict[str, int]:
    return {asset: weeks for asset, weeks in result.items() if weeks}


def hear(lake: Lake, *published: datetime) -> None:
    told = [article(f"Stocks slump as shares of banks fall, {at:%d %B %H:%M}", at) for at in published]
    land(lake, "files", articles.frame(told), name="batch", now=LAST)


def rows(lake: Lake, start: datetime, minutes: int) -> pl.DataFrame:
    return lake.read("gold.news_signals", start=start, end=start + timedelta(minutes=minutes))


def behind(lake: Lake, **options: datetime) -> str | None:
    return readiness.news(lake, instrument="SPX500_USD", ts=LAST, snapshot=lake.snapshot(), **options)


def test_signals_are_made_without_news_follow_what_is_landed_and_are_those_of_the_online_vector(plan: Backfill) -> None:
    lake, news = plan.lake, online.News()
    assert made(plan.run(["gold/news_signals"])) == {"bronze/candles": 2, "gold/news_signals": 2}
    silent = lake.read("gold.news_signals")
    assert silent.height == lake.count("bronze.candles")
    assert silent["article_count"].unique().to_list() == [0.0]
    known = {f.name for f in catalog.family(catalog.NEWS) if silent[f.name].null_count() < silent.height}
    assert known == {"article_count", "article_count_15"}
    assert behind(lake) is None

    # On a Friday, on the Sunday ten minutes before the next week begins, and half an hour before the last bar.
    friday = datetime(2025, 10, 10, 14, 58, tzinfo=UTC)
    hear(lake, friday, datetime(2025, 10, 12, 20, 50, tzinfo=UTC), LAST - timedelta(minutes=30))
    assert str(behind(lake)).endswith("run `spx backfill silver/news_sentiment gold/news_signals --from 2025-10-05`")
    assert made(plan.run(["gold/news_signals"])) == {"bronze/news": 2, "silver/news_sentiment": 2, "gold/news_signals": 2}
    assert behind(lake) is None
    assert rows(lake, friday - timedelta(minutes=2), 4)["article_count"].to_list() == [0.0, 0.0, 1.0, 1.0]
    seen = rows(lake, friday, 1).row(0, named=True)
    assert seen["avg_sentiment"] < 0
    assert seen["latest_headline"].startswith("Stocks slump")
    # 18:00 New York: the week began an hour before, and its first bar looks back into the week before.
    assert rows(lake, datetime(2025, 10, 12, 22, 0, tzinfo=UTC), 1)["minutes_since_last"].to_list() == [70.0]

    plan.run(["bronze/news"], force=True)
    assert behind(lake) is None  # a newer record of the same articles

    # Landed and not scored: a live feed waits as long as for a poll, a standing one does not go on.
    remembered = news.before(lake, "SPX500_USD", LAST.date(), snapshot=lake.snapshot())
    hear(lake, LAST - timedelta(minutes=20))
    assert news.before(lake, "SPX500_USD", LAST.date(), snapshot=lake.snapshot()) is remembered  # nothing new is scored
    now = datetime.now(UTC)
    assert behind(lake, now=now) is None
    assert "landed and not scored since" in str(behind(lake, now=now + timedelta(hours=3)))
    assert "landed and not scored since" in str(behind(lake))

    # The week after it is not made yet: only the week of the article is.
    assert made(plan.run(["gold/news_signals"])) == {"bronze/news": 1, "silver/news_sentiment": 1, "gold/news_signals": 1}
    names = [f.name for f in catalog.news_inputs()]
    stored = rows(lake, LAST, 1)
    vector = online.vector(lake, instrument="SPX500_USD", at=LAST + timedelta(minutes=1), news=news)
    assert vector.names[-len(names) :] == tuple(names)
    assert same_bits(vector.values[-len(names) :], stored.select(names).to_numpy()[0])
    assert stored["article_count"].to_list() == [2.0]
