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

from spx_assets.automation.instance import ROOT
from spx_assets.cli import processes
from spx_assets.settings import SimulatorSettings
from spx_assets.sources import simulator

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


def test_own_candles_become_a_served_forecast_by_the_readmes_commands(own_candles: Path) -> None:
    folder = own_candles.parent
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
    home = folder / ".spx-own"
    assert [path.name for path in (home / "artifacts" / "models").iterdir()] == ["spx500_h30"]
    up_answers(home)


def up_answers(home: Path) -> None:
    """`make up`, on free ports: the service answers the README's curl, Ctrl-C ends everything."""
    ports = [processes.free_port() for _ in range(3)]
    up = [sys.executable, "-m", "spx_assets.cli", "up"]
    up += ["--port", str(ports[0]), "--serving-port", str(ports[1]), "--mlflow-port", str(ports[2])]
    environment = {"SPX_HOME": str(home), "SPX_LABELS__HORIZONS": "[30]", "PYTHONUNBUFFERED": "1"}
    with (home / "up.log").open("wb") as log:
        child = processes.start(up, env=environment, output=log)
    try:
        processes.wait_until_answers(f"http://127.0.0.1:{ports[1]}/health", child, patience_s=90)
        processes.wait_until_answers(f"http://127.0.0.1:{ports[0]}/server_info", child, patience_s=120)
        processes.wait_until_answers(f"http://127.0.0.1:{ports[2]}/health", child, patience_s=120)
        curl = shlex.split(command("curl -X POST").replace("localhost:8000", f"127.0.0.1:{ports[1]}"))
        answer = subprocess.run([*curl, "--silent", "--fail-with-body"], capture_output=True, text=True, check=False)
        assert answer.returncode == 0, answer.stdout
        assert '"instrument":"SPX500_USD"' in answer.stdout
        again = httpx.post(f"http://127.0.0.1:{ports[1]}/predict", json={"instrument": "NOT_HERE"}, timeout=10)
        assert (again.status_code, again.json()["code"]) == (404, "unknown_instrument")
    finally:
        child.send_signal(signal.SIGINT)
        child.wait(60)
    assert child.returncode == 0, (home / "up.log").read_text()[-2000:]
    assert all(processes.is_free(port) for port in ports)
