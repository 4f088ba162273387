"""A round of the online job: what can be heard is landed, what cannot is named."""

import errno
import json
import shutil
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from spx_assets.lake.connection import Lake
from spx_assets.settings.news import FinnhubSettings, NewsSettings, RssSettings
from spx_assets.sources import alphavantage, articles, bindings, feeds, news_drop, news_feeds, news_landing, news_polling
from spx_assets.sources.bindings import Feed
from spx_assets.sources.news_polling import NewsPollError
from spx_assets_tests.integration.sources.press import Press

NOW = datetime(2024, 1, 8, 15, tzinfo=UTC)
EVER = (datetime(2010, 1, 4, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC))
FEED = b"""<rss version="2.0"><channel><title>Wire</title><item><title>Stocks fall on rate fears</title>
<link>https://wire.example/1</link><pubDate>Mon, 08 Jan 2024 14:58:00 GMT</pubDate></item></channel></rss>"""
Of = Callable[..., Lake]


@pytest.fixture
def of(news_lake: Lake, press: Press, tmp_path: Path) -> Of:
    """The lake with other settings of news; finnhub has no token, the feed is the press's."""
    press.pages["/feed"] = (FEED, "application/rss+xml")

    def made(*live: str, **changes: Any) -> Lake:
        urls = RssSettings(urls=(f"{press.url}/feed",))
        news = NewsSettings(live=live, drop=str(tmp_path / "drop"), rss=urls, finnhub=FinnhubSettings(url=press.url), **changes)
        return Lake.open(news_lake.settings.model_copy(update={"news": news}))

    return made


def drop(lake: Lake, name: str, text: object) -> Path:
    path = news_drop.folder(lake.settings) / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text if isinstance(text, str) else json.dumps(text))
    return path


def article(number: int, **fields: str) -> dict[str, str]:
    return {"title": f"Story {number}", "source": "Wire", "published_at": f"2024-01-08T14:3{number}:10Z", **fields}


def known(lake: Lake) -> dict[str, datetime]:
    good, _ = news_feeds.articles(lake, *EVER)
    return dict(good.select("title", "known_at").iter_rows())


def test_a_provider_that_fails_keeps_no_other_from_being_heard(of: Of, press: Press) -> None:
    lake = of("finnhub", "rss", "wire")
    heard = news_polling.poll(lake, now=NOW)
    assert (heard.landed, [report.provider for report in heard.reports]) == (1, ["rss"])
    assert list(heard.failures) == ["finnhub", "wire"]
    assert "SPX_NEWS__FINNHUB__TOKEN" in heard.failures["finnhub"]
    assert "news provider 'wire' is unknown" in heard.failures["wire"]
    assert known(lake) == {"Stocks fall on rate fears": NOW}


def test_a_provider_just_heard_is_left_alone_and_counts_as_heard(of: Of, press: Press) -> None:
    lake = of("finnhub", "rss")
    news_polling.poll(lake, now=NOW)
    soon = news_polling.poll(lake, now=NOW + timedelta(seconds=299))
    assert (soon.reports, list(soon.failures), press.asked) == ((), ["finnhub"], ["/feed"])
    later = news_polling.poll(lake, now=NOW + timedelta(seconds=301))
    assert ([report.landed for report in later.reports], press.asked) == ([0], ["/feed", "/feed"])
    assert news_feeds.feeds(lake)["rss"].polled_at == NOW + timedelta(seconds=301)


def test_a_round_that_heard_nothing_fails(of: Of) -> None:
    with pytest.raises(NewsPollError, match=r"finnhub: .*; wire: news provider 'wire' is unknown"):
        news_polling.poll(of("finnhub", "wire"), now=NOW)
    assert news_polling.poll(of(), now=NOW).reports == ()


def test_a_provider_whose_turn_has_not_come_counts_as_heard(of: Of) -> None:
    lake = of("finnhub", "alphavantage")
    config = alphavantage.config(lake.settings.news.alphavantage)
    news_landing.land(lake, "alphavantage", articles.frame([]), name="last", live=True, config=config, now=NOW)
    soon = news_polling.poll(lake, now=NOW + timedelta(minutes=15))
    assert (soon.reports, list(soon.failures)) == ((), ["finnhub"])


@pytest.mark.parametrize("live", [(), ("finnhub",)])
def test_a_refused_file_is_told_and_never_fails_the_round(of: Of, live: tuple[str, ...]) -> None:
    lake = of(*live)
    drop(lake, "c.json", '[{"title": "cut sho')
    assert list(news_polling.poll(lake, now=NOW).failures) == ["c.json", *live]
    assert news_drop.waiting(news_drop.folder(lake.settings)) == []


