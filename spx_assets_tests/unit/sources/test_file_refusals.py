"""Every way a file can be wrong: whole files are refused with what to do, single rows with their reason and their text."""

import json
from pathlib import Path

import polars as pl
import pytest

from spx_assets.sources.errors import ColumnsError, FileUnreadableError, InstrumentError, NotMinuteBarsError, TimeZoneError
from spx_assets_tests.unit.sources.candle_files import CSV, OANDA, read, written


def test_a_line_that_is_not_json_is_refused_with_its_text(tmp_path: Path) -> None:
    lines = [json.dumps(OANDA[0]), '{"time": "2018-01', json.dumps(OANDA[1])]
    bars = read(written(tmp_path, "a.ndjson", "\n".join(lines)), instrument="X")
    assert bars.refused == {"unreadable_time": 1}
    assert bars.rows["raw"].to_list() == [None, '{"text": "{\\"time\\": \\"2018-01"}', None]


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


@pytest.mark.parametrize("mark", [",", ";"])
def test_a_row_with_more_cells_than_columns_is_refused_with_them(tmp_path: Path, mark: str) -> None:
    head, first, second, third = CSV.replace("ts,", "pair,ts,").replace("2018-", "X,2018-").splitlines()
    lines = [head, f"{first},", second, third.replace("X", "X,Y")]
    bars = read(written(tmp_path, "a.csv", "\r\n".join(lines).replace(",", mark)))
    assert (bars.instrument, bars.candles, bars.refused) == ("X", 2, {"too_many_cells": 1})
    assert json.loads(bars.rows["raw"][2])["more cells than columns"] == "2"


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
        ("a.csv", "", {"instrument": "X"}, FileUnreadableError, "holds no rows"),
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
