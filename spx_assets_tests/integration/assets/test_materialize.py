"""Ranges, single weeks, look-back, records and checks of the graph on a real lake, through Dagster."""

from datetime import date
from typing import Any

import dagster as dg
import polars as pl
import pytest

from spx_assets.lake import Chunk, Chunks, Lake, retention
from spx_assets.lake.errors import ContractError, LookbackMissingError
from spx_assets.lake.records import newest
from spx_assets.lake.tables import registry
from spx_assets.partitions import key_of
from spx_assets.settings import Settings
from spx_assets.sources import feeds

SPINE = dg.AssetSelection.groups("bronze", "silver", "gold")
UNCOMPARED = dg.AssetSelection.assets(
    ["bronze", "news"], ["silver", "news_sentiment"], ["gold", "news_signals"], ["gold", "forecasts"], ["gold", "forecast_scores"]
)
LAYERS = ("bronze.candles", "gold.labels", "gold.market_features", "silver.daily_bars", "silver.technical", "silver.timeframes")


def asset(name: str) -> dg.AssetSelection:
    return dg.AssetSelection.assets(dg.AssetKey(name.split("/")))


def hashes(lake: Lake) -> dict[str, dict[date, str]]:
    """Content hash of every recorded week of the spine."""
    return {
        table: {week: record.content_hash for week, record in newest(lake, table, table.replace(".", "/")).items()}
        for table in LAYERS
    }


def test_a_range_run_makes_every_week_with_its_record_and_weeks_made_again_alone_and_backwards_hold_the_same_rows(
    small: Settings, weeks: list[date], run: Any
) -> None:
    result = run(SPINE, weeks)
    assert result.success
    lake = Lake.open(small)
    rows = lake.count("bronze.candles")
    assert rows > 14_000
    assert lake.count("gold.market_features") == rows
    assert lake.count("gold.labels") == 2 * rows
    for name in ("silver/technical", "gold/market_features"):
        key = dg.AssetKey(name.split("/"))
        assert run.instance.get_materialized_partitions(key) == {key_of(week) for week in weeks}
        shown = {
            record.partition_key: record.asset_materialization.metadata["dagster/partition_row_count"].value
            for record in run.instance.fetch_materializations(key, limit=len(weeks)).records
        }
        kept = newest(lake, name.replace("/", "."), name)
        assert shown == {key_of(week): record.rows for week, record in kept.items()}
        assert sum(record.rows for record in kept.values()) == rows
    contracts = [event for event in result.get_asset_check_evaluations() if event.check_name == "contract"]
    assert len(contracts) == 15
    assert all(event.passed for event in contracts)
    whole = hashes(lake)
    assert all(set(found) == set(weeks) for found in whole.values())
    first = asset("bronze/candles") | asset("silver/daily_bars")
    # Of what is compared below and what that is made of: the rest would be 15 steps and their checks for nothing.
    for layer in (first, SPINE - first - UNCOMPARED):
        for week in (weeks[3], weeks[1]):
            run(layer, [week])
    assert hashes(lake) == whole


def test_two_instruments_and_a_week_made_again_leave_both_hashes_as_they_were(
    small: Settings, weeks: list[date], run: Any
) -> None:
    lake = Lake.open(small)
    feeds.bind_simulator(lake, "NAS100_USD")
    run(asset("bronze/candles"), weeks)
    before = hashes(lake)["bronze.candles"]
    assert lake.read("bronze.candles")["instrument"].unique().sort().to_list() == ["NAS100_USD", "SPX500_USD"]
    run(asset("bronze/candles"), [weeks[1]])
    assert hashes(lake)["bronze.candles"] == before


def test_a_look_back_week_that_was_never_made_is_named_with_the_remedy(weeks: list[date], run: Any) -> None:
    run(asset("bronze/candles"), [weeks[2]])
    with pytest.raises(LookbackMissingError, match=f"the first {weeks[1]}; materialise bronze/candles from {weeks[1]} on"):
        run(asset("silver/technical"), [weeks[2]])


