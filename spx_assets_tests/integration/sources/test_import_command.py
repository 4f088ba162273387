"""`spx import candles` as a user types it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from spx_assets.cli import import_
from spx_assets.lake.connection import Lake
from spx_assets.settings import load
from spx_assets.sources import feeds
from spx_assets.sources.errors import FeedBoundError
from spx_assets_tests.integration.sources.provider import TOKEN, Provider
from spx_assets_tests.integration.sources.test_dukascopy import put
from spx_assets_tests.integration.sources.test_feeds import candle_file

MONDAY = datetime(2019, 1, 7, tzinfo=UTC)


def run(*arguments: str, heard: str = "") -> str:
    result = CliRunner().invoke(import_.app, ["candles", *arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    assert heard in result.stderr
    return result.stdout


def test_a_file_is_imported_and_reported_as_tsv(tmp_path: Path) -> None:
    path = candle_file(tmp_path, "a.csv")
    said = run(str(path), "--instrument", "SPX500_USD", heard=f"import a.csv: {path.stat().st_size} bytes read\n")
    header, row = (line.split("\t") for line in said.splitlines())
    assert header == ["instrument", "provider", "source", "rows", "candles", "quarantined", "first", "last"]
    assert row == ["SPX500_USD", "files", "a.csv", "60", "60", "", "2024-01-08 15:00", "2024-01-08 15:59"]


def test_replace_is_needed_over_the_simulator_and_leftovers_are_named(tmp_path: Path) -> None:
    feeds.bind_simulator(Lake.open(load()), "SPX500_USD")
    path = str(candle_file(tmp_path, "a.csv"))
    with pytest.raises(FeedBoundError):
        run(path, "--instrument", "SPX500_USD")
    assert "SPX500_USD\tfiles" in run(path, "--instrument", "SPX500_USD", "--replace")


def test_history_is_downloaded_with_a_provider(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    put(provider, "USA500IDXUSD", MONDAY.date(), 2_550_000)
    monkeypatch.setenv("SPX_DUKASCOPY__URL", f"{provider.url}/feed")
    arguments = ("--provider", "dukascopy", "--instrument", "SPX500_USD", "--from", "2019-01-07", "--to", "2019-01-08")
    said = run(*arguments, heard="download SPX500_USD: 1440 minutes asked for\n")
    assert "SPX500_USD\tdukascopy\tUSA500IDXUSD_20190107T0000_20190108T0000.parquet\t1440\t1440\t" in said
    assert run(*arguments).count("\n") == 1
    assert feeds.clocks(Lake.open(load())) == {"SPX500_USD": MONDAY + timedelta(days=1)}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "give a PATH to import, or --provider"),
        (("a.csv", "--provider", "oanda"), "not both"),
        (("--provider", "reuters", "--instrument", "X", "--from", "2019-01-07"), "use oanda or dukascopy"),
        (("--provider", "oanda", "--from", "2019-01-07"), "needs --instrument and --from"),
        (("a.csv", "--stamp", "middle"), "use start or end"),
        (("a.csv", "--from", "2019-01-07"), "--from, --to, --symbol and --scale are for --provider"),
        (("a.csv", "--scale", "1000"), "are for --provider"),
        (("--provider", "oanda", "--instrument", "X", "--from", "2019-01-07", "--tz", "EST"), "--tz and --stamp are for files"),
    ],
)
def test_options_that_do_not_go_together_are_refused(arguments: tuple[str, ...], says: str) -> None:
    with pytest.raises(import_.ImportUsageError, match=says):
        run(*arguments)


def test_the_token_is_read_from_the_environment(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    side = dict.fromkeys("ohlc", "1.1")
    provider.candles["EUR_USD"] = [
        {"complete": True, "volume": 1, "time": f"2019-01-07T12:{i:02d}:00.000000000Z", "bid": side, "mid": side, "ask": side}
        for i in range(5)
    ]
    monkeypatch.setenv("SPX_OANDA__URL", provider.url)
    monkeypatch.setenv("SPX_OANDA__TOKEN", TOKEN)
    said = run("--provider", "oanda", "--instrument", "EUR_USD", "--from", "2019-01-07", "--to", "2019-01-08")
    assert "EUR_USD\toanda" in said
    assert TOKEN not in said
