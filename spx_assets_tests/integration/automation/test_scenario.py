"""The loop through a real daemon and a real service: a market changes, one training answers, another version is served."""

import os
from pathlib import Path

import dagster as dg
import pytest
from typer.testing import CliRunner

from spx_assets.automation.scenario import MARK, ScenarioError, Told, drift
from spx_assets.cli import app
from spx_assets_tests import mlflow_stores
from spx_assets_tests.mlflow_stores import mlflow_database

__all__ = ["mlflow_database"]


@pytest.mark.timeout(600)
def test_drift_leads_to_one_training_and_another_champion(
    tmp_path: Path, mlflow_database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DAGSTER_HOME", "SPX_HOME"):
        monkeypatch.setenv(name, os.environ.get(name, ""))
    home, runs_of = tmp_path / "story", tmp_path / "runs"
    mlflow_stores.place(mlflow_database, runs_of)
    monkeypatch.setenv("SPX_MLFLOW__TRACKING_URI", f"sqlite:///{runs_of / 'mlflow' / 'mlflow.db'}")
    told = CliRunner().invoke(app, ["scenario", "drift", "--small", "--home", str(home)])
    log = home / "daemon.log"
    assert told.exit_code == 0, (told.output, told.exception, log.read_text()[-3000:] if log.exists() else "")
    lines = told.stdout.splitlines()
    assert lines[:2] == ["forecaster\tverdict", "spx500_h30\tpromoted"]
    steps = {part.rsplit(" ", 2)[0]: float(part.rsplit(" ", 2)[1]) for part in lines[-1].split("\t")}
    assert set(steps) == {
        "market changed",
        "daily run",
        "report red",
        "drift alert",
        "training asked for",
        "training over",
        "served",
        "promotion announced",
    }
    assert steps["daily run"] <= steps["training asked for"] < steps["training over"] <= steps["served"]
    with dg.DagsterInstance.get() as runs:
        (run,) = runs.get_runs(dg.RunsFilter(tags={"spx/event": "drift SPX500_USD 2025-10-15"}))
    assert (run.job_name, run.tags["dagster/sensor_name"], run.tags["dagster/partition"]) == (
        "retrain",
        "drift_sensor",
        "2025-10-12",
    )
    assert run.tags["spx/reason"].startswith("drift SPX500_USD 2025-10-15: ")
    assert f"retrain run\t{run.run_id}" in lines


@pytest.mark.parametrize(
    ("told", "wrong"),
    [
        (Told(["a"], {"h30": ["promoted"]}, 1, {"h30": 1}), []),
        (Told(["a"], {"h30": ["kept_champion"]}, 1, {}), []),
        (Told(["a", "b"], {"h30": ["promoted"]}, 1, {"h30": 1}), ["2 retrain runs"]),
        (Told(["a"], {}, 0, {}), ["0 verdicts on h30", "0 drift alerts"]),
        (Told(["a"], {"h30": ["promoted"]}, 1, {"h30": 2}), ["2 promotion alerts of h30"]),
    ],
)
def test_only_one_of_each_passes(told: Told, wrong: list[str]) -> None:
    assert told.problems(["h30"]) == wrong


def test_no_other_home_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "lake").mkdir()
    with pytest.raises(ScenarioError, match="is no home of a scenario; name another with --home"):
        drift(tmp_path, small=True, tell=print)
    assert (tmp_path / "lake").exists()
    assert not (tmp_path / MARK).exists()
