"""A year and a half of real headlines beside the candles of the same time, from their files to signals at every bar."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import time
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from spx_assets.automation.backfill import Backfill
from spx_assets.lake import Lake
from spx_assets.lake.news_tables import NEWS, NEWS_QUARANTINE, NEWS_SENTIMENT
from spx_assets.settings import load
from spx_assets.sources import feeds, news
from spx_assets.sources.imports import ImportReport
from spx_assets.sources.news_landing import LandingReport

pytestmark = pytest.mark.long
ASSETS = ["bronze/news", "silver/news_sentiment", "gold/news_signals"]
# Their stamps are dates; those of the rest, CNBC's, are minutes, but for its midnights, which are taken for dates too.
DATED = pl.col("source").is_in(["guardian", "reuters"])


@dataclass(frozen=True)
class Home:
    """A home with both files imported, and what two backfills made of them, one after the other."""

    lake: Lake
    candles: Path
    headlines: Path
    imported: tuple[ImportReport, LandingReport]
    made: tuple[dict[str, int], dict[str, int]]


@pytest.fixture(scope="module")
def home(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    settings = load(tmp_path_factory.mktemp("real") / "home")
    lake = Lake.open(settings)
    candles = shared_data / "candles" / "spx500usd_m1_2018_2019h1.parquet"
    headlines = shared_data / "news" / "headlines_2017_2019h1.parquet"
    imported = feeds.import_file(lake, candles, instrument="SPX500_USD"), news.import_file(lake, headlines)
    with dg.DagsterInstance.ephemeral() as instance:
        plan = Backfill(settings, instance)
        yield Home(lake, candles, headlines, imported, (plan.run(ASSETS), plan.run(ASSETS)))


def test_every_headline_becomes_a_scored_article_and_every_candle_a_row_of_signals(home: Home) -> None:
    candles, headlines = home.imported
    assert (candles.rows, candles.candles, candles.quarantined) == (463_858, 463_858, {})
    assert (headlines.rows, headlines.landed, headlines.refused) == (28_932, 28_932, {})
    # The weeks of December 2017 have articles and no candles.
    first, second = home.made
    assert first == {"bronze/candles": 79, "bronze/news": 81, "silver/news_sentiment": 81, "gold/news_signals": 79}
    assert second == dict.fromkeys(first, 0)
    # Seven repeat what the same publisher says at the same time but for signs and letters' case.
    tables = ("bronze.candles", "gold.news_signals", NEWS.name, NEWS_SENTIMENT.name, NEWS_QUARANTINE.name)
    assert [home.lake.count(name) for name in tables] == [463_858, 463_858, 28_925, 28_925, 0]


def test_every_bar_counts_what_its_last_hour_told_and_dates_only_from_the_next_day(home: Home) -> None:
    """The counts of all bars, from dates and minutes of publication alone: `known_at` is not asked."""
    told = home.lake.read(NEWS).filter(pl.col("duplicate_of").is_null())
    date = pl.col("published_at").dt.replace_time_zone(None).dt.truncate("1d")
    next_day = (date + pl.duration(days=1)).dt.replace_time_zone("America/New_York").dt.convert_time_zone("UTC")
    midnight = pl.col("published_at").dt.time() == time()
    assert told.select((midnight & ~DATED).sum()).item() == 26  # of 27, one of which repeats another
    since = told.select("article_id", since=pl.when(DATED | midnight).then(next_day).otherwise("published_at"))
    hour = pl.datetime_ranges("since", pl.col("since") + pl.duration(minutes=60), "1m", closed="left")
    counts = since.select("article_id", ts=hour).explode("ts").group_by("ts").agg(pl.col("article_id").n_unique())
    bars = home.lake.read("gold.news_signals", columns=["ts", "article_count"])
    expected = bars.join(counts, on="ts", how="left", maintain_order="left")["article_id"].fill_null(0)
    assert bars["article_count"].cast(pl.UInt32).equals(expected.alias("article_count"))
    assert bars.select((pl.col("article_count") > 100).any()).item()


def test_no_bar_names_a_headline_of_its_own_date_where_the_time_is_not_known(home: Home) -> None:
    bars = home.lake.read("gold.news_signals", columns=["ts", "latest_source", "latest_headline"])
    bars = bars.rename({"latest_source": "source", "latest_headline": "headline"}).filter(DATED)
    clock = pl.col("ts").dt.convert_time_zone("America/New_York")
    assert bars.select(clock.dt.hour().unique()).to_series().to_list() == [0]
    published = pl.read_parquet(home.headlines).select("source", "headline", published=pl.col("ts").dt.date())
    days = bars.join(published, on=["source", "headline"]).with_columns(late=clock.dt.date() - pl.col("published"))
    assert bars.height == 15_750
    assert days.filter(pl.col("late") == pl.duration(days=1))["ts"].n_unique() == bars.height


def test_there_are_signals_on_nearly_every_trading_day(home: Home) -> None:
    bars = home.lake.read("gold.news_signals", columns=["trading_day", "article_count", "avg_sentiment"])
    assert bars.select(((pl.col("article_count") > 0) == pl.col("avg_sentiment").is_not_null()).all()).item()
    heard = bars.group_by("trading_day").agg(pl.col("article_count").max() > 0)
    # New Year, Good Friday and Memorial Day, a day after no dated headline, and the file's last evening.
    assert (heard.height, heard["article_count"].sum()) == (388, 383)


def test_importing_again_lands_nothing_and_makes_nothing_stale(home: Home) -> None:
    again = news.import_file(home.lake, home.headlines)
    assert (again.rows, again.landed, again.known) == (28_932, 0, 28_932)
    assert feeds.import_file(home.lake, home.candles, instrument="SPX500_USD").again
    with dg.DagsterInstance.ephemeral() as instance:
        assert set(Backfill(home.lake.settings, instance).run(ASSETS).values()) == {0}
