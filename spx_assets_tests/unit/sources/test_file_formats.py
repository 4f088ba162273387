"""Files of every kind give the same rows."""

import gzip
import json
import re
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from spx_assets_tests.unit.sources.candle_files import CSV, FIRST, MID, OANDA, assert_mid, candle, read, written


def test_csv(tmp_path: Path) -> None:
    bars = read(written(tmp_path, "a.csv", CSV), instrument="X")
    assert_mid(bars)
    assert bars.rows["volume"].to_list() == [0.0, 1.0, 2.0]
    assert bars.rows["spread"].null_count() == 3


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_csv_with_other_separators(tmp_path: Path, separator: str) -> None:
    assert_mid(read(written(tmp_path, "a.txt", CSV.replace(",", separator)), instrument="X"))


def test_csv_with_date_and_time_apart_a_bom_and_crlf(tmp_path: Path) -> None:
    text = "\ufeff<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<TICKVOL>\r\n" + "".join(
        f"2018.01.02,14:{30 + i}:00,{o},{h},{low},{c},7\r\n" for i, (o, h, low, c) in enumerate(MID)
    )
    bars = read(written(tmp_path, "a.csv", text), instrument="X", tz="UTC")
    assert_mid(bars)
    assert bars.rows["volume"].to_list() == [7.0, 7.0, 7.0]


@pytest.mark.parametrize(("real", "volume"), [(0, 7.0), (3, 3.0)])
def test_metatraders_spread_in_points_is_unknown_and_its_ticks_are_the_volume_where_there_is_no_other(
    tmp_path: Path, real: int, volume: float
) -> None:
    text = "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>\r\n" + "".join(
        f"2018.01.02\t14:{30 + i}:00\t{o}\t{h}\t{low}\t{c}\t7\t{real}\t12\r\n" for i, (o, h, low, c) in enumerate(MID)
    )
    bars = read(written(tmp_path, "a.csv", text), instrument="X", tz="UTC")
    assert_mid(bars)
    assert bars.rows["volume"].to_list() == [volume] * 3
    assert bars.rows["spread"].null_count() == 3


@pytest.mark.parametrize(("spread", "kept"), [("0.25", 0.25), ("0", 0.0), ("12.5", None)])
def test_a_spread_is_kept_unless_it_is_too_wide_for_a_price(tmp_path: Path, spread: str, kept: float | None) -> None:
    text = re.sub(r",\d$", f",{spread}", CSV.replace("volume", "spread"), flags=re.MULTILINE)
    assert read(written(tmp_path, "a.csv", text), instrument="X").rows["spread"].to_list() == [kept] * 3


def test_csv_stamped_at_the_end_of_the_bar_in_new_york(tmp_path: Path) -> None:
    text = "time,open,high,low,close\n" + "".join(
        f"2018-01-02 09:{31 + i},{o},{h},{low},{c}\n" for i, (o, h, low, c) in enumerate(MID)
    )
    assert_mid(read(written(tmp_path, "a.csv", text), instrument="X", tz="America/New_York", stamp="end"))


def test_csv_newest_first_is_read_backwards(tmp_path: Path) -> None:
    head, *lines = CSV.splitlines()
    bars = read(written(tmp_path, "a.csv", "\n".join([head, *reversed(lines)])), instrument="X")
    assert bars.rows["ts"].to_list() == [FIRST + timedelta(minutes=i) for i in range(3)]
    assert bars.rows["line"].to_list() == [2, 1, 0]


def test_gzipped_csv(tmp_path: Path) -> None:
    assert_mid(read(written(tmp_path, "a.csv.gz", gzip.compress(CSV.encode())), instrument="X"))


def test_parquet_with_the_platforms_own_columns(tmp_path: Path) -> None:
    table = pl.DataFrame(
        {
            "instrument": ["SPX500_USD"] * 3,
            "ts": [FIRST + timedelta(minutes=i) for i in range(3)],
            **{name: [bar[i] for bar in MID] for i, name in enumerate(("open", "high", "low", "close"))},
            "bid_close": [10.9, 11.15, 12.4],
            "ask_close": [11.1, 11.35, 12.6],
        }
    )
    table.write_parquet(tmp_path / "a.parquet")
    bars = read(tmp_path / "a.parquet")
    assert_mid(bars)
    assert bars.instrument == "SPX500_USD"
    assert bars.rows["bid_close"].to_list() == [10.9, 11.15, 12.4]