def test_dropped_files_are_landed_once_and_put_away(of: Of) -> None:
    lake = of("finnhub")
    drop(lake, "b.json", [article(1), article(2), {"title": "No time"}])
    drop(lake, "a.ndjson", json.dumps(article(3)) + "\nnot JSON\n")
    drop(lake, "c.json", '[{"title": "cut sho')
    drop(lake, "d.csv", "title\nx\n")
    drop(lake, "e.json", [article(1, published_at="2009-01-05T15:00:00Z")])
    drop(lake, "f.json", "[" * 50_000)
    drop(lake, ".g.json.part", [article(4)])
    heard = news_polling.poll(lake, now=NOW)
    assert [(report.name, report.landed, sum(report.refused.values())) for report in heard.reports] == [
        ("a.ndjson", 1, 1),
        ("b.json", 2, 1),
    ]
    assert heard.weeks == [date(2024, 1, 7)] * 2
    assert sorted(heard.failures) == ["c.json", "d.csv", "e.json", "f.json", "finnhub"]
    # An archive's article is known from its publication.
    assert known(lake)["Story 1"] == datetime(2024, 1, 8, 14, 31, 10, tzinfo=UTC)
    at = news_drop.folder(lake.settings)
    assert sorted(path.name for path in (at / "taken").iterdir()) == ["a.ndjson", "b.json"]
    refused = {path.name for path in (at / "refused").iterdir()}
    assert refused == {name + tail for name in ("c.json", "d.csv", "e.json", "f.json") for tail in ("", ".reason.txt")}
    assert "set SPX_HISTORY_START" in (at / "refused" / "e.json.reason.txt").read_text()
    # A run that was killed between landing and putting away finds the file again.
    (at / "taken" / "b.json").rename(at / "b.json")
    again = news_polling.poll(lake, now=NOW + timedelta(minutes=1))
    assert [(report.landed, report.known) for report in again.reports] == [(0, 3)]
    assert news_drop.waiting(at) == []


def test_a_file_is_not_blamed_for_a_landing_folder_that_is_damaged(of: Of) -> None:
    lake = of("rss")
    drop(lake, "a.json", [article(1)])
    news_polling.poll(lake, now=NOW)
    for batch in lake.settings.landing.glob("*.news.parquet"):
        batch.write_bytes(b"")
    shutil.rmtree(lake.settings.home / "cache")
    path = drop(lake, "b.json", [article(2)])
    with pytest.raises(NewsPollError, match=r"drop folder: .*news.parquet was altered after its import"):
        news_polling.poll(lake, now=NOW + timedelta(hours=1))
    assert path.exists()


def test_a_file_that_the_machine_does_not_let_be_read_waits_for_the_next_round(of: Of, monkeypatch: pytest.MonkeyPatch) -> None:
    lake = of("rss")
    paths = [drop(lake, "a.json", [article(1)]), drop(lake, "b.parquet", "no matter what")]

    def fails(path: Path) -> bytes:
        raise OSError(errno.EMFILE, "Too many open files", str(path))

    with monkeypatch.context() as machine:
        machine.setattr(Path, "read_bytes", fails)
        heard = news_polling.poll(lake, now=NOW)
    assert heard.failures["a.json"] == "a.json cannot be read: Too many open files; check the path and its permissions"
    assert [path.exists() for path in paths] == [True, True]
    heard = news_polling.poll(lake, now=NOW)
    assert (heard.landed, list(heard.failures), news_drop.waiting(paths[0].parent)) == (1, ["b.parquet"], [])


def test_on_a_live_market_a_dropped_article_is_known_from_when_it_came(of: Of) -> None:
    lake = of()
    bindings.write(
        lake, [Feed(instrument="SPX500_USD", provider="oanda", live=True, config={"first": 0, "last": -1}, bound_at=NOW)]
    )
    try:
        late = NOW + timedelta(minutes=3)
        drop(lake, "a.json", [article(1), article(2, first_seen_at="2024-01-08T14:59:00Z"), article(3, first_seen_at=f"{late}")])
        news_polling.poll(lake, now=NOW)
        assert known(lake) == {"Story 1": NOW, "Story 2": NOW, "Story 3": late}
    finally:
        lake.write(delete={"bronze.feeds": {"instrument": "SPX500_USD"}})


def test_the_current_week_is_that_of_the_last_bar_or_of_the_wall(of: Of) -> None:
    lake = of()
    assert news_polling.current_week(lake, now=datetime(2024, 1, 14, 23, tzinfo=UTC)) == date(2024, 1, 14)
    try:
        # The simulator stands on a Wednesday; at the end of a week its last bar counts, not the instant after it.
        feeds.bind_simulator(lake, "SPX500_USD", end=datetime(2025, 10, 12, 21, tzinfo=UTC))
        assert news_polling.current_week(lake, now=NOW) == date(2025, 10, 5)
    finally:
        lake.write(delete={"bronze.feeds": {"instrument": "SPX500_USD"}})
