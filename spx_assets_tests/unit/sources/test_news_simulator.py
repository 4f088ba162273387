"""The simulated newsroom: the same articles whatever was asked, on the market's calendar."""

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from spx_assets import calendar
from spx_assets.settings.news import NewsSimulatorSettings
from spx_assets.sources import news_simulator, sessions

SETTINGS = NewsSimulatorSettings()
START, END = datetime(2025, 9, 22, tzinfo=UTC), datetime(2025, 10, 6, tzinfo=UTC)


@pytest.fixture(scope="module")
def fortnight() -> pl.DataFrame:
    return news_simulator.generate(SETTINGS, START, END)


def test_a_part_of_the_range_has_the_same_articles(fortnight: pl.DataFrame) -> None:
    start, end = datetime(2025, 9, 24, 13, 30, tzinfo=UTC), datetime(2025, 9, 26, 2, tzinfo=UTC)
    part = news_simulator.generate(SETTINGS, start, end)
    whole = fortnight.filter(pl.col("first_seen_at").is_between(start, end, closed="left"))
    assert part.drop("line").equals(whole.drop("line"))
    assert part.height > 20


def test_another_seed_tells_other_stories(fortnight: pl.DataFrame) -> None:
    other = news_simulator.generate(NewsSimulatorSettings(seed=12), START, END)
    assert len(set(other["title"]) & set(fortnight["title"])) < 0.02 * fortnight.height


def test_articles_come_while_the_market_is_open_and_mostly_in_its_day(fortnight: pl.DataFrame) -> None:
    first_told = fortnight.filter(~pl.col("url").str.ends_with("-again"))
    for at in first_told["published_at"]:
        day = calendar.trading_day(at)
        assert timedelta(0) <= at - sessions.session_start(day) < timedelta(minutes=sessions.session_minutes(day))
    local = fortnight["published_at"].dt.convert_time_zone("America/New_York")
    minute = local.dt.hour().cast(pl.Int32) * 60 + local.dt.minute()
    assert 0.45 < minute.is_between(480, 990).mean() < 0.65
    per_day = fortnight.height / 10
    assert 35 < per_day < 50


def test_an_article_is_seen_after_its_publication_and_corrections_later(fortnight: pl.DataFrame) -> None:
    assert fortnight["reason"].null_count() == fortnight.height
    plain = fortnight.filter(~pl.col("title").str.starts_with("CORRECTED") & ~pl.col("url").str.ends_with("-again"))
    lag = (plain["first_seen_at"] - plain["published_at"]).dt.total_seconds()
    assert 5 <= lag.min() <= lag.max() < 90  # type: ignore[operator]
    corrected = fortnight.filter(pl.col("title").str.starts_with("CORRECTED"))
    before = plain.join(corrected, on="url", suffix="_later")
    assert before.height == corrected.height > 3
    assert (before["first_seen_at"] < before["first_seen_at_later"]).all()
    again = fortnight.filter(pl.col("url").str.ends_with("-again"))
    told = plain.join(again, on="title", suffix="_again").filter(pl.col("source") != pl.col("source_again"))
    assert told.height >= again.height > 10


def test_there_are_no_articles_on_holidays() -> None:
    day = date(2025, 9, 24)
    window = calendar.day_window(day)
    closed = news_simulator.generate(SETTINGS, *window, holidays=[day])
    assert closed.filter(~pl.col("url").str.ends_with("-again")).is_empty()
    assert news_simulator.generate(SETTINGS, datetime(2025, 9, 20, tzinfo=UTC), datetime(2025, 9, 20, 9, tzinfo=UTC)).is_empty()


@pytest.mark.parametrize("kind", news_simulator.KINDS)
def test_ordered_articles_are_seen_when_they_were_ordered_for(kind: news_simulator.Kind) -> None:
    rows = news_simulator.simulated(kind, 5, at=START)
    assert rows["first_seen_at"].to_list() == [START] * 5
    assert rows["title"].n_unique() == rows["url"].n_unique() == 5
    assert rows.equals(news_simulator.simulated(kind, 5, at=START))
    more = news_simulator.simulated(kind, 5, at=START + timedelta(minutes=1), first=5)
    assert not set(rows["url"]) & set(more["url"])


def test_ordered_articles_take_a_title_of_ones_own() -> None:
    own = news_simulator.simulated("positive", 1, at=START, title="Fed cuts <b>rates</b>")
    assert own["title"].to_list() == ["Fed cuts <b>rates</b>"]
    assert news_simulator.simulated("positive", 2, at=START, title="Up")["title"].to_list() == ["Up (1)", "Up (2)"]
