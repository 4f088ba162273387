"""The loop: a market changes, one training answers it, another version is served.

Beside a real service the sensors look and their runs are carried out in this process; in the long suite a real daemon does both.
"""

import os
import time
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import polars as pl
import pytest
from typer.testing import CliRunner

from spx_assets.automation import alerts, champions, instance, measured
from spx_assets.automation.backfill import Backfill
from spx_assets.automation.jobs import jobs
from spx_assets.automation.scenario import loop, market
from spx_assets.automation.scenario.told import ScenarioError, Told, Verdict, recorded
from spx_assets.cli import app
from spx_assets.lake.measure_tables import DRIFT_REPORTS
from spx_assets.lake.model_tables import PROMOTIONS
from spx_assets.lake.monitoring_tables import ALERTS
from spx_assets_tests import mlflow_stores
from spx_assets_tests.integration.serving import forks, homes
from spx_assets_tests.mlflow_stores import mlflow_database

__all__ = ["mlflow_database"]


@pytest.fixture
def home(tmp_path: Path, mlflow_database: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the story may play; its MLflow store lies outside, for the home is emptied first."""
    forks.forker()  # imports what the service needs while the market is learned
    for name in ("DAGSTER_HOME", "SPX_HOME"):
        monkeypatch.setenv(name, os.environ.get(name, ""))
    runs_of = tmp_path / "runs"
    mlflow_stores.place(mlflow_database, runs_of)
    monkeypatch.setenv("SPX_MLFLOW__TRACKING_URI", f"sqlite:///{runs_of / 'mlflow' / 'mlflow.db'}")
    return tmp_path / "story"


class Desk:
    """The daemon's work, by hand: looks of the story's sensors with their cursors, and the runs they ask for."""

    def __init__(self, plan: Backfill) -> None:
        settings, self.plan, self.cursors = plan.settings, plan, dict[str, str | None]()
        found = [*measured.sensors(settings, jobs(settings)), champions.sensor(settings), *alerts.sensors(settings)]
        self.sensors = {each.name: each for each in found if each.name in (measured.DRIFT, champions.NAME, alerts.FINDINGS)}

    def look(self) -> list[dg.RunRequest]:
        """One look of every sensor; what was asked for."""
        asked: list[dg.RunRequest] = []
        for name, sensor in self.sensors.items():
            known = dg.build_sensor_context(self.plan.instance, cursor=self.cursors.get(name), definitions=self.plan.defs)
            seen = sensor.evaluate_tick(known)
            self.cursors[name] = seen.cursor
            asked += seen.run_requests or []
        return asked

    def carry_out(self, request: dg.RunRequest) -> None:
        job = self.plan.defs.resolve_job_def(request.job_name or "")
        done = job.execute_in_process(
            instance=self.plan.instance,
            partition_key=request.partition_key,
            asset_selection=request.asset_selection,
            tags=request.tags,
            run_config={"loggers": {"console": {"config": {"log_level": "WARNING"}}}},
        )
        assert done.success


def test_a_changed_market_is_answered_by_one_training_and_one_alert_of_each_kind(home: Path) -> None:
    settings = market.new_home(home, small=True)
    instance.place(settings)
    with dg.DagsterInstance.get() as runs:
        plan = Backfill(settings, runs)
        market.learn(plan)
        with homes.running(home) as service:
            before, desk = loop.versions(str(service.client.base_url), settings), Desk(plan)
            assert desk.look() == []
            since = datetime.now(UTC)
            weeks = market.go_on(plan)
            market.change(plan)
            market.daily(plan, weeks, small=True)
            reports = plan.lake.read(DRIFT_REPORTS).sort("trading_day")
            assert reports["drifted"].to_list() == [False] * 7 + [True]
            (request,) = desk.look()
            assert (request.job_name, request.partition_key) == ("retrain", "2025-10-12")
            assert request.run_key == request.tags["spx/event"] == "drift SPX500_USD 2025-10-15"
            assert request.tags["spx/reason"].startswith("drift SPX500_USD 2025-10-15: ")
            desk.carry_out(request)
            assert desk.look() == desk.look() == []
            deadline = time.monotonic() + 30
            while (after := loop.versions(str(service.client.base_url), settings)) == before:
                assert time.monotonic() < deadline, "the service goes on with the version before"
                time.sleep(0.05)
        told = recorded(plan.lake, runs, since)
        assert told.problems(["spx500_h30"]) == []
        (said,) = told.verdicts["spx500_h30"]
        assert (said.verdict, said.over, said.version) == ("promoted", before["spx500_h30"], after["spx500_h30"])
        assert said.reason.startswith(f"better than champion {said.over}: Diebold-Mariano p 0.0")
        assert (told.drift_alerts, told.promoted) == (1, {"spx500_h30": 1})
        newest = plan.lake.read(PROMOTIONS).filter(pl.col("version") == said.version)
        order = [newest["decided_at"][0], *plan.lake.read(ALERTS).sort("created_at")["created_at"]]
        kinds = plan.lake.read(ALERTS).filter(pl.col("created_at") > since).sort("created_at")["kind"].to_list()
        assert kinds == ["drift", "promotion"]
        assert order[-2] < order[0] < order[-1]
    plan.lake.close()


@pytest.mark.long
@pytest.mark.timeout(600)
def test_drift_leads_to_one_training_and_another_champion(home: Path) -> None:
    told = CliRunner().invoke(app, ["scenario", "drift", "--small", "--home", str(home)])
    log = home / "daemon.log"
    assert told.exit_code == 0, (told.output, told.exception, log.read_text()[-3000:] if log.exists() else "")
    lines = told.stdout.splitlines()
    assert lines[0].split("\t") == ["forecaster", "verdict", "champion before", "reason"]
    name, verdict, before, reason = lines[1].split("\t")
    assert (name, verdict) == ("spx500_h30", "promoted")
    assert reason.startswith(f"better than champion {before}: Diebold-Mariano p 0.0")
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


def verdict(word: str) -> dict[str, list[Verdict]]:
    return {"h30": [Verdict(word, "v2", "v1", "better")]}


@pytest.mark.parametrize(
    ("told", "wrong"),
    [
        (Told(["a"], verdict("promoted"), 1, {"h30": 1}), []),
        (Told(["a"], verdict("kept_champion"), 1, {}), []),
        (Told(["a", "b"], verdict("promoted"), 1, {"h30": 1}), ["2 retrain runs"]),
        (Told(["a"], {}, 0, {}), ["0 verdicts on h30", "0 drift alerts"]),
        (Told(["a"], verdict("promoted"), 1, {"h30": 2}), ["2 promotion alerts of h30"]),
    ],
)
def test_only_one_of_each_passes(told: Told, wrong: list[str]) -> None:
    assert told.problems(["h30"]) == wrong


def test_no_other_home_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "lake").mkdir()
    with pytest.raises(ScenarioError, match="is no home of a scenario; name another with --home"):
        loop.drift(tmp_path, small=True, tell=print)
    assert (tmp_path / "lake").exists()
    assert not (tmp_path / market.MARK).exists()
