"""Every command in the README, run as it stands there."""

import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from serving.keys import KeyStore
from spx_assets.automation.instance import ROOT
from spx_assets.cli import processes
from spx_assets.lake import Lake
from spx_assets.partitions import key_of
from spx_assets.settings import Settings, SimulatorSettings, load
from spx_assets.sources import feeds, simulator
from spx_assets_tests import mlflow_stores
from spx_assets_tests.integration.automation import webserver
from spx_assets_tests.mlflow_stores import mlflow_database

__all__ = ["mlflow_database"]

README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```bash\n(.*?)```", README, flags=re.S)
# What CI itself runs, as its own steps.
BY_CI = {"make demo", "make test"}
DAYS = 12


def command(pattern: str) -> str:
    """The one README line that contains `pattern`."""
    (line,) = [line for block in BLOCKS for line in block.splitlines() if pattern in line]
    return line


def test_every_readme_command_is_run_by_ci_or_by_this_module() -> None:
    lines = {line for block in BLOCKS for line in block.splitlines()}
    ran_here = {line for line in lines if re.match(r"(curl|export|\.venv/bin/spx)", line)}
    assert lines == ran_here | BY_CI
    ci = (ROOT / ".ci" / "run").read_text()
    assert all(step in ci for step in BY_CI)
    inline = set(re.findall(r"`((?:make|spx) [^`]*)`", README))
    assert {"make up", "make demo", "make check", "make bench", "make test-long"} <= inline
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.M)
    assert {name.split()[1] for name in inline if name.startswith("make ")} <= set(targets)


@pytest.fixture
def own_candles(tmp_path: Path) -> Path:
    """The README's candles.csv: twelve days of another market than the demo's, stamps in UTC."""
    settings = SimulatorSettings(seed=11, days=DAYS)
    rows = simulator.generate(settings, *simulator.history(settings), instrument="OWN")
    path = tmp_path / "candles.csv"
    csv = rows.rename({"ts": "time"}).select("time", "open", "high", "low", "close", "volume")
    csv.write_csv(path, datetime_format="%Y-%m-%d %H:%M:%S")
    return path