def test_bid_and_ask_make_the_mid(tmp_path: Path) -> None:
    text = "Timestamp,BidOpen,BidHigh,BidLow,BidClose,AskOpen,AskHigh,AskLow,AskClose\n"
    text += "2018-01-02 14:30:00Z,10,12,9,11,10.5,12.5,9.5,11.5\n2018-01-02 14:31:00Z,11,11,11,11,12,12,12,12\n"
    rows = read(written(tmp_path, "a.csv", text), instrument="X").rows
    assert rows.select("open", "high", "low", "close", "bid_close", "ask_close").row(0) == (10.25, 12.25, 9.25, 11.25, 11.0, 11.5)


def test_bid_alone_is_the_price_and_the_spread_is_unknown(tmp_path: Path) -> None:
    text = "time,bid_o,bid_h,bid_l,bid_c\n2018-01-02 14:30:00Z,10,12,9,11\n2018-01-02 14:31:00Z,10,12,9,11\n"
    rows = read(written(tmp_path, "a.csv", text), instrument="X").rows
    assert rows.select("close", "bid_close", "ask_close", "spread").row(0) == (11.0, None, None, None)


@pytest.mark.parametrize("shape", ["lines", "answer", "list"])
def test_json_in_the_shape_of_v20(tmp_path: Path, shape: str) -> None:
    text = {
        "lines": "\n".join(json.dumps(c) for c in OANDA),
        "answer": json.dumps({"instrument": "X", "granularity": "M1", "candles": OANDA}),
        "list": json.dumps(OANDA),
    }[shape]
    bars = read(written(tmp_path, "a.ndjson", text), instrument="X")
    assert_mid(bars)
    assert bars.rows["ask_close"].to_list() == [11.5, 11.75, 13.0]
    assert bars.rows["volume"].to_list() == [3.0, 3.0, 3.0]


def test_an_incomplete_candle_is_left_out(tmp_path: Path) -> None:
    lines = [*OANDA, candle(33, (10.0,) * 4, (11.0,) * 4, complete=False)]
    assert_mid(read(written(tmp_path, "a.ndjson", "\n".join(map(json.dumps, lines))), instrument="X"))


HISTDATA = "".join(f"20180702 18{i:02d}00;{o};{h};{low};{c};0\n" for i, (o, h, low, c) in enumerate(MID))


def test_histdata_ascii_is_in_eastern_standard_time_all_year(tmp_path: Path) -> None:
    bars = read(written(tmp_path, "DAT_ASCII_SPXUSD_M1_201807.csv", HISTDATA))
    assert bars.instrument == "SPXUSD"
    assert bars.rows["ts"].to_list() == [datetime(2018, 7, 2, 23, i, tzinfo=UTC) for i in range(3)]
    assert bars.rows.select("open", "high", "low", "close").rows() == MID


def test_histdata_zip(tmp_path: Path) -> None:
    path = tmp_path / "HISTDATA_COM_ASCII_SPXUSD_M1201807.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("DAT_ASCII_SPXUSD_M1_201807.csv", HISTDATA)
        archive.writestr("DAT_ASCII_SPXUSD_M1_201807.txt", "HistData.com status report")
    bars = read(path, instrument="SPX500_USD")
    assert bars.instrument == "SPX500_USD"
    assert bars.rows["ts"][0] == datetime(2018, 7, 2, 23, 0, tzinfo=UTC)


def test_the_tz_flag_overrides_the_zone_of_the_format(tmp_path: Path) -> None:
    bars = read(written(tmp_path, "DAT_ASCII_SPXUSD_M1_201807.csv", HISTDATA), tz="America/New_York")
    assert bars.rows["ts"][0] == datetime(2018, 7, 2, 22, 0, tzinfo=UTC)
