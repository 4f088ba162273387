"""`spx demo` on a file: end to end in a home of its own, an honest verdict, the same numbers twice."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from spx_assets import cli
from spx_assets.settings import SimulatorSettings
from spx_assets.sources import simulator
from spx_assets_tests.conftest import SHARED_DATA


def demo(candles: Path, home: Path, *options: str, timeout: float = 280) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "spx_assets.cli", "demo", "--candles", str(candles), *options],
        capture_output=True,
        text=True,
        env={**os.environ, "SPX_HOME": str(home)},
        timeout=timeout,
        check=False,
    )


def metrics(printed: str) -> list[str]:
    """What a demo printed except for its seconds and the answer's own id and latency."""
    return [line for line in printed.splitlines() if line.startswith(("eur_usd_", "spx", "verdict"))]


def test_a_driftless_file_is_told_to_have_no_edge_with_the_same_numbers_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    settings = SimulatorSettings(seed=5, days=22, edge=0.0)
    rows = simulator.generate(settings, *simulator.history(settings), instrument="EUR_USD").with_columns(volume=0.0)
    path, home = tmp_path / "walk.parquet", tmp_path / "walk"
    rows.rename({"ts": "time"}).select("time", "open", "high", "low", "close", "volume").write_parquet(path)
    home.mkdir()
    (home / "settings.env").write_text('SPX_LABELS__HORIZONS=[30]\nSPX_MODELS__FAMILIES=["lightgbm"]\n')
    first = demo(path, home, "--instrument", "EUR_USD")
    assert first.returncode == 0, first.stderr[-3000:]
    assert "verdict\tno_edge" in first.stdout.splitlines()
    answer = json.loads(first.stdout.splitlines()[-1])
    assert (answer["instrument"], answer["gate"], answer["signal"]) == ("EUR_USD", "no_edge", "hold")
    assert answer["model_name"] == "eur_usd_h30"
    # Again in this process, which has imported what the command needs: 6 CPU s less than one of its own.
    for name, value in {"SPX_HOME": str(home), "DAGSTER_HOME": ""}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "argv", ["spx", "demo", "--candles", str(path), "--instrument", "EUR_USD"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert not ended.value.code
    assert metrics(capfd.readouterr().out) == metrics(first.stdout)
    assert len(metrics(first.stdout)) == 4


@pytest.mark.long
def test_the_real_series_runs_end_to_end_and_says_whether_there_is_an_edge(tmp_path: Path) -> None:
    path = SHARED_DATA / "candles" / "spx500usd_m1_2018_2019h1.parquet"
    if not path.exists():
        pytest.skip("the real series lies beside the project in ../shared/data and is absent here")
    done = demo(path, tmp_path / "real", "--instrument", "SPX500_USD", timeout=1500)
    assert done.returncode == 0, done.stderr[-3000:]
    assert {"verdict\tno_edge", "verdict\tpromoted"} & set(done.stdout.splitlines())
    assert json.loads(done.stdout.splitlines()[-1])["instrument"] == "SPX500_USD"
