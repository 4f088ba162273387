"""gold/news_signals through Dagster: in a home without news, when articles come, and what stands beside the online vector."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import dagster as dg
import pytest

from spx_assets.automation.backfill import Backfill
from spx_assets.features import catalog, online, readiness
from spx_assets.lake import Lake
from spx_assets.news import signals
from spx_assets.settings import Settings, SimulatorSettings
from spx_assets.sources import articles, feeds
from spx_assets.sources.news_landing import land
from spx_assets_tests.integration.news.articles import article
from spx_assets_tests.unit.features.lookahead import same_bits

WEEKS = (date(2025, 9, 28), date(2025, 10, 5), date(2025, 10, 12))
"""The simulated market trades from Friday 3 October to Wednesday 15 October 2025, 12:00 New York."""
LAST = datetime(2025, 10, 15, 15, 59, tzinfo=UTC)


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backfill]:
    home = Settings(home=tmp_path_factory.mktemp("signals") / "home", simulator=SimulatorSettings(days=9))
    feeds.bind_simulator(Lake.open(home), "SPX500_USD")
    with dg.DagsterInstance.ephemeral() as instance:
        yield Backfill(home, instance)


def made(result: dict[str, int]) -> dict[str, int]:
    return {asset: weeks for asset, weeks in result.items() if weeks}


def hear(lake: Lake, *published: datetime) -> None:
    told = [article(f"Stocks slump as shares of banks fall, {at:%d %B %H:%M}", at) for at in published]
    land(lake, "files", articles.frame(told), name="batch", now=LAST)


def counts(lake: Lake, start: datetime, minutes: int) -> list[float]:
    rows = lake.read("gold.news_signals", start=start, end=start + timedelta(minutes=minutes), columns=["article_count"])
    return rows["article_count"].to_list()


def test_signals_are_made_without_news_follow_what_is_landed_and_are_those_of_the_online_vector(plan: Backfill) -> None:
    lake = plan.lake
    assert made(plan.run(["gold/news_signals"])) == {"bronze/candles": 3, "gold/news_signals": 3}
    rows = lake.read("gold.news_signals")
    assert rows.height == lake.count("bronze.candles")
    assert rows["article_count"].unique().to_list() == [0.0]
    assert {f.name for f in catalog.family(catalog.NEWS) if rows[f.name].null_count() < rows.height} == {
        "article_count",
        "article_count_15",
    }
    assert readiness.news(lake, ts=LAST, snapshot=lake.snapshot()) is None

    # On the Sunday ten minutes before the week begins, and on a Tuesday of the week before.
    hear(lake, datetime(2025, 10, 12, 20, 50, tzinfo=UTC), datetime(2025, 10, 7, 14, 58, tzinfo=UTC))
    behind = readiness.news(lake, ts=datetime(2025, 10, 13, 12, tzinfo=UTC), snapshot=lake.snapshot())
    assert behind is not None
    assert behind.endswith("run `spx backfill silver/news_sentiment gold/news_signals --from 2025-10-05`")
    # The articles are of one week; the signals of the next look back on it.
    assert made(plan.run(["gold/news_signals"])) == {"bronze/news": 1, "silver/news_sentiment": 1, "gold/news_signals": 2}
    assert readiness.news(lake, ts=datetime(2025, 10, 13, 12, tzinfo=UTC), snapshot=lake.snapshot()) is None
    tuesday = datetime(2025, 10, 7, 14, 56, tzinfo=UTC)
    assert counts(lake, tuesday, 4) == [0.0, 0.0, 1.0, 1.0]
    seen = lake.read("gold.news_signals", start=tuesday + timedelta(minutes=2), end=tuesday + timedelta(minutes=3))
    assert seen["avg_sentiment"][0] < 0
    assert seen["latest_headline"][0].startswith("Stocks slump")
    opens = datetime(2025, 10, 12, 22, 0, tzinfo=UTC)  # 18:00 New York; the week began an hour before
    at_open = lake.read("gold.news_signals", start=opens, end=opens + timedelta(minutes=1))
    assert at_open["minutes_since_last"].to_list() == [70.0]

    # Landed and not scored: a live feed waits as long as for a poll, a standing one does not go on.
    hear(lake, LAST - timedelta(minutes=30))
    at = lake.snapshot()
    assert "--from 2025-10-12" in str(readiness.news(lake, ts=LAST, snapshot=at))
    assert made(plan.run(["gold/news_signals"])) == {"bronze/news": 1, "silver/news_sentiment": 1, "gold/news_signals": 1}
    now = datetime.now(UTC)
    assert readiness.news(lake, ts=LAST, snapshot=lake.snapshot(), now=now) is None
    hear(lake, LAST - timedelta(minutes=20))
    assert readiness.news(lake, ts=LAST, snapshot=lake.snapshot(), now=now) is None
    late = readiness.news(lake, ts=LAST, snapshot=lake.snapshot(), now=now + timedelta(hours=3))
    assert late is not None

    names = [f.name for f in catalog.news_inputs()]
    stored = lake.read("gold.news_signals", start=LAST, end=LAST + timedelta(minutes=1))
    news = online.News()
    vector = online.vector(lake, instrument="SPX500_USD", at=LAST + timedelta(minutes=1), news=news)
    assert vector.names[-len(names) :] == tuple(names)
    assert same_bits(vector.values[-len(names) :], stored.select(names).to_numpy()[0])
    assert stored["article_count"][0] == 1.0


def test_recent_articles_are_read_again_only_when_they_changed_or_a_day_began(plan: Backfill) -> None:
    lake, news = plan.lake, online.News()

    def known(day: int) -> signals.Articles:
        return news.before(lake, "SPX500_USD", date(2025, 10, day), snapshot=lake.snapshot())

    plan.run(["silver/news_sentiment"])
    before = known(15)
    feeds.bind_simulator(lake, "EUR_USD")  # a commit that changes another table
    assert known(15) is before
    assert known(10) is not before
    hear(lake, LAST - timedelta(minutes=10))
    plan.run(["silver/news_sentiment"])
    after = known(15)
    assert len(after.known_at) == len(before.known_at) + 1
    assert after.known_at[-1] == int((LAST - timedelta(minutes=10)).timestamp()) * 1_000_000
