"""Rows that break their contract are named and never become public."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from spx_assets.lake import Chunk, Lake, contract
from spx_assets.lake.errors import ContractError
from spx_assets.lake.tables import CANDLES, Column, Table
from spx_assets_tests import lakes
from spx_assets_tests.unit.lake.rows import lake_at

WEEK = lakes.WEEKS[0]
ROWS = lakes.candles([WEEK], bars=10)
CLOCKS = {"SPX500_USD": datetime(2019, 1, 6, 22, 10, tzinfo=UTC)}
AT_3 = pl.col("ts") == datetime(2019, 1, 6, 22, 3, tzinfo=UTC)


def _with(name: str, value: object) -> pl.DataFrame:
    return ROWS.with_columns(pl.when(AT_3).then(pl.lit(value, dtype=ROWS.schema[name])).otherwise(pl.col(name)).alias(name))


BROKEN = {
    "a column is missing": (ROWS.drop("spread"), r"column\(s\) missing: spread"),
    "a column is not in the contract": (ROWS.with_columns(extra=pl.lit(1)), "not in the contract: extra"),
    "a column has another type": (
        ROWS.with_columns(pl.col("volume").cast(pl.Float32)),
        r"volume is Float32, the contract says Float64",
    ),
    "a time is in another zone": (
        ROWS.with_columns(pl.col("known_at").dt.convert_time_zone("Europe/Berlin")),
        "known_at is Datetime",
    ),
    "a required value is null": (_with("close", None), r"close is null in 1 row\(s\), the first at .*22:03:00.*must be known"),
    "a price is negative": (_with("low", -0.01), r"low = -0.01 at .*22:03:00"),
    "a price is NaN": (_with("high", float("nan")), "high = nan .* not finite"),
    "a price is infinite": (_with("high", float("inf")), "high = inf .* not finite"),
    "a nullable value is NaN": (_with("spread", float("nan")), "spread = nan"),
    "a key comes twice": (
        pl.concat([ROWS, ROWS[3:4]]),
        "2 rows share a key, the first instrument=SPX500_USD, ts=2019-01-06 22:03",
    ),
    "a row ends after the feed's clock": (
        lakes.candles([WEEK], bars=11),
        "at 2019-01-06 22:10.* after its feed's clock 2019-01-06 22:10",
    ),
    "an instrument has no feed": (lakes.candles([WEEK], bars=5, instruments=["EUR_USD"]), "EUR_USD is bound to no feed"),
    "a row lies outside the weeks": (
        ROWS.with_columns(pl.when(AT_3).then(pl.col("ts") - timedelta(days=7)).otherwise(pl.col("ts")).alias("ts")),
        r"1 row\(s\) lie outside the weeks being replaced, the first at 2018-12-30",
    ),
}


@pytest.fixture(scope="module")
def four_bars(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """A lake that holds four bars; every refused chunk has to leave it at its snapshot."""
    lake = lake_at(tmp_path_factory.mktemp("home"))
    lakes.replace(lake, [WEEK], bars=4)
    return lake


@pytest.mark.parametrize("name", BROKEN)
def test_a_chunk_is_refused_and_nothing_of_it_is_public_when(name: str, four_bars: Lake) -> None:
    frame, message = BROKEN[name]
    lake, before = four_bars, four_bars.snapshot()
    with pytest.raises(ContractError, match=message):
        lake.replace(
            "bronze.candles",
            Chunk((WEEK,), frame),
            asset="bronze/candles",
            run_id="bad",
            read_snapshot=0,
            inputs_hashes={WEEK: "x"},
            clocks=CLOCKS,
        )
    assert lake.read("bronze.candles").equals(lakes.candles([WEEK], bars=4))
    assert lake.sql("SELECT run_id FROM bronze.candles_partitions")["run_id"].to_list() == ["test"]
    assert lake.snapshot() == before
    assert len(list((lake.settings.home / "lake" / "data").rglob("*.parquet"))) == 1


def test_broken_rows_of_a_table_beside_keep_the_main_rows_out_too(tmp_path: Path) -> None:
    lake = lake_at(tmp_path)
    bad = pl.DataFrame(
        {"instrument": ["A"], "ts": [ROWS["ts"][0]], "line": [1], "reason": [None], "raw": ["{}"], "source": ["f"]},
        schema_overrides={"reason": pl.String},
    )
    with pytest.raises(ContractError, match=r"bronze\.quarantine\.reason is null"):
        lake.replace(
            "bronze.candles",
            Chunk((WEEK,), ROWS, beside={"bronze.quarantine": bad}),
            asset="bronze/candles",
            run_id="bad",
            read_snapshot=0,
            inputs_hashes={WEEK: "x"},
        )
    assert lake.read("bronze.candles").is_empty()
    assert lake.read("bronze.quarantine").is_empty()


def test_rows_up_to_the_clock_and_columns_in_any_order_pass() -> None:
    contract.check(CANDLES, ROWS.select(sorted(ROWS.columns)), clocks=CLOCKS)


def test_a_float32_at_the_limit_of_its_range_passes_and_the_next_float_does_not() -> None:
    table = Table("gold.t", "", (Column("k", "BIGINT", ""), Column("x", "FLOAT", "", low=0.1, high=0.7)), key=("k",), time=None)

    def frame(x: np.float32) -> pl.DataFrame:
        return pl.DataFrame({"k": [1], "x": pl.Series([x], dtype=pl.Float32)})

    for limit, beyond in ((np.float32(0.1), -1), (np.float32(0.7), 1)):
        contract.check(table, frame(limit))
        with pytest.raises(ContractError, match=r"gold\.t\.x"):
            contract.check(table, frame(np.nextafter(np.nextafter(limit, np.float32(beyond)), np.float32(beyond))))
