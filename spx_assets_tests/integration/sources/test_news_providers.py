"""Alpha Vantage and Finnhub against a server that answers as they do, and what every provider owes."""

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from spx_assets.lake.connection import Lake
from spx_assets.sources import alphavantage, news, news_feeds
from spx_assets.sources.errors import (
    BadAnswerError,
    DownloadBusyError,
    ProviderDownError,
    RangeError,
    RateLimitError,
    SourceError,
    UnauthorisedError,
    UnknownProviderError,
)
from spx_assets_tests.integration.sources.newspapers import HOUR, MONDAY, NOW, WAITS, client, download, landed, subscribed
from spx_assets_tests.integration.sources.press import KEY, TOKEN, Press


@pytest.fixture(autouse=True)
def _no_waits() -> Iterator[None]:
    yield
    WAITS.clear()


# Alpha Vantage


@pytest.fixture
def recorded(shared_data: Path) -> list[dict[str, object]]:
    held = json.loads((shared_data / "api_samples/alphavantage/news_sentiment_AAPL_2025-01.json").read_text())
    feed: list[dict[str, object]] = held["feed"]
    return feed


def test_alphavantage_pages_overlap_and_land_once(
    news_lake: Lake, press: Press, recorded: list[dict[str, object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alphavantage, "PAGE", 20)
    press.alphavantage = recorded
    lake = subscribed(news_lake, press)
    report = download(lake, "alphavantage", datetime(2025, 1, 31, tzinfo=UTC), datetime(2025, 2, 1, tzinfo=UTC))
    assert report.landed == 48
    assert report.known == report.rows - 48 > 0
    assert 3 <= len(press.asked) <= 5
    row = landed(lake).filter(pl.col("title").str.starts_with("Apple, Exxon Mobil And 3 Stocks")).row(0, named=True)
    assert (row["author"], row["provider_sentiment"], row["language"]) == ("Avi Kapoor", 0.268759, "en")
    assert row["known_at"] == datetime(2025, 1, 31, 10, 57, 9, tzinfo=UTC)
    assert json.loads(row["raw"])["overall_sentiment_label"] == "Somewhat-Bullish"


@pytest.mark.parametrize(
    ("said", "error", "says"),
    [
        ({"Information": f"API key {KEY}: our rate limit is 25 requests per day."}, RateLimitError, "key \\*\\*\\*: our"),
        ({"Note": "Our standard API call frequency is 5 calls per minute."}, RateLimitError, "run it again tomorrow"),
        ({"Error Message": "the parameter apikey is invalid."}, UnauthorisedError, "set SPX_NEWS__ALPHAVANTAGE__KEY"),
        ({"Information": "Invalid inputs."}, BadAnswerError, "check SPX_NEWS__ALPHAVANTAGE__TOPICS"),
        ({}, BadAnswerError, "answered without articles"),
    ],
)  # fmt: skip
def test_alphavantages_refusals_with_status_200_are_typed_and_name_no_key(
    news_lake: Lake, press: Press, said: dict[str, str], error: type[SourceError], says: str
) -> None:
    press.faults.append(json.dumps(said).encode())
    with pytest.raises(error, match=says) as raised:
        download(subscribed(news_lake, press), "alphavantage", MONDAY, MONDAY + HOUR)
    assert KEY not in str(raised.value)
    assert news_feeds.feeds(news_lake) == {}


def test_alphavantages_polls_are_spread_over_the_day_and_its_calls_counted_over_processes(news_lake: Lake, press: Press) -> None:
    def heard(hours: float) -> bool:
        lake = subscribed(news_lake, press, alphavantage={"calls_per_day": 2})
        return news.poll(lake, "alphavantage", now=MONDAY + hours * HOUR, http=client(lake, "alphavantage")) is not None

    assert [heard(hours) for hours in (0, 0.25, 11.9, 12)] == [True, False, False, True]
    with pytest.raises(RateLimitError, match="the 2 calls that Alpha Vantage allows in 24 h are used"):
        heard(25)
    assert len(press.asked) == 2
    assert WAITS == []


@pytest.mark.parametrize(("provider", "secret"), [("alphavantage", KEY), ("finnhub", TOKEN)])
def test_no_key_reaches_a_log_an_error_or_the_lake(
    news_lake: Lake, press: Press, caplog: pytest.LogCaptureFixture, provider: str, secret: str
) -> None:
    caplog.set_level(logging.DEBUG)
    lake = subscribed(news_lake, press)
    download(lake, provider, MONDAY, MONDAY + HOUR)
    for fault in (400, 404, 403):
        press.faults.append(fault)
        with pytest.raises(SourceError) as raised:
            news.poll(lake, provider, http=client(lake, provider), now=NOW)
        assert secret not in str(raised.value)
    press.faults.extend([503] * 6)
    with pytest.raises(ProviderDownError) as down:
        news.poll(lake, provider, http=client(lake, provider), now=NOW)
    assert secret not in str(down.value)
    # The lines of the wire were heard; httpx's would tell whole addresses.
    assert "httpcore" in caplog.text
    assert "HTTP Request" not in caplog.text
    assert secret not in caplog.text
    assert secret not in str(news_lake.read("bronze.news_feeds").to_dicts())
    assert secret not in repr(lake.settings)


@pytest.mark.parametrize(("provider", "secret"), [("alphavantage", KEY), ("finnhub", TOKEN)])
@pytest.mark.parametrize("form", ["<html>no {}</html>", '{{"error": "no {}"}}', "x" * 190 + " {}"])
def test_an_answer_that_repeats_the_key_is_told_without_it(
    news_lake: Lake, press: Press, provider: str, secret: str, form: str
) -> None:
    press.faults.append(form.format(secret).encode())
    with pytest.raises(BadAnswerError) as raised:
        download(subscribed(news_lake, press), provider, MONDAY, MONDAY + HOUR)
    assert secret[:4] not in str(raised.value)
    assert "***" in str(raised.value)


@pytest.mark.parametrize(("provider", "name", "says"), [
    ("alphavantage", "key", "set SPX_NEWS__ALPHAVANTAGE__KEY"), ("finnhub", "token", "set SPX_NEWS__FINNHUB__TOKEN"),
])  # fmt: skip
def test_a_missing_or_wrong_key_names_its_setting(news_lake: Lake, press: Press, provider: str, name: str, says: str) -> None:
    for wrong in ("", "another"):
        lake = subscribed(news_lake, press, **{provider: {name: wrong}})
        with pytest.raises(UnauthorisedError, match=says):
            download(lake, provider, MONDAY, MONDAY + HOUR)


# Finnhub


def test_finnhubs_company_news_come_day_by_day(news_lake: Lake, press: Press, shared_data: Path) -> None:
    name = "api_samples/finnhub/company_news_AAPL_2021-06_rebuilt_from_csv.json"
    press.finnhub = [*json.loads((shared_data / name).read_text()), *json.loads((shared_data / name).read_text())[:9]]
    press.finnhub.append({**press.finnhub[0], "datetime": 1623110000, "headline": "  ", "id": 1})
    lake = subscribed(news_lake, press)
    report = download(lake, "finnhub", datetime(2021, 6, 1, tzinfo=UTC), datetime(2021, 6, 8, tzinfo=UTC))
    assert (report.landed, report.known, dict(report.refused)) == (50, 9, {"no title": 1})
    assert len(press.asked) == 7
    row = landed(lake).filter(pl.col("title").str.contains("'private relay'")).row(0, named=True)
    assert (row["source"], row["published_at"]) == ("Reuters", datetime.fromtimestamp(1623110079, UTC))
    assert row["known_at"] == row["published_at"]


def test_finnhubs_general_news_are_polled_after_the_last_one_seen(news_lake: Lake, press: Press) -> None:
    lake = subscribed(news_lake, press, finnhub={"symbol": ""})
    old = int(MONDAY.timestamp()) - 1
    press.finnhub.append({"id": 4, "headline": "Old", "source": "W", "datetime": old, "url": "", "summary": ""})
    for number in (5, 9):
        at = int(MONDAY.timestamp())
        press.finnhub.append(
            {"id": number, "headline": f"Story {number}", "source": "W", "datetime": at, "url": "", "summary": ""}
        )
        report = news.poll(lake, "finnhub", now=MONDAY + HOUR, http=client(lake, "finnhub"))
        assert report is not None
        assert (report.landed, report.rows) == (1, 1)
    assert [path.rpartition("=")[2] for path in press.asked] == ["0", "5"]
    assert news_feeds.feeds(lake)["finnhub"].cursor == {"min_id": 9, "since": MONDAY.isoformat()}
    with pytest.raises(RangeError, match="set SPX_NEWS__FINNHUB__SYMBOL"):
        download(lake, "finnhub", MONDAY, MONDAY + HOUR)


def test_finnhubs_reset_time_is_waited_for(news_lake: Lake, press: Press) -> None:
    press.faults.append(("X-Ratelimit-Reset", str(int(datetime.now(UTC).timestamp()) + 60)))
    download(subscribed(news_lake, press), "finnhub", MONDAY, MONDAY + HOUR)
    assert 30.0 < WAITS[0] <= 60.0


@pytest.mark.parametrize("answer", [b"<html>busy</html>", b'{"error": "no"}', b'[{"id": 1, "head'])
def test_an_answer_of_finnhub_that_is_no_list_is_typed(news_lake: Lake, press: Press, answer: bytes) -> None:
    press.faults.append(answer)
    with pytest.raises(BadAnswerError, match="run it again, it resumes"):
        download(subscribed(news_lake, press), "finnhub", MONDAY, MONDAY + HOUR)


# Any provider


def test_a_senseless_range_and_an_unknown_provider_are_refused(news_lake: Lake) -> None:
    with pytest.raises(RangeError, match="--from must be before --to and now"):
        news.download(news_lake, "gdelt", MONDAY, MONDAY)
    with pytest.raises(RangeError):
        news.download(news_lake, "gdelt", NOW, NOW + HOUR, now=NOW)
    with pytest.raises(UnknownProviderError, match="use one of gdelt, rss, alphavantage, finnhub"):
        news.poll(news_lake, "reuters")


def test_one_import_of_a_provider_at_a_time(news_lake: Lake, press: Press) -> None:
    lake = subscribed(news_lake, press)
    with news._alone(lake, "gdelt"), pytest.raises(DownloadBusyError, match="another import of gdelt news"):
        download(lake, "gdelt", MONDAY, MONDAY + HOUR)


def test_the_last_hour_of_an_import_is_asked_for_again(news_lake: Lake, press: Press) -> None:
    lake = subscribed(news_lake, press)
    for at in (NOW, NOW + timedelta(minutes=5)):
        news.download(lake, "gdelt", NOW - timedelta(hours=5), NOW + HOUR, http=client(lake, "gdelt"), now=at)
    assert "startdatetime=20260601110000" in press.asked[-1]
