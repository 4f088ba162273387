"""Reads: at a snapshot, projected, filtered, in key order, the same through either reader."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from spx_assets import calendar
from spx_assets.lake import Chunk, Lake, Window, inlined, reading
from spx_assets.lake.errors import LakeError, LakeMissingError, SnapshotError
from spx_assets.lake.location import Location
from spx_assets.lake.tables import CANDLES, DAILY_BARS
from spx_assets.settings import Settings
from spx_assets_tests import lakes

BOTH = ("EUR_USD", "SPX500_USD")
W1, W2, W3 = lakes.WEEKS[:3]


def through_duckdb(lake: Lake) -> pl.DataFrame:
    return reading.through_duckdb(lake, CANDLES, lake.snapshot(), list(CANDLES.schema())).sort(CANDLES.key)


def test_what_was_written_is_read_to_the_bit_by_polars_and_by_duckdb(lake: Lake) -> None:
    rows = lakes.candles([W1, W2, W3], instruments=BOTH).sort(CANDLES.key)
    lakes.replace(lake, [W1, W2, W3], instruments=BOTH)
    assert lake.read("bronze.candles").equals(rows)
    assert through_duckdb(lake).equals(rows)
    # One week of a file of three is replaced: its other weeks are now read around deleted rows.
    lakes.replace(lake, [W2], instruments=BOTH, level=7.0)
    changed = lakes.candles([W2], instruments=BOTH, level=7.0)
    expected = pl.concat([rows.filter(pl.col("ts").is_in(changed["ts"].implode()).not_()), changed]).sort(CANDLES.key)
    assert lake.read("bronze.candles").equals(expected)
    assert through_duckdb(lake).equals(expected)


def daily(days: int, close: list[float]) -> pl.DataFrame:
    """Daily bars of one instrument, a table that stays in the catalog while it is small."""
    first = datetime(2019, 1, 6, 22, tzinfo=UTC)
    ts = [first + timedelta(days=n) for n in range(days)]
    prices = dict.fromkeys(("open", "high", "low", "close", "volume"), close)
    rows = {"instrument": ['it\'s "é"'] * days, "ts": ts, "trading_day": [(at + timedelta(hours=2)).date() for at in ts]}
    return pl.DataFrame({**rows, **prices, "bars": range(1, days + 1), "last_ts": ts}, schema=DAILY_BARS.schema())


def test_rows_that_live_in_the_catalog_are_read_to_the_bit_at_every_snapshot(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    written = [daily(4, [0.1, 1e-300, 5e-324, 123456789012345680.0]), daily(3, [1 / 3, 2 / 3, 1.7976931348623157e308])]
    snapshots = [lake.write(upsert={DAILY_BARS: rows}) for rows in written]
    snapshots.append(lake.write(delete={DAILY_BARS: {"bars": 2}}))
    expected = [written[0], pl.concat([written[1], written[0].tail(1)])]
    expected.append(expected[1].filter(pl.col("bars") != 2))
    start, end = expected[0]["ts"][1], expected[0]["ts"][3]
    for snapshot, rows in zip(snapshots, expected, strict=True):
        assert lake.read(DAILY_BARS, snapshot=snapshot).equals(rows)
        inside = lake.read(DAILY_BARS, snapshot=snapshot, start=start, end=end, columns=["close", "trading_day"])
        assert inside.equals(rows.filter(pl.col("ts").is_between(start, end, closed="left")).select("close", "trading_day"))
        assert lake.read(DAILY_BARS, snapshot=snapshot, instruments=["other"], columns=["bars"]).is_empty()
        assert reading.through_duckdb(lake, DAILY_BARS, snapshot, list(DAILY_BARS.schema())).sort(DAILY_BARS.key).equals(rows)
    monkeypatch.setattr(inlined, "MANY", 1)
    assert lake.read(DAILY_BARS, snapshot=snapshots[0]).equals(expected[0])


def test_a_read_takes_a_window_some_columns_and_some_instruments_in_key_order(lake: Lake) -> None:
    lakes.replace(lake, [W2], instruments=BOTH)
    lakes.replace(lake, [W1], instruments=BOTH)
    start, end = datetime(2019, 1, 6, 23, 59, tzinfo=UTC), datetime(2019, 1, 13, 22, 1, tzinfo=UTC)
    found = lake.read("bronze.candles", start=start, end=end, columns=["close", "ts"], instruments=["SPX500_USD"])
    assert found.columns == ["close", "ts"]
    assert found["ts"].to_list() == [datetime(2019, 1, 6, 23, 59, tzinfo=UTC), datetime(2019, 1, 13, 22, 0, tzinfo=UTC)]
    assert found["close"].to_list() == [2500.0 + 119 * 0.25, 2500.0]
    whole = lake.read("bronze.candles", start=start, end=end)
    assert whole["instrument"].to_list() == ["EUR_USD", "EUR_USD", "SPX500_USD", "SPX500_USD"]
    assert whole.schema == pl.Schema(CANDLES.schema())
    pandas = lake.read("bronze.candles", start=start, end=end, as_pandas=True)
    assert pandas["close"].tolist() == whole["close"].to_list()
    with pytest.raises(ValueError, match=r"bronze\.candles has no column vwap"):
        lake.read("bronze.candles", columns=["vwap"])


def test_a_reader_at_a_snapshot_is_unaffected_by_a_replacement(lake: Lake) -> None:
    lakes.replace(lake, [W1], level=1.0)
    before = lake.snapshot()
    lakes.replace(lake, [W1], level=2.0)
    start, end = calendar.week_window(W1)
    window = Window(lake=lake, table=CANDLES, start=start, end=end, weeks=(W1,), snapshot=before)
    assert window.read()["close"][0] == 1.0
    assert lake.read("bronze.candles")["close"][0] == 2.0
    with pytest.raises(ValueError, match="outside the window"):
        window.read(end=end + timedelta(minutes=1))


def test_a_table_never_written_and_a_time_before_it_was_are_empty(lake: Lake) -> None:
    assert lake.read("gold.labels").schema == pl.Schema(lake.read("gold.labels").schema)
    assert lake.read("gold.labels").is_empty()
    assert lake.count("gold.labels") == 0
    start = lake.snapshot()
    lakes.replace(lake, [W1])
    assert lake.read("bronze.candles", snapshot=start).is_empty()
    assert lake.read("bronze.candles", end=datetime(2019, 1, 1, tzinfo=UTC)).is_empty()


def test_a_snapshot_that_does_not_exist_is_a_typed_error(lake: Lake) -> None:
    with pytest.raises(SnapshotError, match="snapshot 999 is not in the lake"):
        lake.read("bronze.candles", snapshot=999)


def test_a_read_only_lake_sees_commits_made_after_it_was_opened_and_cannot_write(lake: Lake) -> None:
    lakes.replace(lake, [W1], level=1.0)
    reader = Lake.open(lake.settings, read_only=True)
    assert reader.read("bronze.candles")["close"][0] == 1.0
    lakes.replace(lake, [W1], level=2.0)
    assert reader.read("bronze.candles")["close"][0] == 2.0
    with pytest.raises(Exception, match="read-only"):
        reader.sql("DELETE FROM bronze.candles")


def test_opening_a_lake_that_was_never_made_for_reading_is_a_typed_error(any_settings: Settings) -> None:
    with pytest.raises(LakeMissingError, match="no lake at"):
        Lake.open(any_settings, read_only=True)


def test_a_catalog_whose_server_does_not_answer_is_a_typed_error_without_its_password(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, lake={"catalog": "postgresql://spx:secret@127.0.0.1:1/nothing"})
    with pytest.raises(LakeError, match=r"127\.0\.0\.1") as caught:
        Lake.open(settings)
    assert "secret" not in str(caught.value)
    assert Location.of(settings).name == "postgresql://127.0.0.1:1/nothing"


def test_a_home_that_was_moved_keeps_its_lake(tmp_path: Path) -> None:
    lake = Lake.open(Settings(home=tmp_path / "here"))
    lakes.replace(lake, [W1], level=5.0)
    lake.close()
    (tmp_path / "here").rename(tmp_path / "there")
    moved = Lake.open(Settings(home=tmp_path / "there"))
    assert moved.read("bronze.candles")["close"][0] == 5.0
    assert moved.sql("SELECT first(close ORDER BY ts) FROM bronze.candles").item() == 5.0


def test_a_week_without_rows_replaces_a_week_with_rows(lake: Lake) -> None:
    lakes.replace(lake, [W1, W2])
    record = lake.replace(
        "bronze.candles",
        Chunk((W1,), CANDLES.empty()),
        asset="bronze/candles",
        run_id="r",
        read_snapshot=0,
        inputs_hashes={W1: "x"},
    )[0]
    assert record.rows == 0
    assert lake.read("bronze.candles").equals(lakes.candles([W2]))
