"""Which instrument a file's rows are of: named in the file, by its name or by the caller, or nobody's."""

from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from spx_assets.sources import files
from spx_assets.sources.errors import InstrumentError
from spx_assets_tests.unit.sources.candle_files import CSV, FIRST, NOW, assert_mid, read, written

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
