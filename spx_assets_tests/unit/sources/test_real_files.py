"""Real candles of four providers: what each file holds, and what of it is refused."""

from pathlib import Path

import polars as pl
import pytest

from spx_assets.sources import files
from spx_assets.sources.errors import TimeZoneError
from spx_assets_tests.unit.sources.candle_files import NOW, read


@pytest.mark.parametrize(("zone", "at"), [("America/New_York", 0), ("Europe/London", 180_000)])
def test_a_file_read_in_the_wrong_zone_is_refused(tmp_path: Path, shared_data: Path, zone: str, at: int) -> None:
    true = pl.read_parquet(shared_data / "candles" / "spx500usd_m1_2018_2019h1.parquet").slice(at, 20_000)
    local = true.with_columns(pl.col("ts").dt.convert_time_zone(zone).dt.replace_time_zone(None))
    local.write_csv(tmp_path / "local.csv")
    with pytest.raises(TimeZoneError, match=r"rows fall into the weekend .* when read in UTC; say with --tz"):
        read(tmp_path / "local.csv", tz="UTC")
    bars = read(tmp_path / "local.csv", tz=zone)
    assert bars.rows["ts"].equals(true["ts"])
    assert (bars.candles, bars.refused) == (20_000, {})


def test_real_candles_of_fxcm_lose_their_negative_spreads(shared_data: Path) -> None:
    path = shared_data / "candles" / "fxcm_m1_bidask_2012_2013.parquet"
    found = {bars.instrument: (bars.candles, bars.refused) for bars in files.read(path, name=path.name, now=NOW)}
    assert found == {"GBPUSD": (29770, {"negative_spread": 347}), "USDJPY": (28078, {"negative_spread": 683})}


def test_real_candles_of_oanda_as_json_and_as_parquet_are_the_same(shared_data: Path) -> None:
    answer = read(shared_data / "api_samples" / "oanda" / "candles_EUR_USD_M1_MBA_2025-09-25.json")
    table = read(shared_data / "candles" / "oanda_m1_mba_eurusd_usdsgd_2025_09.parquet", instrument="EUR_USD")
    assert answer.instrument == "EUR_USD"
    assert answer.candles == 2000
    assert answer.rows.drop("line", "raw").equals(table.rows.drop("line", "raw"))


@pytest.mark.parametrize("name", ["spx500usd_m1_2018_2019h1", "nas100usd_m1_2018_2019h1", "spy_m1_2024"])
def test_real_candles_are_all_candles(shared_data: Path, name: str) -> None:
    path = shared_data / "candles" / f"{name}.parquet"
    bars = read(path)
    assert bars.candles == pl.scan_parquet(path).select(pl.len()).collect().item()
