"""Replacement in one transaction, range runs, appends, tables that grow with their contract."""

import json
import signal
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from spx_assets.lake import Chunk, Lake, verify
from spx_assets.lake.buffers import Buffers
from spx_assets.lake.errors import ContractError, LakeError
from spx_assets.lake.records import PartitionRecord, newest
from spx_assets.lake.staging import Staging
from spx_assets.lake.tables import Column, Table
from spx_assets.settings import Settings
from spx_assets_tests import lakes

W1, W2, W3 = lakes.WEEKS[:3]


def quarantined(week: date, lines: int) -> pl.DataFrame:
    ts = lakes.candles([week], bars=1)["ts"][0]
    return pl.DataFrame(
        {
            "instrument": ["SPX500_USD"] * lines,
            "ts": [ts] * lines,
            "line": list(range(lines)),
            "reason": ["duplicate_minute"] * lines,
            "raw": ['{"close": "NaN"}'] * lines,
            "source": [f"file {week}"] * lines,
        },
        schema_overrides={"ts": pl.Datetime("us", "UTC")},
    )


def test_rows_quarantine_and_record_are_one_snapshot_whose_message_carries_the_record(lake: Lake) -> None:
    lakes.replace(lake, [W1])
    lake.ensure("bronze.quarantine")
    before = lake.snapshot()
    for lines in (3, 2):
        chunk = Chunk((W1,), lakes.candles([W1], level=1.0), beside={"bronze.quarantine": quarantined(W1, lines)})
        record = lake.replace(
            "bronze.candles", chunk, asset="bronze/candles", run_id="run 7", read_snapshot=before, inputs_hashes={W1: "inputs"}
        )[0]
    assert record.snapshot == lake.snapshot() == before + 2
    assert lake.count("bronze.quarantine") == 2
    assert lake.read("bronze.candles", snapshot=before).equals(lakes.candles([W1]))
    assert lake.count("bronze.quarantine", snapshot=before + 1) == 3
    extra = lake.sql("SELECT commit_extra_info FROM lake.snapshots() ORDER BY snapshot_id DESC LIMIT 1").item()
    assert json.loads(extra) == {
        "asset": "bronze/candles",
        "run_id": "run 7",
        "read_snapshot": before,
        "weeks": {"2019-01-06": {"rows": 120, "content_hash": record.content_hash, "inputs_hash": "inputs"}},
    }


@pytest.mark.parametrize("end", [RuntimeError, KeyboardInterrupt])
def test_a_range_run_commits_as_it_goes_and_keeps_the_weeks_before_a_failing_one(
    tmp_path: Path, end: type[BaseException]
) -> None:
    settings = Settings(home=tmp_path, lake={"commit_weeks": 2})
    lake, records = Lake.open(settings), list[PartitionRecord]()

    def chunks() -> Iterator[Chunk]:
        for i, week in enumerate(lakes.WEEKS):
            if i == 3:
                raise end("the body ended at its fourth week")
            yield Chunk((week,), lakes.candles([week]))

    run = lake.replace_all(
        "bronze.candles",
        chunks(),
        asset="bronze/candles",
        run_id="r",
        read_snapshot=0,
        inputs_hashes=lambda chunk: {chunk.weeks[0]: "x"},
    )
    with pytest.raises(end, match="fourth week"):
        records.extend(record for committed in run for record in committed)
    assert [(record.week, record.rows) for record in records] == [(W1, 120), (W2, 120), (W3, 120)]
    assert lake.read("bronze.candles").equals(lakes.candles([W1, W2, W3]))


def test_a_chunk_that_is_being_written_is_whole_before_an_interrupt_is_heard(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Staging.add

    def interrupted(staging: Staging, held: Buffers) -> None:
        signal.raise_signal(signal.SIGINT)
        whole(staging, held)

    monkeypatch.setattr(Staging, "add", interrupted)
    # What a shell starts in the background ignores SIGINT.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            lakes.replace(lake, [W1])
        assert lake.read("bronze.candles").equals(lakes.candles([W1]))
        with pytest.raises(KeyboardInterrupt):  # heard as before
            signal.raise_signal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)


