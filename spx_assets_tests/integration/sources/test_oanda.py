"""OANDA's history from a server that answers like it, fed with recorded candles."""

import json
import logging
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from spx_assets.lake.connection import Lake
from spx_assets.settings import OandaSettings
from spx_assets.sources import feeds, history, oanda
from spx_assets.sources.errors import (
    BadAnswerError,
    DownloadBusyError,
    FeedBoundError,
    InstrumentError,
    ProviderError,
    RangeError,
    UnauthorisedError,
)
from spx_assets.sources.http import Client
from spx_assets.sources.imports import ImportReport
from spx_assets_tests.integration.sources.provider import TOKEN, Provider

FIRST = datetime(2025, 9, 25, 11, 24, tzinfo=UTC)
LAST = datetime(2025, 9, 26, 20, 59, tzinfo=UTC)
END = datetime(2025, 9, 27, tzinfo=UTC)


@pytest.fixture
def recorded(shared_data: Path, provider: Provider) -> list[dict[str, Any]]:
    path = shared_data / "api_samples" / "oanda" / "candles_EUR_USD_M1_MBA_2025-09-25.json"
    candles: list[dict[str, Any]] = json.loads(path.read_bytes())["candles"]
    provider.candles["EUR_USD"] = candles
    return candles


def client_of(provider: Provider, token: str) -> Client:
    settings = OandaSettings(token=SecretStr(token), url=provider.url, timeout_s=5.0)
    return oanda.client(settings, backoff_s=0.001, sleep=lambda _: None)


Download = Callable[..., list[ImportReport]]


@pytest.fixture
def download(lake: Lake, provider: Provider) -> Download:
    """`history.download` of EUR_USD in pages of 300, each call with a client of its own."""

    def run(*, token: str = TOKEN, **options: Any) -> list[ImportReport]:
        asked: dict[str, Any] = {"instrument": "EUR_USD", "start": FIRST, "end": END, "page": 300, **options}
        return history.download(lake, provider="oanda", http=client_of(provider, token), **asked)

    return run


def test_history_is_fetched_page_by_page_and_bound(
    download: Download, lake: Lake, provider: Provider, recorded: list[dict[str, Any]]
) -> None:
    (report,) = download()
    assert (report.candles, report.first_ts, report.last_ts, report.quarantined) == (2000, FIRST, LAST, {})
    assert len(provider.asked) == 7
    assert "from=2025-09-25T11%3A24%3A00Z&count=300" in provider.asked[0]
    feed = feeds.feeds(lake)["EUR_USD"]
    assert (feed.provider, feed.live, feed.end) == ("oanda", False, LAST + timedelta(minutes=1))
    chunk = feeds.candles(lake, [date(2025, 9, 21)])
    row = chunk.frame.row(0, named=True)
    assert [row[name] for name in ("open", "high", "low", "close", "bid_close", "ask_close", "volume")] == [
        1.17410,
        1.17416,
        1.17401,
        1.17407,
        1.17400,
        1.17414,
        89.0,
    ]
    assert not (lake.settings.landing / "partial" / "oanda" / "EUR_USD-20250925T1124").exists()


def test_asking_again_fetches_only_what_is_missing(
    download: Download, lake: Lake, provider: Provider, recorded: list[dict[str, Any]]
) -> None:
    noon = datetime(2025, 9, 26, 12, tzinfo=UTC)
    download(end=noon)
    provider.asked.clear()
    assert download(end=noon) == []
    assert provider.asked == []
    (report,) = download()
    assert report.first_ts == noon
    assert all("from=2025-09-26" in address for address in provider.asked)
    assert feeds.candles(lake, [date(2025, 9, 21)]).frame.height == 2000


def test_a_killed_download_resumes_at_its_last_page(
    download: Download, lake: Lake, provider: Provider, recorded: list[dict[str, Any]]
) -> None:
    provider.die_after = 3
    with pytest.raises(ProviderError):
        download()
    assert feeds.feeds(lake) == {}
    provider.die_after = None
    before = len(provider.asked)
    (report,) = download()
    assert report.candles == 2000
    assert len(provider.asked) - before == 4


@pytest.mark.parametrize("fault", [(429, "1"), 500, 503, "cut", "close"])
def test_passing_trouble_loses_no_candle(
    download: Download, lake: Lake, provider: Provider, recorded: list[dict[str, Any]], fault: object
) -> None:
    provider.faults.extend([fault, fault])
    (report,) = download()
    assert report.candles == 2000


