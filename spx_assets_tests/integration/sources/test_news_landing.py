"""Landing articles: whole or not at all, once, known from when they could be; and reading them back by week."""

import os
import signal
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from spx_assets import calendar
from spx_assets.lake import tables
from spx_assets.lake.connection import Lake
from spx_assets.lake.errors import HistoryStartError
from spx_assets.settings.news import NewsSimulatorSettings
from spx_assets.sources import articles, feeds, news, news_feeds, news_landing
from spx_assets.sources.errors import FeedBoundError, LandingError
from spx_assets_tests.integration.sources.test_feeds import candle_file

MONDAY = datetime(2024, 1, 8, 15, tzinfo=UTC)
WEEK = date(2024, 1, 7)
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


def record(number: int, *, minutes: float = 0.0, **fields: Any) -> dict[str, Any]:
    at = MONDAY + timedelta(minutes=minutes)
    url = f"https://wire.example/{number}"
    return {"source": "Wire", "title": f"Story {number}", "url": url, "published_at": at, "raw": f'{{"id": {number}}}', **fields}


def land(lake: Lake, *records: dict[str, Any], **options: Any) -> news_landing.LandingReport:
    given = {"provider": "files", "name": "test", "now": NOW, **options}
    return news_landing.land(lake, given.pop("provider"), articles.frame(records), **given)


def landed(lake: Lake) -> pl.DataFrame:
    good, refused = news_feeds.articles(lake, datetime(2010, 1, 4, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC))
    return pl.concat([good, refused]).sort("position", "line")


TITLE = "<img src=x onerror=alert(1)>'); DROP TABLE news;-- \x07\x1b[2J \u202e \U0001f4c8 \x00 end"


def test_what_is_landed_again_changes_nothing(news_lake: Lake) -> None:
    first = land(news_lake, record(1, title=TITLE), record(2, title=""), record(1, title=TITLE))
    assert (first.rows, first.landed, first.known, dict(first.refused)) == (3, 1, 1, {"no title": 1})
    before, files = landed(news_lake), news_lake.count(tables.NEWS_FILES)
    assert before["title"].to_list() == [TITLE, None]
    again = land(news_lake, record(1, title=TITLE, raw='{"id": 1, "page": 2}'), record(2, title=""), now=NOW + timedelta(days=1))
    assert (again.landed, again.known, dict(again.refused)) == (0, 2, {})
    assert landed(news_lake).equals(before)
    assert news_lake.count(tables.NEWS_FILES) == files == 1
    assert news_feeds.feeds(news_lake)["files"].polled_at == NOW + timedelta(days=1)


def test_only_what_is_new_of_a_batch_is_landed_and_another_provider_may_say_the_same(news_lake: Lake) -> None:
    land(news_lake, record(1), record(2))
    report = land(news_lake, record(2), record(3, minutes=9))
    assert (report.landed, report.known, report.first_known_at) == (1, 1, MONDAY + timedelta(minutes=9))
    assert land(news_lake, record(1), provider="gdelt").landed == 1
    rows = landed(news_lake)
    assert rows["title"].to_list() == ["Story 1", "Story 2", "Story 3", "Story 1"]
    assert rows["provider"].to_list() == ["files"] * 3 + ["gdelt"]


def test_a_live_article_keeps_its_first_sight_and_its_correction_is_known_from_its_own(news_lake: Lake) -> None:
    seen = [MONDAY + timedelta(minutes=15 * n) for n in (1, 2)]
    land(news_lake, record(1), provider="rss", live=True, now=seen[0])
    land(news_lake, record(1), record(1, title="Story 1, corrected"), provider="rss", live=True, now=seen[1])
    rows = landed(news_lake).select("title", "published_at", "first_seen_at", "ingested_at", "known_at")
    assert rows.rows() == [("Story 1", MONDAY, *seen[:1] * 3), ("Story 1, corrected", MONDAY, *seen[1:] * 3)]


def test_another_wording_in_an_archive_is_known_from_when_it_came_not_from_the_date_of_the_article(news_lake: Lake) -> None:
    land(news_lake, record(1), provider="rss", live=True, now=MONDAY + timedelta(minutes=4))
    report = land(
        news_lake,
        record(1, title="Story 1, as it turned out"),
        record(2),
        record(2, title="Story 2, as it turned out"),
        record(3, url="HTTPS://www.wire.example/3?utm_source=x"),
        record(3, minutes=60, title="Story 3, an hour later"),
        record(1, minutes=-1440, title="Story 1, as foreseen the day before"),
    )
    assert report.landed == 6
    assert landed(news_lake)["known_at"].to_list()[1:] == [
        NOW,
        MONDAY,
        NOW,
        MONDAY,
        MONDAY + timedelta(minutes=60),
        MONDAY - timedelta(days=1),
    ]