def test_what_was_only_staged_goes_when_the_caller_stops(tmp_path: Path) -> None:
    lake = Lake.open(Settings(home=tmp_path, lake={"commit_weeks": 2}))
    run = lake.replace_all(
        "bronze.candles",
        (Chunk((week,), lakes.candles([week])) for week in lakes.WEEKS),
        asset="bronze/candles",
        run_id="r",
        read_snapshot=0,
        inputs_hashes=lambda chunk: {chunk.weeks[0]: "x"},
    )
    assert [record.week for record in next(run)] == [W1, W2]
    run.close()
    assert lake.read("bronze.candles").equals(lakes.candles([W1, W2]))
    # The two committed weeks share a file; what was staged of the third is gone.
    assert len(list((tmp_path / "lake" / "data").rglob("*.parquet"))) == 1


def test_weeks_made_in_any_order_or_in_one_run_have_the_same_rows_and_hashes(lake: Lake) -> None:
    whole = {record.week: record.content_hash for record in lakes.replace(lake, lakes.WEEKS)}
    rows = lake.read("bronze.candles")
    single = {week: lakes.replace(lake, [week])[0].content_hash for week in reversed(lakes.WEEKS)}
    assert single == whole
    assert lake.read("bronze.candles").equals(rows)


def test_what_lies_in_the_lake_is_verified_against_its_records(lake: Lake) -> None:
    lakes.replace(lake, [W1, W2])
    assert [(v.week, v.rows, v.problem) for v in verify.report(lake, "bronze.candles", asset="bronze/candles")] == [
        (W1, 120, None),
        (W2, 120, None),
    ]
    lake.sql("UPDATE lake.bronze.candles SET volume = 5 WHERE volume = 3 AND ts < '2019-01-10'")
    problems = {v.week: v.problem for v in verify.report(lake, "bronze.candles", asset="bronze/candles", weeks=[W1, W2, W3])}
    assert problems == {W1: "its rows are not those its partition record hashed", W2: None, W3: "was never made"}


def test_appended_keys_must_be_new_and_upserted_ones_replace(lake: Lake) -> None:
    lake.append("models.promotions", lakes.promotion(1))
    with pytest.raises(ContractError, match=r"models\.promotions: 1 row\(s\) to append have a key"):
        lake.append("models.promotions", lakes.promotion(1))
    lake.upsert("models.promotions", pl.concat([lakes.promotion(1), lakes.promotion(2)]).with_columns(tests=pl.lit(9, pl.Int32)))
    assert lake.read("models.promotions").select("version", "tests").rows() == [("v000001", 9), ("v000002", 9)]
    lake.write(delete={"models.promotions": {"version": "v000001"}}, append={"models.promotions": lakes.promotion(3)})
    assert lake.read("models.promotions")["version"].to_list() == ["v000002", "v000003"]


def test_an_append_carries_its_partition_record(lake: Lake) -> None:
    record = replace(lakes.replace(lake, [W1])[0], asset="models/x", snapshot=None)
    lake.append("models.promotions", lakes.promotion(1), record=record)

    assert newest(lake, "models.promotions", "models/x")[W1].content_hash == record.content_hash


def _table(*columns: Column, small: bool = False) -> Table:
    every = (Column("k", "BIGINT", ""), *columns)
    return Table("gold.grown", "A table of a test", every, key=("k",), time=None, records=False, small=small)


@pytest.mark.parametrize("small", [False, True])
def test_a_table_grows_with_its_contract_and_old_rows_are_null_there(lake: Lake, small: bool) -> None:
    old, new = _table(Column("a", "DOUBLE", ""), small=small), _table(Column("b", "FLOAT", "", nullable=True), small=small)
    lake.append(old, pl.DataFrame({"k": [1], "a": [0.5]}))
    before = lake.snapshot()
    assert lake.read(new).rows() == [(1, None)]
    lake.append(new, pl.DataFrame({"k": [2], "b": [1.5]}, schema=new.schema()))
    assert lake.read(new).rows() == [(1, None), (2, 1.5)]
    assert lake.sql("SELECT k, a, b FROM gold.grown ORDER BY k").rows() == [(1, 0.5, None), (2, None, 1.5)]
    assert lake.read(old, snapshot=before).rows() == [(1, 0.5)]
    with pytest.raises(LakeError, match=r"gold\.grown\.a is DOUBLE in the lake and FLOAT in its contract"):
        lake.append(
            _table(Column("a", "FLOAT", "")), pl.DataFrame({"k": [3], "a": [1.0]}, schema={"k": pl.Int64, "a": pl.Float32})
        )