def test_a_candle_that_is_not_complete_is_left_for_the_next_time(
    download: Download, lake: Lake, provider: Provider, recorded: list[dict[str, Any]]
) -> None:
    recorded[-1]["complete"] = False
    (report,) = download()
    assert (report.candles, report.last_ts) == (1999, LAST - timedelta(minutes=1))


def test_the_end_is_exclusive(download: Download, lake: Lake, recorded: list[dict[str, Any]]) -> None:
    (report,) = download(end=FIRST + timedelta(minutes=10))
    assert report.last_ts == FIRST + timedelta(minutes=9)


def test_an_empty_weekend_is_not_an_error_of_a_feed_but_of_a_first_download(
    download: Download, lake: Lake, provider: Provider, recorded: list[dict[str, Any]]
) -> None:
    saturday = datetime(2025, 9, 27, 6, tzinfo=UTC)
    with pytest.raises(RangeError, match="has no candles of EUR_USD from 2025-09-27 06:00"):
        download(start=saturday, end=saturday + timedelta(hours=6))
    assert feeds.feeds(lake) == {}
    download()
    assert download(start=saturday, end=saturday + timedelta(hours=6)) == []


def test_a_wrong_token_says_which_setting_and_is_never_shown(
    download: Download, provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(UnauthorisedError, match=r"401 .*set SPX_OANDA__TOKEN") as caught:
        download(token="wr0ng-t0ken")
    assert len(provider.asked) == 1
    assert "wr0ng-t0ken" not in f"{caught.value!r} {caplog.text}"


def test_the_token_is_in_no_log_line_of_a_download(
    download: Download, lake: Lake, recorded: list[dict[str, Any]], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    download()
    assert caplog.records
    assert TOKEN not in caplog.text
    assert TOKEN not in repr(OandaSettings(token=SecretStr(TOKEN)))


def test_without_a_token_nothing_is_asked(provider: Provider) -> None:
    bare = OandaSettings(url=provider.url)
    with pytest.raises(UnauthorisedError, match="OANDA needs a token; set SPX_OANDA__TOKEN"):
        oanda.client(bare)
    assert provider.asked == []


def test_an_unknown_instrument_is_named(download: Download, lake: Lake, provider: Provider) -> None:
    with pytest.raises(InstrumentError, match=r"OANDA does not know NO_SUCH .*use its own name"):
        download(instrument="NO_SUCH")
    assert feeds.feeds(lake) == {}


def test_the_providers_own_name_may_differ(download: Download, lake: Lake, recorded: list[dict[str, Any]]) -> None:
    (report,) = download(instrument="EURO", symbol="EUR_USD")
    assert (report.instrument, report.candles) == ("EURO", 2000)


def test_an_answer_that_is_no_list_of_candles_is_refused(download: Download, lake: Lake, provider: Provider) -> None:
    provider.candles["EUR_USD"] = [{"time": "2025-09-25T11:24:00.000000000Z"}]
    with pytest.raises(BadAnswerError, match="is not a list of candles"):
        download()


def test_two_downloads_of_one_history_do_not_share_their_pages(
    download: Download, lake: Lake, provider: Provider, recorded: list[dict[str, Any]]
) -> None:
    """The second starts while the first is fetching: the same instrument, or another name for the same symbol."""
    refused: list[str] = []

    def second(done: int, total: int) -> None:
        for names in ({"instrument": "EUR_USD"}, {"instrument": "EURO", "symbol": "EUR_USD"}):
            with pytest.raises(DownloadBusyError, match=r"another download of EUR_USD is under way .* wait until it ends"):
                download(**names)
            refused.append(names["instrument"])

    (report,) = download(progress=second)
    assert report.candles == 2000
    assert len(provider.asked) == 7
    assert {"EUR_USD", "EURO"} == set(refused)
    assert download() == []


def test_a_range_in_the_future_is_refused(download: Download, lake: Lake, provider: Provider) -> None:
    later = datetime.now(UTC) + timedelta(days=2)
    with pytest.raises(RangeError, match="--from must be before --to and now"):
        download(start=later, end=later + timedelta(days=1))
    assert provider.asked == []


def test_a_download_does_not_take_over_another_feed_unasked(
    download: Download, lake: Lake, provider: Provider, recorded: list[dict[str, Any]]
) -> None:
    feeds.bind_simulator(lake, "EUR_USD")
    with pytest.raises(FeedBoundError, match="bound to simulator; add --replace"):
        download()
    assert provider.asked == []
    download(replace=True)
    assert feeds.feeds(lake)["EUR_USD"].provider == "oanda"
