"""GDELT against a server that cuts its lists, limits its calls and writes its JSON as GDELT does."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from spx_assets.lake.connection import Lake
from spx_assets.sources import gdelt, news, news_feeds
from spx_assets.sources.errors import BadAnswerError, ProviderDownError, RateLimitError, SourceError
from spx_assets_tests.integration.sources.newspapers import HOUR, MONDAY, NOW, WAITS, client, download, landed, seen, subscribed
from spx_assets_tests.integration.sources.press import Press


@pytest.fixture(autouse=True)
def _no_waits() -> Iterator[None]:
    yield
    WAITS.clear()


def test_gdelt_windows_are_halved_until_no_list_is_cut(news_lake: Lake, press: Press) -> None:
    press.gdelt = [seen(n, minutes=15 * (n // 100)) for n in range(1000)]
    lake = subscribed(news_lake, press)
    report = download(lake, "gdelt", MONDAY, MONDAY + timedelta(hours=2, minutes=30))
    assert (report.rows, report.landed) == (1000, 1000)
    asked = [dict(pair.split("=") for pair in path.partition("?")[2].split("&")) for path in press.asked]
    spans = [(query["startdatetime"][8:], query["enddatetime"][8:]) for query in asked]
    assert spans[:4] == [("150000", "172959"), ("150000", "161459"), ("150000", "152959"), ("153000", "161459")]
    assert {query["maxrecords"] for query in asked} == {"250"}
    rows = landed(lake)
    assert rows["known_at"].equals(rows["published_at"].rename("known_at"))
    assert rows.select("source", "language", "first_seen_at").row(0) == ("paper.example", "en", MONDAY)


def test_real_lists_of_gdelt_are_landed_whole(news_lake: Lake, press: Press, shared_data: Path) -> None:
    start, end = datetime(2025, 5, 20, tzinfo=UTC), datetime(2025, 5, 24, tzinfo=UTC)
    real = pl.read_parquet(shared_data / "news/gdelt_artlist_google_2024_2025.parquet")
    real = real.filter(pl.col("ts").is_between(start, end, closed="left"))
    for row in real.sort("ts").iter_rows(named=True):
        listed = seen(0, url=row["url"], title=row["headline"], domain=row["domain"], seendate=f"{row['ts']:%Y%m%dT%H%M%SZ}")
        press.gdelt.append(listed)
    report = download(subscribed(news_lake, press), "gdelt", start, end)
    told = real.select("url", "headline", "ts").unique().height
    assert (report.landed + sum(report.refused.values()), report.known) == (told, real.height - told)
    assert report.landed > 150
    assert set(landed(news_lake)["title"]) == set(real["headline"].str.strip_chars())


def test_a_quarter_of_an_hour_that_gdelt_cuts_is_told(news_lake: Lake, press: Press) -> None:
    press.gdelt = [seen(n) for n in range(300)]
    report = download(subscribed(news_lake, press), "gdelt", MONDAY, MONDAY + HOUR)
    assert report.landed == 250
    (reason,) = report.refused
    assert reason == "GDELT lists only 250 articles of a quarter of an hour; narrow the query to get the others"


def test_history_is_asked_for_once_for_each_query(news_lake: Lake, press: Press) -> None:
    press.gdelt = [seen(n, minutes=1440 * n) for n in range(3)]
    lake, end = subscribed(news_lake, press), MONDAY + timedelta(days=3)
    download(lake, "gdelt", MONDAY, MONDAY + timedelta(days=1))
    assert (download(lake, "gdelt", MONDAY, end).landed, len(press.asked)) == (2, 3)
    assert (download(lake, "gdelt", MONDAY, end).rows, len(press.asked)) == (0, 3)
    assert lake.count("bronze.news_files") == 2
    other = subscribed(news_lake, press, gdelt={"query": "gold"})
    assert download(other, "gdelt", MONDAY, MONDAY + timedelta(days=1)).known == 1


def test_a_provider_that_stays_down_leaves_what_came_before_and_resumes_there(news_lake: Lake, press: Press) -> None:
    press.gdelt = [seen(n, minutes=1440 * n) for n in range(2)]
    lake, end = subscribed(news_lake, press), MONDAY + timedelta(days=2)
    settings, folder = lake.settings.news.gdelt, lake.settings.home / "cache"
    http = gdelt.client(settings, folder=folder, sleep=lambda _: press.faults.append(503), backoff_s=0.01)
    press.then = 503
    with pytest.raises(ProviderDownError, match="it resumes"):
        news.download(lake, "gdelt", MONDAY, end, http=http, now=NOW)
    assert landed(lake)["title"].to_list() == ["Story 0"]
    press.faults.clear()
    assert download(lake, "gdelt", MONDAY, end).rows == 1


@pytest.mark.parametrize(("header", "value", "shortest"), [("Retry-After", "7", 7.0), ("X", "0", 0.0)])
def test_429_is_waited_for(news_lake: Lake, press: Press, header: str, value: str, shortest: float) -> None:
    press.gdelt = [seen(1)]
    press.faults.extend([(header, value), 500, "cut", "close"])
    assert download(subscribed(news_lake, press), "gdelt", MONDAY, MONDAY + HOUR).landed == 1
    assert len(WAITS) == 4
    assert WAITS[0] >= shortest


@pytest.mark.parametrize(
    ("answer", "error", "says"),
    [
        (
            b"<html><body>Your query was too short</body></html>",
            BadAnswerError,
            "is no list of articles .*correct SPX_NEWS__GDELT__QUERY",
        ),
        (b'{"articles": [{"url": "https://x', BadAnswerError, "is no list of articles"),
        (b'{"articles": 7}', BadAnswerError, "holds no list `articles`"),
        (b"[" * 100_000, BadAnswerError, "is no list of articles"),
    ],
)
def test_an_answer_that_is_no_list_is_typed(
    news_lake: Lake, press: Press, answer: bytes, error: type[SourceError], says: str
) -> None:
    press.faults.append(answer)
    with pytest.raises(error, match=says):
        download(subscribed(news_lake, press), "gdelt", MONDAY, MONDAY + HOUR)
    assert news_feeds.feeds(news_lake) == {}


def test_a_call_too_many_is_answered_with_200_and_waited_for(news_lake: Lake, press: Press) -> None:
    press.gdelt = [seen(1)]
    lake, busy = subscribed(news_lake, press), b"Please limit requests to one every 5 seconds or contact us"
    press.faults.extend([busy] * 5)
    assert download(lake, "gdelt", MONDAY, MONDAY + HOUR).landed == 1
    assert len(WAITS) == 5
    press.faults.extend([busy] * 6)
    with pytest.raises(RateLimitError, match="raise SPX_NEWS__GDELT__PACE_S"):
        download(lake, "gdelt", MONDAY + HOUR, MONDAY + 2 * HOUR)


@pytest.mark.parametrize("off", [timedelta(minutes=7), timedelta(minutes=14, seconds=59, microseconds=7)])
def test_windows_that_begin_off_the_quarter_of_an_hour_lose_nothing(news_lake: Lake, press: Press, off: timedelta) -> None:
    press.gdelt = [seen(n, minutes=15 * (n // 200)) for n in range(1200)]
    report = download(subscribed(news_lake, press), "gdelt", MONDAY - off, MONDAY + timedelta(minutes=75) + off)
    assert (report.landed, dict(report.refused)) == (1200, {})


def test_titles_that_are_no_clean_json_are_read(news_lake: Lake, press: Press) -> None:
    article = json.dumps(seen(1)).replace("Story 1", "C:\\Users \\\\ \\u00e9 \t\x01 50\\% <script>")
    press.faults.append(b'{"articles": [' + article.encode() + b', 7, {"title": "no address, no date"}]}')
    report = download(subscribed(news_lake, press), "gdelt", MONDAY, MONDAY + HOUR)
    assert dict(report.refused) == {"not an object": 1, "no source": 1}
    assert landed(news_lake)["title"][0] == "C:\\Users \\ é \t\x01 50\\% <script>"


def test_gdelt_is_polled_from_where_it_was_left_and_known_from_the_poll(news_lake: Lake, press: Press) -> None:
    lake = subscribed(news_lake, press)
    press.gdelt = [seen(1, minutes=-30), seen(2, minutes=-15)]
    for n, at in enumerate((MONDAY, MONDAY + timedelta(minutes=15))):
        report = news.poll(lake, "gdelt", now=at, http=client(lake, "gdelt"))
        assert report is not None
        assert (report.landed, report.known) == ((2, 0), (1, 2))[n]
        press.gdelt.append(seen(3))
    rows = landed(lake)
    assert rows["known_at"].to_list() == [MONDAY, MONDAY, MONDAY + timedelta(minutes=15)]
    assert rows["published_at"].to_list() == [MONDAY - timedelta(minutes=m) for m in (30, 15, 0)]
    feed = news_feeds.feeds(lake)["gdelt"]
    assert (feed.live, feed.polled_at, feed.cursor) == (
        True,
        MONDAY + timedelta(minutes=15),
        {"since": "2024-01-08T14:15:00+00:00"},
    )
    assert "startdatetime=20240108140000" in press.asked[-1]


def test_gdelts_pace_is_kept_by_all_processes_of_a_home(tmp_path: Path, press: Press, news_lake: Lake) -> None:
    settings = subscribed(news_lake, press, gdelt={"pace_s": 0.15}).settings.news.gdelt
    began = datetime.now(UTC)
    for _ in range(3):
        with gdelt.client(settings, folder=tmp_path) as http:
            list(gdelt.history(http, settings, MONDAY, MONDAY + HOUR))
    assert datetime.now(UTC) - began >= timedelta(seconds=0.3)