def test_cursor_and_binding_survive_batches_that_say_nothing_of_them(news_lake: Lake) -> None:
    land(news_lake, provider="rss", live=True, cursor={"a": 1}, config={"q": "x"})
    land(news_lake, provider="rss", cursor={"b": 2}, now=NOW + timedelta(minutes=5))
    feed = news_feeds.feeds(news_lake)["rss"]
    assert (feed.live, feed.cursor, feed.config) == (True, {"a": 1, "b": 2}, {"q": "x"})
    assert feed.bound_at == feed.polled_at == NOW
    land(news_lake, provider="rss", live=True, cursor={"c": 3}, config={"q": "another"})
    assert news_feeds.feeds(news_lake)["rss"].cursor == {"c": 3}
    assert news_lake.count(tables.NEWS_FILES) == 0


def test_articles_before_the_first_trading_week_are_an_error_with_its_remedy(news_lake: Lake) -> None:
    with pytest.raises(HistoryStartError, match="set SPX_HISTORY_START to 2008-09-14"):
        land(news_lake, record(1, published_at=datetime(2008, 9, 15, 5, tzinfo=UTC)), name="crisis.json")
    assert news_feeds.feeds(news_lake) == {}
    land(news_lake, record(1, title="", published_at=datetime(2008, 9, 15, 5, tzinfo=UTC)))
    assert landed(news_lake)["known_at"].to_list() == [NOW]


def test_a_week_that_has_not_begun_is_none_yet(news_lake: Lake) -> None:
    now = datetime.now(UTC)
    tomorrow = record(1, published_at=now.replace(hour=0, minute=0, second=0, microsecond=0), time_precision="day")
    land(news_lake, tomorrow, record(2), record(3, known_at=now + timedelta(days=8)), now=now)
    assert news_feeds.weeks_with_articles(news_lake)[0] == WEEK
    assert news_feeds.weeks_with_articles(news_lake)[-1] <= calendar.week_of(datetime.now(UTC))


def test_a_week_has_a_fingerprint_of_all_it_is_made_of_and_of_nothing_else(news_lake: Lake) -> None:
    def marks() -> dict[date, str]:
        return news_feeds.fingerprints(news_lake, weeks)

    weeks = calendar.week_range(date(2023, 12, 31), date(2024, 1, 21))
    day = timedelta(days=1) / timedelta(minutes=1)
    land(news_lake, record(1), record(2, minutes=7 * day))
    assert news_feeds.weeks_with_articles(news_lake) == weeks[1:3]
    empty, first = marks()[weeks[0]], marks()
    assert first[weeks[3]] == empty

    # An article of Friday is told within 48 hours of Sunday evening's week only if that week has articles.
    land(news_lake, record(3, minutes=3.5 * day))
    second = marks()
    assert [week for week in weeks if first[week] != second[week]] == [weeks[1]]
    # One of Saturday is.
    land(news_lake, record(4, minutes=5 * day))
    third = marks()
    assert [week for week in weeks if second[week] != third[week]] == weeks[1:3]
    # An earlier wording of the second week's article makes that one a revision.
    land(news_lake, record(2, minutes=-7 * day, title="Story 2, first told"))
    fourth = marks()
    assert [week for week in weeks if third[week] != fourth[week]] == [weeks[0], weeks[2]]
    # What was refused is told of its week, and of no other.
    land(news_lake, record(5, title=""))
    assert [week for week in weeks if fourth[week] != marks()[week]] == [weeks[1]]


def test_earlier_wordings_are_those_of_the_windows_own_articles(news_lake: Lake) -> None:
    week = 7 * timedelta(days=1) / timedelta(minutes=1)
    land(news_lake, record(1), record(2), record(1, minutes=week, title="Story 1 again"), record(3, minutes=week))
    start, end = calendar.week_window(WEEK + timedelta(days=7))
    assert news_feeds.earlier_wordings(news_lake, start, end)["title"].to_list() == ["Story 1"]
    assert news_feeds.earlier_wordings(news_lake, *calendar.week_window(WEEK)).is_empty()


def test_an_older_snapshot_is_read_as_it_was_and_a_lost_index_is_made_again(news_lake: Lake) -> None:
    land(news_lake, record(1))
    before, window = news_lake.snapshot(), calendar.week_window(WEEK)
    marks = news_feeds.fingerprints(news_lake, [WEEK])
    land(news_lake, record(2))
    for path in (news_lake.settings.home / "cache").iterdir():
        path.unlink()
    assert news_feeds.articles(news_lake, *window, snapshot=before)[0]["title"].to_list() == ["Story 1"]
    assert news_feeds.fingerprints(news_lake, [WEEK], snapshot=before) == marks != news_feeds.fingerprints(news_lake, [WEEK])
    assert land(news_lake, record(1)).known == 1


