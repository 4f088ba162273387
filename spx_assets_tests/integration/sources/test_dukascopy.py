"""Dukascopy's minute files from a server that lays them out as the feed does, fed with recorded files."""

import lzma
import struct
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from spx_assets.lake.connection import Lake
from spx_assets.settings import DukascopySettings
from spx_assets.sources import dukascopy, feeds, history
from spx_assets.sources.errors import BadAnswerError, InstrumentError, ProviderError, RangeError
from spx_assets.sources.imports import ImportReport
from spx_assets_tests.integration.sources.provider import Provider

FRIDAY = datetime(2019, 1, 4, tzinfo=UTC)
MONDAY = datetime(2019, 1, 7, tzinfo=UTC)


@pytest.fixture
def recorded(shared_data: Path, provider: Provider) -> Provider:
    for side in ("BID", "ASK"):
        data = (shared_data / "api_samples" / "dukascopy" / f"EURUSD_2019_01_04_{side}_candles_min_1.bi5").read_bytes()
        provider.files[f"feed/EURUSD/2019/00/04/{side}_candles_min_1.bi5"] = data
        provider.files[f"feed/EURUSD/2019/00/05/{side}_candles_min_1.bi5"] = b""
    return provider


def packed(price: int, *, minutes: int = 1440, spread: int = 0, idle: int = 0) -> bytes:
    """A day's file of one price; the last `idle` minutes have no volume."""
    records = [
        struct.pack(
            ">5If", 60 * i, price + spread, price + spread, price + spread, price + spread, 0.0 if i >= minutes - idle else 1.5
        )
        for i in range(minutes)
    ]
    return lzma.compress(b"".join(records), format=lzma.FORMAT_ALONE)


def put(provider: Provider, symbol: str, day: date, price: int, **options: int) -> None:
    for side, spread in (("BID", 0), ("ASK", 5)):
        provider.files[f"feed/{dukascopy.path_of(symbol, day, side)}"] = packed(price, spread=spread, **options)


Download = Callable[..., list[ImportReport]]


@pytest.fixture
def download(lake: Lake, provider: Provider) -> Download:
    """`history.download` of EUR_USD over one weekend, each call with a client of its own."""

    def run(**options: Any) -> list[ImportReport]:
        settings = DukascopySettings(url=f"{provider.url}/feed", timeout_s=5.0)
        http = dukascopy.client(settings, backoff_s=0.001, sleep=lambda _: None)
        asked: dict[str, Any] = {"instrument": "EUR_USD", "start": FRIDAY, "end": MONDAY, **options}
        return history.download(lake, provider="dukascopy", http=http, **asked)

    return run


def test_months_in_the_address_count_from_zero() -> None:
    assert dukascopy.path_of("EURUSD", date(2019, 1, 4), "BID") == "EURUSD/2019/00/04/BID_candles_min_1.bi5"
    assert dukascopy.path_of("EURUSD", date(2020, 12, 31), "ASK") == "EURUSD/2020/11/31/ASK_candles_min_1.bi5"


@pytest.mark.parametrize(
    ("instrument", "symbol", "scale"),
    [("EUR_USD", "EURUSD", 1e5), ("USD_JPY", "USDJPY", 1e3), ("SPX500_USD", "USA500IDXUSD", 1e3), ("XAU_USD", "XAUUSD", 1e3)],
)
def test_symbol_and_scale_follow_from_the_instrument(instrument: str, symbol: str, scale: float) -> None:
    assert dukascopy.symbol_of(instrument) == symbol
    assert dukascopy.scale_of(symbol) == scale


def test_an_unknown_scale_asks_for_it() -> None:
    with pytest.raises(InstrumentError, match="price scale of COPPER at Dukascopy is unknown; pass --scale"):
        dukascopy.scale_of("COPPER")


def test_recorded_bid_and_ask_files_become_candles(download: Download, lake: Lake, recorded: Provider) -> None:
    (report,) = download()
    assert recorded.asked[:2] == [
        "/feed/EURUSD/2019/00/04/BID_candles_min_1.bi5",
        "/feed/EURUSD/2019/00/04/ASK_candles_min_1.bi5",
    ]
    # 17:00 New York on that Friday is 22:00 UTC: the last two hours of the file are the weekend's.
    assert report.candles == 22 * 60
    assert report.quarantined == {"market_closed": 120}
    chunk = feeds.candles(lake, [date(2018, 12, 30)])
    row = chunk.frame.row(0, named=True)
    assert row["ts"] == FRIDAY
    assert [row[name] for name in ("open", "high", "low", "close")] == pytest.approx([1.14544, 1.145720, 1.145435, 1.145715])
    assert (row["bid_close"], row["ask_close"]) == (1.14569, 1.14574)
    assert row["volume"] == pytest.approx(293.76 + 401.87, abs=1e-3)
    assert feeds.clocks(lake)["EUR_USD"] == datetime(2019, 1, 4, 22, tzinfo=UTC)


