"""`spx walk-forward`: goes on where it stopped, and scores the weeks after the trained ones."""

import sys
from pathlib import Path

import polars as pl
import pytest

from spx_assets import calendar, cli
from spx_assets.automation import instance
from spx_assets.cli import runs
from spx_assets.lake import Lake
from spx_assets.settings import load
from spx_assets.sources import feeds
from spx_assets_tests import mlflow_stores
from spx_assets_tests.mlflow_stores import mlflow_database

__all__ = ["mlflow_database"]


def walk(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """Exit code of the command, run in this process."""
    monkeypatch.setattr(sys, "argv", ["spx", "walk-forward", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return int(ended.value.code or 0)


@pytest.mark.parametrize("every", ["x", "0w", "w", "1.5w"])
def test_a_distance_that_is_no_number_of_weeks_is_a_wrong_use(every: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert walk(monkeypatch, "--every", every) == 2


def test_a_week_that_is_trained_gets_no_second_version_and_later_weeks_get_scores(
    monkeypatch: pytest.MonkeyPatch, mlflow_database: Path
) -> None:
    for name, value in {
        "SIMULATOR__DAYS": "14",
        "LABELS__HORIZONS": "[30]",
        "MODELS__FAMILIES": '["linear"]',
        "MODELS__LINEAR__PENALTIES": "[10.0]",
        "MODELS__FEATURES": '{"spx500_h30": ["returns"]}',
    }.items():
        monkeypatch.setenv(f"SPX_{name}", value)
    settings = load()
    instance.place(settings)
    mlflow_stores.place(mlflow_database, settings.home)
    lake = Lake.open(settings)
    feeds.bind_simulator(lake, "SPX500_USD")
    *_, first, second, last = feeds.weeks_with_rows(lake)
    with runs.backfill(settings) as plan:  # what a command leaves that was stopped after its first week
        plan.run(["models/spx500_h30/*"], first=first, last=first)
    (stopped_at,) = lake.read("models.versions").rows(named=True)
    assert walk(monkeypatch, "--from", first.isoformat(), "--to", last.isoformat()) == 0
    versions = lake.read("models.versions").sort("week")
    assert versions["week"].to_list() == [first, second]
    assert versions["version"][0] == stopped_at["version"]
    days = lake.read("gold.forecasts").select("trading_day", "version").unique().rows()
    made = {(calendar.week_of_day(day), version) for day, version in days}
    assert made == {(second, versions["version"][0]), (last, versions["version"][1])}
    scored = lake.read("gold.forecast_scores").filter(pl.col("labelled") > 0)
    assert set(scored["version"]) == set(versions["version"])
