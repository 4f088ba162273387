"""The doctor on a healthy home and on broken ones, and upkeep as job, schedule and command."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import polars as pl
import pytest
from typer.testing import CliRunner

from spx_assets.automation import upkeep as automation
from spx_assets.cli import app, processes
from spx_assets.lake import Lake, tables
from spx_assets.monitoring.alerts import raising
from spx_assets.settings import Settings, load
from spx_assets.upkeep import doctor
from spx_assets_tests import lakes
from spx_assets_tests.integration.serving import homes

NOW = datetime.now(UTC)


def states(output: str) -> dict[str, list[str]]:
    """Of the second table: check to (state, found, remedy)."""
    table = output.split("\n\n")[1].splitlines()
    assert table[0] == "check\tstate\tfound\tremedy"
    return {line.split("\t")[0]: line.split("\t")[1:] for line in table[1:]}


def test_a_healthy_home_is_told_so_and_one_whose_candles_changed_is_not(
    traded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "market"
    shutil.copytree(traded, home)
    monkeypatch.setenv("SPX_HOME", str(home))
    monkeypatch.setenv("SPX_SIMULATOR__DAYS", "5")
    monkeypatch.setenv("SPX_ALERTS__DISK_PERCENT", "100")
    told = CliRunner().invoke(app, ["doctor"])
    assert told.exit_code == 0, told.output
    usage = [line.split("\t") for line in told.stdout.split("\n\n")[0].splitlines()]
    assert usage[0] == ["part", "files", "megabytes"]
    assert {"artifacts", "lake", "lake/data/bronze", "all"} <= {row[0] for row in usage}
    assert int(usage[-1][1]) == sum(int(row[1]) for row in usage[1:-1])
    found = states(told.stdout)
    assert {check for check, (state, _, _) in found.items() if state == "wrong"} == set()
    assert {"python", "versions", "time zones", "disk", "lake", "clock", "calendar", "alerts", "weeks", "assets", "runs"} == set(
        found
    )
    lake = Lake.open(homes.settings_of(home))
    (first, *_) = [record["week"] for record in lake.record_rows(tables.table("silver.daily_bars"), "silver/daily_bars")]
    lakes.replace(lake, [first])
    lake.close()
    told = CliRunner().invoke(app, ["doctor"])
    assert told.exit_code == 1
    state, said, remedy = states(told.stdout)["weeks"]
    assert state == "wrong"
    assert "silver/daily_bars from" in said
    assert remedy.startswith("make them again: spx backfill bronze/candles")


def test_what_is_wrong_says_what_to_do(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lake = lakes.fresh(settings)
    behind = doctor.clock(lake, now=NOW - timedelta(days=1))
    assert behind.wrong
    assert "set the machine's clock" in behind.remedy
    pinned = tmp_path / "constraints.txt"
    pinned.write_text("polars==0.0.1\nno-such-package==1\n")
    assert doctor.versions(pinned).found == f"polars {pl.__version__}, pinned 0.0.1"
    monkeypatch.setenv("SPX_ALERTS__DISK_PERCENT", "0.001")
    monkeypatch.setenv("SPX_REDIS_URL", f"redis://:pa55word@127.0.0.1:{processes.free_port()}/0")
    monkeypatch.setenv("SPX_ALERTS__SERVICE_URL", f"http://127.0.0.1:{processes.free_port()}")
    alert = raising.Alert(kind="drift", severity="warning", title="t", message="m", source="s")
    raising.raise_alert(settings, alert)
    rows = lake.read("monitoring.alerts").with_columns(delivery=pl.lit("failed"))
    lake.upsert("monitoring.alerts", rows)
    wrong = {each.check: each for each in doctor.examine(load()) if each.wrong}
    assert set(wrong) == {"disk", "redis", "service", "alerts"}
    assert wrong["redis"].remedy == "start Redis or correct SPX_REDIS_URL"
    assert "pa55word" not in repr(wrong)
    assert "spx maintain" in wrong["disk"].remedy


def test_without_a_lake_it_says_how_to_make_one() -> None:
    told = CliRunner().invoke(app, ["doctor"])
    assert told.exit_code == 1
    state, found, remedy = states(told.stdout)["lake"]
    assert (state, found) == ("wrong", "none")
    assert "spx demo" in remedy


def test_upkeep_runs_as_a_job_and_a_command_and_monthly_where_asked_for(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for week in lakes.WEEKS[:3]:
        lakes.replace(lakes.fresh(settings) if week == lakes.WEEKS[0] else Lake.open(settings), [week])
    with dg.DagsterInstance.ephemeral() as instance:
        assert automation.maintenance.execute_in_process(resources={"settings": settings}, instance=instance).success
        assert automation.live(instance) == []
    lakes.replace(Lake.open(settings), lakes.WEEKS[3:4])
    told = CliRunner().invoke(app, ["maintain"])
    assert told.exit_code == 0, told.output
    rows = [line.split("\t") for line in told.stdout.splitlines()]
    assert rows[0] == ["step", "number", "what"]
    assert ["compaction", "2", "files of bronze.candles became 1"] in rows
    assert ["expiry", "0", "snapshots forgotten"] in rows
    schedule = automation.schedule(settings)
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("30 17 1 * *", "America/New_York")
    assert schedule.default_status is dg.DefaultScheduleStatus.STOPPED
    monkeypatch.setenv("SPX_UPKEEP__ON", "true")
    assert automation.schedule(load()).default_status is dg.DefaultScheduleStatus.RUNNING