def test_weeks_that_retention_deleted_are_not_looked_back_on_until_they_are_made_again(
    small: Settings, weeks: list[date], run: Any
) -> None:
    run(asset("bronze/candles"), weeks[:3])
    assert retention.delete_before(Lake.open(small), registry()["bronze.candles"], weeks[2]) > 0
    with pytest.raises(LookbackMissingError, match=f"the first {weeks[1]}; materialise bronze/candles from {weeks[1]} on"):
        run(asset("silver/calendar"), [weeks[2]])
    run(asset("bronze/candles"), [weeks[1]])
    assert run(asset("silver/calendar"), [weeks[2]]).success


def test_weeks_before_one_whose_upstream_is_missing_are_kept(small: Settings, weeks: list[date], run: Any) -> None:
    run(asset("bronze/candles"), weeks[:2])
    with pytest.raises(LookbackMissingError, match=f"the first {weeks[2]}"):
        run(asset("silver/returns"), weeks[:3])
    assert sorted(newest(Lake.open(small), "silver.returns", "silver/returns")) == weeks[:2]
    assert run.instance.get_materialized_partitions(dg.AssetKey(["silver", "returns"])) == {key_of(week) for week in weeks[:2]}


def test_a_week_before_the_first_row_is_made_with_zero_rows(small: Settings, weeks: list[date], run: Any) -> None:
    empty = date(2018, 3, 4)
    assert run(asset("bronze/candles") | asset("silver/returns"), [empty]).success
    record = newest(Lake.open(small), "silver.returns", "silver/returns")[empty]
    assert record.rows == 0


def test_a_range_that_stops_keeps_the_weeks_it_committed_and_tells_dagster(
    small: Settings, weeks: list[date], run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = Lake.open(small)

    def breaking(lake: Lake, over: tuple[date, ...]) -> Chunks:
        def chunks() -> Any:
            for week in over[:2]:
                yield feeds.candles(lake, [week])
            bad = feeds.candles(lake, [over[2]])
            yield Chunk(bad.weeks, bad.frame.with_columns(close=pl.lit(float("nan"))), fingerprints=bad.fingerprints)

        return Chunks(chunks())

    monkeypatch.setattr(feeds, "by_week", breaking)
    with pytest.raises(ContractError, match=r"bronze.candles.close = nan"):
        run(asset("bronze/candles"), weeks)
    assert sorted(newest(lake, "bronze.candles", "bronze/candles")) == weeks[:2]
    assert run.instance.get_materialized_partitions(dg.AssetKey(["bronze", "candles"])) == {key_of(week) for week in weeks[:2]}
    assert lake.read("bronze.candles")["close"].is_nan().sum() == 0


def test_the_contract_check_fails_when_stored_rows_are_not_the_recorded_ones(
    small: Settings, weeks: list[date], run: Any
) -> None:
    run(asset("bronze/candles"), weeks)
    lake = Lake.open(small)
    with lake.cursor() as cursor:
        cursor.execute("DELETE FROM lake.bronze.candles WHERE ts = (SELECT max(ts) FROM lake.bronze.candles)")
    checks = dg.AssetSelection.checks_for_assets(dg.AssetKey(["bronze", "candles"]))
    result = run_checks(small, run.instance, checks)
    (contract,) = [event for event in result.get_asset_check_evaluations() if event.check_name == "contract"]
    assert not contract.passed
    assert f"{weeks[-1]}: " in contract.metadata["problems"].value
    assert "its partition record says" in contract.metadata["problems"].value


def run_checks(settings: Settings, instance: dg.DagsterInstance, selection: dg.AssetSelection) -> dg.ExecuteInProcessResult:
    from spx_assets.build import build_defs

    defs = build_defs(settings)
    job = dg.define_asset_job("checks", selection=selection)
    with_job = dg.Definitions.merge(defs, dg.Definitions(jobs=[job]))
    return with_job.resolve_job_def("checks").execute_in_process(
        instance=instance, run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}, raise_on_error=False
    )


def test_every_lake_asset_fills_a_table_of_the_registry(small: Settings) -> None:
    assert set(LAYERS) <= set(registry())