def test_an_altered_or_missing_batch_is_an_error_with_its_remedy(news_lake: Lake) -> None:
    land(news_lake, record(1))
    (path,) = news_lake.settings.landing.glob("*.news.parquet")
    held = path.read_bytes()
    path.write_bytes(held[:-1] + b"X")
    with pytest.raises(LandingError, match="was altered after its import; put it back from a copy of the home"):
        landed(news_lake)
    path.unlink()
    with pytest.raises(LandingError, match=f"{path.name} is missing"):
        landed(news_lake)
    path.write_bytes(held)


def test_the_newsroom_is_landed_up_to_a_clock_and_from_there_on(news_lake: Lake) -> None:
    start, middle, end = (datetime(2025, 10, 13, hour, tzinfo=UTC) for hour in (12, 15, 17))
    first = news.import_simulated(news_lake, start, middle, now=NOW)
    second = news.import_simulated(news_lake, start, end, now=NOW)
    assert first.landed > 3
    assert (second.known, second.rows) == (first.landed, first.landed + second.landed)
    rows = landed(news_lake)
    assert rows["known_at"].equals(rows["first_seen_at"].rename("known_at"))
    assert rows["known_at"].is_between(start, end, closed="left").all()
    assert news_feeds.feeds(news_lake)["simulator"].config == {"seed": 11, "per_day": 40.0}
    other = news_lake.settings.news.model_copy(update={"simulator": NewsSimulatorSettings(seed=12)})
    with pytest.raises(FeedBoundError, match=r"set .*SPX_NEWS__SIMULATOR__SEED=11, or SPX_HOME to another folder"):
        news.import_simulated(Lake(news_lake.settings.model_copy(update={"news": other})), start, end, now=NOW)
    assert landed(news_lake).equals(rows)


def test_the_newsroom_is_unheard_beside_the_candles_of_a_real_market_alone(news_lake: Lake, lake: Lake, tmp_path: Path) -> None:
    start, week = datetime(2025, 10, 13, 12, tzinfo=UTC), date(2025, 10, 12)
    land(lake, record(1, published_at=start + timedelta(hours=1)))
    heard = landed(lake), news_feeds.fingerprints(lake, [week])
    feeds.bind_simulator(lake, "SPX500_USD")
    news.import_simulated(lake, start - timedelta(days=14), start + timedelta(hours=5), now=NOW)
    assert set(landed(lake)["provider"]) == {"files", "simulator"}
    assert news_feeds.weeks_with_articles(lake) == [date(2025, 9, 28), date(2025, 10, 5), week]
    feeds.import_file(lake, candle_file(tmp_path, "real.csv"), instrument="NAS100_USD")
    assert set(landed(lake)["provider"]) == {"files", "simulator"}
    feeds.import_file(lake, candle_file(tmp_path, "real.csv"), instrument="SPX500_USD", replace=True)
    news.import_simulated(lake, start, start + timedelta(hours=9), now=NOW)  # as orders that come late from the drop folder
    assert landed(lake).equals(heard[0])
    assert news_feeds.fingerprints(lake, [week]) == heard[1]
    assert news_feeds.weeks_with_articles(lake) == [week]
    assert news_feeds.earlier_wordings(lake, start, start + timedelta(hours=9)).is_empty()


_KILLED = """
import os, signal, sys
from datetime import UTC, datetime
from spx_assets.lake.connection import Lake
from spx_assets.settings import load
from spx_assets.sources import articles, news_landing
Lake.write = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
at = datetime(2024, 1, 8, 15, tzinfo=UTC)
record = dict(source="Wire", title="Story 1", url="https://wire.example/1", published_at=at, raw='{"id": 1}')
news_landing.land(Lake.open(load()), "rss", articles.frame([record]), name="test", live=True, cursor={"since": "x"})
"""


def test_a_kill_before_the_transaction_leaves_neither_records_nor_cursor(news_lake: Lake) -> None:
    environment = {**os.environ, "SPX_HOME": str(news_lake.settings.home)}
    killed = subprocess.run([sys.executable, "-c", _KILLED], env=environment, timeout=60, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert len(list(news_lake.settings.landing.glob("*.news.parquet"))) == 1
    assert landed(news_lake).is_empty()
    assert news_feeds.feeds(news_lake) == {}
    report = land(news_lake, record(1), provider="rss", live=True, cursor={"since": "x"})
    assert (report.landed, news_feeds.feeds(news_lake)["rss"].cursor) == (1, {"since": "x"})
