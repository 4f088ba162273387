"""`spx backfill`: makes what is missing and stale, upstream included, and nothing else."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from spx_assets import calendar
from spx_assets.automation.backfill import Backfill, BackfillError
from spx_assets.lake import Chunk
from spx_assets.settings import Settings, SimulatorSettings
from spx_assets.sources import feeds
from spx_assets_tests import lakes


@dataclass(frozen=True)
class Home:
    """A simulated home of three weeks, what its first backfill made, and planners of it."""

    settings: Settings
    plan: Backfill
    first: dict[str, int]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """Returns and labels are made in it. Tests that bind another feed get a copy, the others leave its weeks as they were."""
    small = Settings(home=tmp_path_factory.mktemp("backfill") / "home", simulator=SimulatorSettings(days=9))
    feeds.bind_simulator(lakes.fresh(small), "SPX500_USD")
    with dg.DagsterInstance.ephemeral() as instance:
        plan = Backfill(small, instance)
        yield Home(small, plan, made(plan.run(["silver/returns", "gold/labels"])))


@pytest.fixture
def plan(home: Home) -> Backfill:
    return home.plan


@pytest.fixture
def own(home: Home, tmp_path: Path) -> Backfill:
    """A planner of a copy of the home."""
    copy = home.settings.model_copy(update={"home": tmp_path / "own"})
    home.plan.lake.close()
    shutil.copytree(home.settings.home, copy.home)
    return Backfill(copy, home.plan.instance)


def made(result: dict[str, int]) -> dict[str, int]:
    return {asset: weeks for asset, weeks in result.items() if weeks}


def test_it_makes_the_named_asset_and_what_is_missing_upstream_once(home: Home) -> None:
    assert home.first == {"bronze/candles": 3, "silver/returns": 3, "gold/labels": 3}
    assert made(home.plan.run(["silver/returns", "gold/labels"])) == {}


def test_a_week_that_no_longer_stems_from_its_feed_is_made_again_as_it_was(plan: Backfill) -> None:
    lake, first = plan.lake, plan.weeks()[0]
    chunk = feeds.candles(lake, [first])
    lake.replace(
        "bronze.candles",
        Chunk(chunk.weeks, chunk.frame.with_columns(volume=pl.col("volume") + 1.0), beside=chunk.beside),
        asset="bronze/candles",
        run_id="by-hand",
        read_snapshot=lake.snapshot(),
        inputs_hashes={first: "other"},
    )
    # Candles made again are the ones the returns were computed from: only the candles' week is redone.
    assert made(plan.run(["silver/returns"])) == {"bronze/candles": 1}


def test_force_redoes_the_named_assets_and_not_their_upstream(plan: Backfill) -> None:
    week = plan.weeks()[1]
    assert made(plan.run(["silver/returns"], first=week, last=week, force=True)) == {"silver/returns": 1}


def test_new_rows_of_a_file_feed_make_their_week_and_its_dependants_stale(own: Backfill, tmp_path: Path) -> None:
    lake, weeks = own.lake, own.weeks()
    candles = lake.read("bronze.candles").select("ts", "open", "high", "low", "close", "volume")
    changed = candles.with_columns(
        high=pl.when(pl.col("ts") == pl.col("ts").max()).then(pl.col("high") + 1).otherwise(pl.col("high"))
    )
    path = tmp_path / "own.parquet"
    changed.rename({"ts": "time"}).write_parquet(path)
    feeds.import_file(lake, path, instrument="SPX500_USD", tz="UTC", replace=True)
    assert feeds.weeks_with_rows(lake) == weeks
    assert made(own.run(["silver/returns"])) == {"bronze/candles": 3, "silver/returns": 3}
    assert lake.read("bronze.candles")["high"].max() == changed["high"].max()


def test_a_clock_that_moves_makes_the_labels_beside_the_last_bar_stale(own: Backfill, tmp_path: Path) -> None:
    """A file ends within a day; another, of the next week, says that its minutes passed."""
    lake, weeks = own.lake, own.weeks()
    candles = lake.read("bronze.candles").select("ts", "open", "high", "low", "close")
    noon = calendar.week_window(weeks[1])[0] + timedelta(days=2, hours=15)
    parts = candles.filter(pl.col("ts") < noon), candles.filter(pl.col("ts") >= calendar.week_window(weeks[2])[0])
    for number, part in enumerate(parts):
        path = tmp_path / f"{number}.parquet"
        part.rename({"ts": "time"}).write_parquet(path)
        feeds.import_file(lake, path, instrument="SPX500_USD", tz="UTC", replace=number == 0)
        assert made(own.run(["gold/labels"]))["gold/labels"] == (3, 2)[number]
    labels = lake.read("gold.labels", start=noon - timedelta(minutes=40), end=noon).filter(horizon_minutes=30)
    assert labels["return_bp"].is_not_null().sum() == 10 + lake.settings.labels.tolerance_min - 1


def test_weeks_a_replaced_feed_no_longer_has_are_emptied_downstream(own: Backfill, tmp_path: Path) -> None:
    lake, weeks = own.lake, own.weeks()
    kept = lake.read("bronze.candles", start=calendar.week_window(weeks[1])[0], end=calendar.week_window(weeks[1])[1])
    path = tmp_path / "own.parquet"
    kept.select(time="ts", open="open", high="high", low="low", close="close").write_parquet(path)
    feeds.import_file(lake, path, instrument="SPX500_USD", tz="UTC", replace=True)
    assert made(own.run(["silver/returns"])) == {"bronze/candles": 3, "silver/returns": 3}
    assert lake.count("silver.returns") == lake.count("bronze.candles") == kept.height
    assert lake.read("bronze.candles")["source"].str.starts_with("simulator").any() is False


def test_unknown_assets_and_empty_homes_are_refused_with_the_remedy(plan: Backfill, tmp_path: Path) -> None:
    with pytest.raises(BackfillError, match=r"no asset named gold/nothing; known: bronze/candles, bronze/news, "):
        plan.run(["gold/nothing"])
    with pytest.raises(BackfillError, match=r"no feed has rows from 2030-01-06; choose weeks from 2025-.* to 2025-"):
        plan.run(["silver/returns"], first=date(2030, 1, 6))
    empty = plan.settings.model_copy(update={"home": tmp_path / "empty"})
    with pytest.raises(BackfillError, match="no feed has rows; bind one with `spx import candles PATH`"):
        Backfill(empty, plan.instance).run(["silver/returns"])