# Thirteen processes that each import Dagster, MLflow or both: 130 s where two others want the processors.
@pytest.mark.timeout(600)
def test_own_candles_become_a_served_forecast_by_the_readmes_commands(own_candles: Path, mlflow_database: Path) -> None:
    folder = own_candles.parent
    home = folder / ".spx-own"
    # MLflow makes a new store by all its migrations, 2 CPU s; `make demo` does so in CI.
    mlflow_stores.place(mlflow_database, home)
    (folder / ".venv").symlink_to(Path(sys.executable).parent.parent)
    block = next(block for block in BLOCKS if "import candles" in block)
    *steps, serve = block.splitlines()
    assert serve == ".venv/bin/spx serve --port 8000"
    # One horizon and one family: a sixth of the training, the same commands.
    small = ["export SPX_LABELS__HORIZONS=[30]", """export SPX_MODELS__FAMILIES='["lightgbm"]'"""]
    script = "\n".join(["set -e", *small, *steps])
    done = subprocess.run(["bash", "-c", script], cwd=folder, capture_output=True, text=True, env=dict(os.environ), check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    header = next(line for line in done.stdout.splitlines() if line.startswith("model_name\t"))
    assert {"auc", "log_loss", "log_loss_base", "verdict"} <= set(header.split("\t"))
    assert [path.name for path in (home / "artifacts" / "models").iterdir()] == ["spx500_h30"]
    up_answers(home)


def up_answers(home: Path) -> None:
    """`make up`, on free ports: the README's curl is answered, the daemon carries out a backfill, a training can be asked for,
    and Ctrl-C ends everything.
    """
    ports = [processes.free_port() for _ in range(3)]
    dagster, serving, mlflow = (f"http://127.0.0.1:{port}" for port in ports)
    up = [sys.executable, "-m", "spx_assets.cli", "up"]
    up += ["--port", str(ports[0]), "--serving-port", str(ports[1]), "--mlflow-port", str(ports[2])]
    environment = {"SPX_HOME": str(home), "SPX_LABELS__HORIZONS": "[30]", "PYTHONUNBUFFERED": "1"}
    with (home / "up.log").open("wb") as log:
        child = processes.start(up, env=environment, output=log)
    try:
        processes.wait_until_answers(f"{dagster}/server_info", child, patience_s=120)
        lake = Lake.open(load(home), read_only=True)
        weeks = [key_of(week) for week in feeds.weeks_with_rows(lake)]
        with httpx.Client(base_url=dagster, timeout=60) as client:
            backfill = webserver.launch(client, weeks)
            # The daemon looks for backfills every 30 s; what follows is done meanwhile.
            processes.wait_until_answers(f"{serving}/health", child, patience_s=90)
            processes.wait_until_answers(f"{mlflow}/health", child, patience_s=120)
            the_service_answers(serving)
            mlflow_knows_the_runs(mlflow, home)
            a_hand_started_run_is_seen(client, home, weeks)
            webserver.until_green(client, backfill, weeks, lambda: (home / "up.log").read_text()[-4000:])
            a_training_is_started_once(client, serving, load(home), week=weeks[-1])
        assert lake.count("gold.labels") == lake.count("bronze.candles") > 0
        lake.close()
    finally:
        child.send_signal(signal.SIGINT)
        child.wait(60)
    assert child.returncode == 0, (home / "up.log").read_text()[-2000:]
    assert all(processes.is_free(port) for port in ports)


def the_service_answers(serving: str) -> None:
    curl = shlex.split(command("curl -X POST").replace("http://", "").replace("localhost:8000", serving))
    answer = subprocess.run([*curl, "--silent", "--fail-with-body"], capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stdout
    assert '"instrument":"SPX500_USD"' in answer.stdout
    again = httpx.post(f"{serving}/predict", json={"instrument": "NOT_HERE"}, timeout=60)
    assert (again.status_code, again.json()["code"]) == (404, "unknown_instrument")


def mlflow_knows_the_runs(mlflow: str, home: Path) -> None:
    """The runs of `spx train`, their files under the home."""
    api, experiment = f"{mlflow}/api/2.0/mlflow", load(home).mlflow.experiment
    found = httpx.get(f"{api}/experiments/get-by-name", params={"experiment_name": experiment}, timeout=30).json()["experiment"]
    assert found["artifact_location"].startswith((home / "mlflow" / "artifacts").as_uri())
    runs = httpx.post(f"{api}/runs/search", json={"experiment_ids": [found["experiment_id"]]}, timeout=30).json()["runs"]
    assert "models/spx500_h30/lightgbm" in {run["info"]["run_name"].split(" ")[0] for run in runs}
    files = httpx.get(f"{api}/artifacts/list", params={"run_id": runs[-1]["info"]["run_id"]}, timeout=30).json()
    assert files["root_uri"].startswith(found["artifact_location"])


def a_hand_started_run_is_seen(client: httpx.Client, home: Path, weeks: list[str]) -> None:
    """`dagster asset materialize` in the root, SPX_HOME set and DAGSTER_HOME not: a range run in the same home."""
    by_hand = [str(Path(sys.executable).parent / "dagster"), "asset", "materialize", "-m", "spx_assets.definitions"]
    by_hand += ["--select", "key:silver/calendar", "--partition-range", f"{weeks[0]}...{weeks[-1]}"]
    env = {name: value for name, value in os.environ.items() if name != "DAGSTER_HOME"} | {"SPX_HOME": str(home)}
    _, before = webserver.made_by(client, ["silver", "calendar"], weeks)
    done = subprocess.run(by_hand, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    stats, after = webserver.made_by(client, ["silver", "calendar"], weeks)
    assert stats == {"numMaterialized": len(weeks), "numFailed": 0}
    assert len({run["id"] for run in after}) == 1
    assert after[0]["id"] not in {run["id"] for run in before}


def a_training_is_started_once(client: httpx.Client, serving: str, settings: Settings, *, week: str) -> None:
    """POST /retrain of the service beside it: the run is Dagster's, and while it waits there is no other."""
    _, key = KeyStore(settings).create("desk", "operator")
    asked = {"name": "spx500_h30", "families": ["linear"]}
    with httpx.Client(base_url=serving, headers={"x-api-key": key}, timeout=60) as service:
        answer = service.post("/retrain", json=asked)
        again = service.post("/retrain")
    assert answer.status_code == 202, answer.text
    run_id = answer.json()["run_id"]
    assert answer.json()["url"] == f"{str(client.base_url).rstrip('/')}/runs/{run_id}"
    found = webserver.ask(client, webserver.RUN, id=run_id)["runOrError"]
    webserver.ask(client, webserver.END, id=run_id)
    assert (found["jobName"], found["repositoryOrigin"]["repositoryLocationName"]) == ("retrain", "spx_assets")
    assert found["status"] in ("QUEUED", "STARTING", "STARTED")
    assert sorted("/".join(key["path"]) for key in found["assetSelection"]) == [
        "models/spx500_h30/champion",
        "models/spx500_h30/linear",
    ]
    tags = {tag["key"]: tag["value"] for tag in found["tags"]}
    assert tags["dagster/partition"] == week
    assert tags["spx/asked_by"].endswith("(desk)")
    assert (again.status_code, again.json()["code"]) == (409, "retrain_running")
    assert f"run {run_id} of retrain" in again.json()["detail"]
