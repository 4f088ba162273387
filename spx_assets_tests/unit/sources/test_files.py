"""Files of every kind to the same rows, and every way a file can be wrong."""

import gzip
import json
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from spx_assets.sources import files
from spx_assets.sources.errors import ColumnsError, FileUnreadableError, InstrumentError, NotMinuteBarsError, TimeZoneError

NOW = datetime(2026, 1, 1, tzinfo=UTC)
FIRST = datetime(2018, 1, 2, 14, 30, tzinfo=UTC)
MID = [(10.0, 12.0, 9.0, 11.0), (11.0, 11.5, 10.5, 11.25), (11.25, 13.0, 11.0, 12.5)]
CSV = "ts,open,high,low,close,volume\n" + "".join(
    f"2018-01-02T14:{30 + i}:00Z,{o},{h},{low},{c},{i}\n" for i, (o, h, low, c) in enumerate(MID)
)


def read(path: Path, **options: object) -> files.Bars:
    (bars,) = files.read(path, name=path.name, now=NOW, **options)  # type: ignore[arg-type]
    return bars


def written(folder: Path, name: str, text: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def assert_mid(bars: files.Bars) -> None:
    assert bars.rows["ts"].to_list() == [FIRST + timedelta(minutes=i) for i in range(3)]
    assert bars.rows.select("open", "high", "low", "close").rows() == MID
    assert bars.refused == {}


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


def candle(minute: int, bid: tuple[float, ...], ask: tuple[float, ...], *, complete: bool = True) -> dict[str, object]:
    sides = {name: dict(zip("ohlc", map(str, side), strict=True)) for name, side in (("bid", bid), ("ask", ask))}
    return {"complete": complete, "volume": 3, "time": f"2018-01-02T14:{minute}:00.000000000Z", **sides}


OANDA = [
    candle(30, (9.5, 11.5, 8.5, 10.5), (10.5, 12.5, 9.5, 11.5)),
    candle(31, (10.5, 11.0, 10.0, 10.75), (11.5, 12.0, 11.0, 11.75)),
    candle(32, (10.75, 12.5, 10.5, 12.0), (11.75, 13.5, 11.5, 13.0)),
]


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


def test_a_line_that_is_not_json_is_refused_with_its_text(tmp_path: Path) -> None:
    lines = [json.dumps(OANDA[0]), '{"time": "2018-01', json.dumps(OANDA[1])]
    bars = read(written(tmp_path, "a.ndjson", "\n".join(lines)), instrument="X")
    assert bars.refused == {"unreadable_time": 1}
    assert bars.rows["raw"].to_list() == [None, '{"text": "{\\"time\\": \\"2018-01"}', None]


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


def test_refused_rows_keep_their_cells_and_their_line(tmp_path: Path) -> None:
    bars = read(written(tmp_path, "a.csv", CSV + "2018-01-02T14:33:00Z,1,0.5,2,1,x\n"), instrument="X")
    bad = bars.rows.filter(pl.col("reason").is_not_null()).row(0, named=True)
    assert (bad["line"], bad["reason"]) == (3, "not_a_number")
    assert json.loads(bad["raw"]) == {
        "ts": "2018-01-02T14:33:00Z",
        "open": "1",
        "high": "0.5",
        "low": "2",
        "close": "1",
        "volume": "x",
    }


TWO = CSV.replace("ts,", "symbol,ts,").replace("\n2018", "\nA,2018") + CSV.split("\n", 1)[1].replace("2018", "B,2018").replace(
    ",B,", ","
)


def test_a_file_of_two_instruments_gives_both_or_the_one_named(tmp_path: Path) -> None:
    path = written(tmp_path, "two.csv", TWO)
    assert [bars.instrument for bars in files.read(path, name="two.csv", now=NOW)] == ["A", "B"]
    assert_mid(read(path, instrument="B"))
    with pytest.raises(InstrumentError, match=r"two\.csv holds A, B, not C; name one of them, or none to import all"):
        read(path, instrument="C")


SCATTERED = """symbol,ts,open,high,low,close
,2018-01-02T14:29:00Z,1,1,1,1
A,2018-01-02T14:30:00Z,10,12,9,11
B,2018-01-02T14:30:00Z,10,12,9,11
,2018-01-02T14:31:00Z,11,11.5,10.5,11.25
B,2018-01-02T14:31:00Z,11,11.5,10.5,11.25
A,2018-01-02T14:31:00Z,11,11.5,10.5,11.25
 ,2018-01-02T14:32:00Z,x,13,11,12.5
A,2018-01-02T14:32:00Z,11.25,13,11,12.5
B,2018-01-02T14:32:00Z,11.25,13,11,12.5
"""


def test_a_row_that_names_none_of_several_instruments_is_nobodys_candle(tmp_path: Path) -> None:
    path = written(tmp_path, "two.csv", SCATTERED)
    found = {bars.instrument: bars for bars in files.read(path, name="two.csv", now=NOW)}
    assert {name: (bars.candles, bars.refused) for name, bars in found.items()} == {
        "A": (3, {"no_instrument": 2}),
        "B": (3, {"no_instrument": 1}),
    }
    assert found["A"].rows.select("line", "reason").rows() == [
        *((0, "no_instrument"), (1, None), (5, None), (6, "no_instrument"), (7, None)),
    ]
    bad = found["B"].rows.filter(pl.col("reason").is_not_null()).row(0, named=True)
    assert (bad["line"], bad["ts"], bad["close"]) == (3, FIRST + timedelta(minutes=1), 11.25)
    assert '"ts": "2018-01-02T14:31:00Z"' in bad["raw"]
    assert read(path, instrument="B").refused == {"no_instrument": 1}


def test_a_row_without_a_symbol_belongs_to_the_only_instrument_of_its_file(tmp_path: Path) -> None:
    text = CSV.replace("ts,", "symbol,ts,").replace("\n2018", "\nX,2018").replace("X,2018-01-02T14:31", ",2018-01-02T14:31")
    assert_mid(read(written(tmp_path, "one.csv", text)))


def test_the_instrument_flag_renames_the_only_symbol_of_a_file(tmp_path: Path) -> None:
    path = written(tmp_path, "one.csv", CSV.replace("ts,", "symbol,ts,").replace("\n2018", "\nSPXUSD,2018"))
    assert read(path).instrument == "SPXUSD"
    assert read(path, instrument="SPX500_USD").instrument == "SPX500_USD"


@pytest.mark.parametrize(
    ("name", "content", "options", "error", "says"),
    [
        ("a.csv", CSV, {}, InstrumentError, "does not name its instrument; say which with --instrument"),
        ("a.csv", CSV, {"instrument": "no such thing"}, InstrumentError, "is no instrument name"),
        ("a.csv", CSV.replace("Z,", ","), {"instrument": "X"}, TimeZoneError, "carry no time zone; say which with --tz"),
        ("a.csv", CSV.replace("close", "last"), {"instrument": "X"}, ColumnsError, "no open, high, low and close among"),
        ("a.csv", CSV.replace("ts,", "when,"), {"instrument": "X"}, ColumnsError, "no time column among"),
        ("a.csv", CSV.replace(".", "p"), {"instrument": "X"}, ColumnsError, "no cell of open is a number"),
        ("a.csv", CSV.replace("2018-", "18/"), {"instrument": "X"}, ColumnsError, "no time stamp could be read"),
        ("a.csv", "", {"instrument": "X"}, FileUnreadableError, "cannot be read"),
        ("a.csv", "ts,open,high,low,close\n", {"instrument": "X"}, FileUnreadableError, "holds no rows"),
        ("a.csv", b"\0\1\2\3", {"instrument": "X"}, FileUnreadableError, "is not text"),
        ("a.parquet", b"not parquet at all", {"instrument": "X"}, FileUnreadableError, "cannot be read"),
        ("a.zip", b"PK\3\4 broken", {"instrument": "X"}, FileUnreadableError, "cannot be read"),
        ("a.csv.gz", b"\x1f\x8b broken", {"instrument": "X"}, FileUnreadableError, "cannot be read"),
        ("a.xlsx", b"anything", {"instrument": "X"}, FileUnreadableError, r"unknown kind '\.xlsx'; import \.parquet"),
        (
            "a.csv",
            CSV.replace("2018-", "2031-"),
            {"instrument": "X"},
            NotMinuteBarsError,
            r"none of its 3 rows is a candle \(3 in_the",
        ),
        (
            "h1.ndjson",
            json.dumps({"instrument": "X", "granularity": "H1", "candles": OANDA}),
            {},
            NotMinuteBarsError,
            "holds H1 candles",
        ),
        (
            "h1.csv",
            "ts,open,high,low,close\n" + "".join(f"2018-01-02T{h:02d}:00:00Z,1,1,1,1\n" for h in range(20)),
            {"instrument": "X"},
            NotMinuteBarsError,
            "its bars are 60 minutes apart",
        ),
    ],
)
def test_a_file_that_cannot_be_used_says_what_to_do(
    tmp_path: Path, name: str, content: str | bytes, options: dict[str, str], error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        read(written(tmp_path, name, content), **options)


def test_a_file_read_in_the_wrong_zone_is_refused(tmp_path: Path, shared_data: Path) -> None:
    true = pl.read_parquet(shared_data / "candles" / "spx500usd_m1_2018_2019h1.parquet").head(60_000)
    local = true.with_columns(pl.col("ts").dt.convert_time_zone("America/New_York").dt.replace_time_zone(None))
    local.write_csv(tmp_path / "local.csv")
    with pytest.raises(TimeZoneError, match=r"rows fall into the weekend .* when read in UTC; say with --tz"):
        read(tmp_path / "local.csv", tz="UTC")
    bars = read(tmp_path / "local.csv", tz="America/New_York")
    assert bars.rows["ts"].equals(true["ts"])
    assert (bars.candles, bars.refused) == (60_000, {})


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