def test_minutes_without_a_quote_are_no_bars(download: Download, lake: Lake, provider: Provider) -> None:
    put(provider, "USA500IDXUSD", date(2019, 1, 3), 2_450_000, idle=180)
    (report,) = download(instrument="SPX500_USD", start=FRIDAY - timedelta(days=1), end=FRIDAY)
    assert report.candles == 1260
    frame = feeds.candles(lake, [date(2018, 12, 30)]).frame
    assert frame.row(0, named=True)["close"] == pytest.approx(2450.0025)
    assert frame.row(0, named=True)["spread"] == pytest.approx(0.005)


def test_missing_days_and_empty_weekends_are_skipped(download: Download, lake: Lake, recorded: Provider) -> None:
    put(recorded, "EURUSD", date(2019, 1, 7), 114_600)
    (report,) = download(end=MONDAY + timedelta(days=1))
    assert report.last_ts == datetime(2019, 1, 7, 23, 59, tzinfo=UTC)
    assert sum(path.endswith("06/BID_candles_min_1.bi5") for path in recorded.asked) == 1


def test_a_range_without_any_file_names_the_symbol(download: Download, lake: Lake, provider: Provider) -> None:
    with pytest.raises(RangeError, match="no candles of NOSUCH from 2019-01-04 00:00 to 2019-01-07 00:00 UTC; check --symbol"):
        download(symbol="NOSUCH", scale=1000.0)
    assert feeds.feeds(lake) == {}


def test_a_killed_download_fetches_no_file_twice(download: Download, lake: Lake, provider: Provider) -> None:
    for day in range(7, 11):
        put(provider, "EURUSD", date(2019, 1, day), 114_000 + day)
    provider.die_after = 5
    with pytest.raises(ProviderError):
        download(start=MONDAY, end=MONDAY + timedelta(days=4))
    provider.die_after = None
    fetched = set(provider.asked[:5])
    before = len(provider.asked)
    (report,) = download(start=MONDAY, end=MONDAY + timedelta(days=4))
    assert report.candles == 4 * 1440
    assert len(provider.asked) - before == 3
    assert not fetched & set(provider.asked[before:])
    assert not list((lake.settings.landing / "partial" / "dukascopy").iterdir())


def test_asking_for_more_fetches_only_the_new_days(download: Download, lake: Lake, provider: Provider) -> None:
    for day in range(7, 11):
        put(provider, "EURUSD", date(2019, 1, day), 114_000 + day)
    download(start=MONDAY + timedelta(days=1), end=MONDAY + timedelta(days=3))
    provider.asked.clear()
    reports = download(start=MONDAY, end=MONDAY + timedelta(days=4))
    assert [report.candles for report in reports] == [1440, 1440]
    assert sorted({path.split("/")[5] for path in provider.asked}) == ["07", "10"]
    assert feeds.candles(lake, [date(2019, 1, 6)]).frame.height == 4 * 1440


def test_a_late_day_is_asked_for_until_it_comes_and_the_days_around_it_are_not(
    download: Download, lake: Lake, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dukascopy, "SETTLED", timedelta(days=36_500))
    for day in (7, 9):
        put(provider, "EURUSD", date(2019, 1, day), 114_000 + day)
    asked = {"start": MONDAY, "end": MONDAY + timedelta(days=3)}
    assert [report.candles for report in download(**asked, replace=True)] == [1440, 1440]
    provider.asked.clear()
    assert download(**asked) == []
    put(provider, "EURUSD", date(2019, 1, 8), 114_008)
    assert [report.candles for report in download(**asked)] == [1440]
    assert {path.split("/")[5] for path in provider.asked} == {"08"}
    assert download(**asked) == []
    assert feeds.candles(lake, [date(2019, 1, 6)]).frame.height == 3 * 1440


@pytest.mark.parametrize("fault", [(429, "1"), 503, "cut", "close"])
def test_passing_trouble_loses_no_minute(download: Download, lake: Lake, recorded: Provider, fault: object) -> None:
    recorded.faults.extend([fault, fault])
    (report,) = download()
    assert report.rows == 1440


def test_a_damaged_file_is_named_and_fetched_anew(download: Download, lake: Lake, recorded: Provider) -> None:
    name = "feed/EURUSD/2019/00/04/ASK_candles_min_1.bi5"
    whole = recorded.files[name]
    recorded.files[name] = whole[: len(whole) // 2]
    with pytest.raises(BadAnswerError, match=r"2019-01-04-ASK\.bi5 is damaged .*run the command again"):
        download()
    assert feeds.feeds(lake) == {}
    recorded.files[name] = whole
    (report,) = download()
    assert report.rows == 1440
