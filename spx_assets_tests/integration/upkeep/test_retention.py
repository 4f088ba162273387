"""Old weeks go, by the age of their instrument, never those that training may read; nothing that is kept is touched."""

import time
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
from dotenv import dotenv_values

from spx_assets import calendar
from spx_assets.lake import Lake, maintenance, verify
from spx_assets.lake.records import RETENTION, newest
from spx_assets.lake.tables import table
from spx_assets.settings import Settings, load
from spx_assets.settings.models import ModelSettings
from spx_assets.settings.upkeep import RetentionSettings, UpkeepSettings
from spx_assets.upkeep import retention
from spx_assets.upkeep.retention import Deleted
from spx_assets_tests import lakes
from spx_assets_tests.integration.upkeep.writer import Writer

FIRST = date(2017, 1, 1)
WEEKS = calendar.week_range(FIRST, FIRST + timedelta(weeks=79))
SHORT = WEEKS[:70]
"""EUR_USD stands ten weeks further back than SPX500_USD."""


def settings_of(home: Path, **days: int) -> Settings:
    models = ModelSettings(training_weeks=2)
    return Settings(home=home, models=models, upkeep=UpkeepSettings(retention=RetentionSettings(**days)))


def filled(settings: Settings) -> Lake:
    lake = lakes.fresh(settings)
    both = pl.concat([lakes.candles(SHORT, bars=2, instruments=("EUR_USD",)), lakes.candles(WEEKS, bars=2)])
    chunk = lakes.Chunk(tuple(WEEKS), both.sort("instrument", "ts"))
    hashes = dict.fromkeys(WEEKS, "inputs")
    lake.replace("bronze.candles", chunk, asset="bronze/candles", run_id="x", read_snapshot=lake.snapshot(), inputs_hashes=hashes)
    return lake


def counts(lake: Lake, name: str = "bronze.candles") -> dict[str, tuple[int, date]]:
    rows = lake.read(name, columns=["instrument", "ts"]).with_columns(
        week=calendar.week_expr(calendar.trading_day_expr(pl.col("ts")))
    )
    grouped = rows.group_by("instrument").agg(pl.len(), pl.col("week").min()).sort("instrument")
    return {name: (number, first) for name, number, first in grouped.rows()}


def test_it_is_off_unless_asked_for(tmp_path: Path) -> None:
    lake = filled(settings_of(tmp_path))
    assert retention.apply(lake, load(tmp_path)) == []
    assert counts(lake) == {"EUR_USD": (140, FIRST), "SPX500_USD": (160, FIRST)}


def test_each_instruments_weeks_go_by_its_own_newest_bar_but_none_that_training_may_read(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, raw_days=28)
    lake = filled(settings)
    before = newest(lake, "bronze.candles", "bronze/candles")
    # Two weeks of training and 61 of look-back: 63 of 80 weeks, and of 70.
    done = retention.apply(lake, settings)
    assert done == [
        Deleted("bronze.candles", "EUR_USD", WEEKS[7], 14),
        Deleted("bronze.candles", "SPX500_USD", WEEKS[17], 34),
    ]
    assert counts(lake) == {"EUR_USD": (126, WEEKS[7]), "SPX500_USD": (126, WEEKS[17])}
    after = newest(lake, "bronze.candles", "bronze/candles")
    assert [after[WEEKS[k]].rows for k in (0, 6, 7, 16, 17)] == [0, 0, 2, 2, 4]
    assert {week for week, record in after.items() if record.run_id == RETENTION} == set(WEEKS[:17])
    assert {week: record.content_hash for week, record in after.items()} == {w: r.content_hash for w, r in before.items()}
    assert [found for found in verify.report(lake, "bronze.candles", asset="bronze/candles") if found.problem] == []
    assert retention.apply(lake, settings) == []


def test_predictions_teach_no_model_and_go_by_their_age_alone(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, predictions_days=70)
    lake = filled(settings)
    facts = {"DOUBLE": 0.5, "INTEGER": 30, "BOOLEAN": False}
    contract = table("gold.forecasts")
    bars = lakes.candles(WEEKS, bars=1).select("instrument", "ts", "trading_day")
    rest = {c.name: pl.lit(facts.get(c.type, "x"), c.polars) for c in contract.columns if c.name not in bars.columns}
    lake.append(contract, bars.with_columns(**rest))
    assert retention.apply(lake, settings) == [Deleted("gold.forecasts", "SPX500_USD", WEEKS[69], 69)]
    assert counts(lake)["SPX500_USD"] == (160, FIRST)


def test_the_example_profile_keeps_two_years_one_year_and_half_a_year(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in dotenv_values(Path(__file__).parents[3] / "deploy" / "retention.env").items():
        monkeypatch.setenv(name, str(value))
    kept = load().upkeep.retention
    assert (kept.raw_days, kept.features_days, kept.predictions_days) == (730, 365, 182)
    newest_bar = calendar.week_window(date(2025, 10, 12))[0]
    assert retention.edge(newest_bar, days=730, training_weeks=10) == date(2023, 10, 8)
    assert retention.edge(newest_bar, days=365, training_weeks=260) == date(2025, 10, 12) - timedelta(weeks=320)


def test_retention_and_expiry_beside_a_writer_and_a_reader_lose_nothing_that_is_kept(tmp_path: Path, writer: Writer) -> None:
    settings = settings_of(tmp_path, raw_days=28).model_copy(update={"lake": Settings(home=tmp_path).lake.model_copy()})
    settings = settings.model_copy(update={"lake": settings.lake.model_copy(update={"keep_files_h": 1e-6})})
    lake = filled(settings)
    lakes.replace(lake, lakes.WEEKS)
    pinned, whole = lake.snapshot(), lake.read("bronze.candles")
    writer.begin(settings)
    time.sleep(0.5)
    done = retention.apply(lake, settings)
    for _ in range(3):
        # As in the upkeep of a lake: what a live run may read is older than no clean-up here.
        maintenance.expire_snapshots(lake, older_than=timedelta(seconds=0.2), keep=[pinned])
        maintenance.delete_old_files(lake, older_than=timedelta(seconds=20))
        maintenance.compact(lake, ["bronze.candles"])
    replaced, error = writer.end()
    assert error is None
    assert replaced > 0
    assert sum(each.rows for each in done) > 0
    # SPX500_USD has bars up to February 2019 now: 63 weeks before are kept.
    first = lakes.WEEKS[-1] - timedelta(weeks=62)
    kept = lake.read("bronze.candles")
    assert kept.filter((pl.col("instrument") == "SPX500_USD") & (pl.col("ts") < calendar.week_window(first)[0])).is_empty()
    old = pl.col("ts") < calendar.week_window(lakes.WEEKS[0])[0]
    inside = old & (pl.col("ts") >= calendar.week_window(first)[0]) & (pl.col("instrument") == "SPX500_USD")
    assert kept.filter(inside).equals(whole.filter(inside))
    assert kept.filter(~old)["ts"].unique().len() == whole.filter(~old).height
    assert lake.read("bronze.candles", snapshot=pinned).equals(whole)
