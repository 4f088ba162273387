"""`spx demo` on a file: end to end in a home of its own, an honest verdict, the same numbers twice; and `spx walk-forward`, which
goes on from what the demo trained.
"""

import json
import os
import subprocess
import sys
from datetime import date
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest

from spx_assets import calendar, cli
from spx_assets.lake import Lake
from spx_assets.scoring import outcomes
from spx_assets.settings import SimulatorSettings, load
from spx_assets.sources import feeds, simulator
from spx_assets_tests import mlflow_stores
from spx_assets_tests.conftest import SHARED_DATA
from spx_assets_tests.mlflow_stores import mlflow_database

__all__ = ["mlflow_database"]


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


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """Exit code of `spx` in this process, which has imported what it needs: 6 CPU s less than one of its own."""
    monkeypatch.setattr(sys, "argv", ["spx", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return int(ended.value.code or 0)


def test_a_driftless_file_has_no_edge_with_the_same_numbers_twice_and_a_walk_forward_goes_on_from_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], mlflow_database: Path
) -> None:
    settings = SimulatorSettings(seed=5, days=22, edge=0.0)
    rows = simulator.generate(settings, *simulator.history(settings), instrument="EUR_USD").with_columns(volume=0.0)
    path, home = tmp_path / "walk.parquet", tmp_path / "walk"
    rows.rename({"ts": "time"}).select("time", "open", "high", "low", "close", "volume").write_parquet(path)
    mlflow_stores.place(mlflow_database, home)
    # A family that takes no time to train: here the commands are tried.
    lines = ["SPX_LABELS__HORIZONS=[30]", 'SPX_MODELS__FAMILIES=["linear"]', "SPX_MODELS__LINEAR__PENALTIES=[10.0]"]
    (home / "settings.env").write_text("\n".join(lines) + "\n")
    for name, value in {"SPX_HOME": str(home), "DAGSTER_HOME": ""}.items():
        monkeypatch.setenv(name, value)
    demo = ("demo", "--candles", str(path), "--instrument", "EUR_USD")
    assert run(monkeypatch, *demo) == 0
    first = capfd.readouterr().out
    assert "verdict\tno_edge" in first.splitlines()
    answer = json.loads(first.splitlines()[-1])
    assert (answer["instrument"], answer["gate"], answer["signal"]) == ("EUR_USD", "no_edge", "hold")
    assert answer["model_name"] == "eur_usd_h30"
    assert run(monkeypatch, *demo) == 0
    assert metrics(capfd.readouterr().out) == metrics(first)
    assert len(metrics(first)) == 4
    lake = Lake.open(load(home))
    walks_on(monkeypatch, lake, feeds.weeks_with_rows(lake)[-4:])
    header, row = (
        line.split("\t") for line in capfd.readouterr().out.splitlines() if line.startswith(("model_name", "eur_usd_h30\t"))
    )
    told, ranked = dict(zip(header, row, strict=True)), outcomes.scores(lake).row(0, named=True)
    assert {name: float(told[name]) for name in ("auc", "auc_low", "log_loss_base")} == {
        name: pytest.approx(ranked[name]) for name in ("auc", "auc_low", "log_loss_base")
    }
    assert int(told["versions"]) == 3


def walks_on(monkeypatch: pytest.MonkeyPatch, lake: Lake, weeks: list[date]) -> None:
    """Of four weeks the first and the last are trained: the first gets no second version, later ones get scores."""
    made = dict(lake.read("models.versions").select("week", "version").rows())
    assert set(made) == {weeks[0], weeks[3]}
    assert run(monkeypatch, "walk-forward", "--from", weeks[0].isoformat(), "--to", weeks[3].isoformat()) == 0
    versions = lake.read("models.versions").sort("week")
    assert versions["week"].to_list() == weeks
    newest = dict(versions.select("week", "version").rows())
    assert {week: newest[week] for week in made} == made
    days = lake.read("gold.forecasts").select("trading_day", "version").unique().rows()
    assert {(calendar.week_of_day(day), version) for day, version in days} == {
        (later, newest[trained]) for trained, later in pairwise(weeks)
    }
    scored = lake.read("gold.forecast_scores").filter(pl.col("labelled") > 0)
    assert set(scored["version"]) == {newest[week] for week in weeks[:3]}


@pytest.mark.parametrize("every", ["x", "0w", "w", "1.5w"])
def test_a_distance_that_is_no_number_of_weeks_is_a_wrong_use(every: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(monkeypatch, "walk-forward", "--every", every) == 2


@pytest.mark.long
def test_the_real_series_runs_end_to_end_and_says_whether_there_is_an_edge(tmp_path: Path) -> None:
    path = SHARED_DATA / "candles" / "spx500usd_m1_2018_2019h1.parquet"
    if not path.exists():
        pytest.skip("the real series lies beside the project in ../shared/data and is absent here")
    done = demo(path, tmp_path / "real", "--instrument", "SPX500_USD", timeout=1500)
    assert done.returncode == 0, done.stderr[-3000:]
    assert {"verdict\tno_edge", "verdict\tpromoted"} & set(done.stdout.splitlines())
    assert json.loads(done.stdout.splitlines()[-1])["instrument"] == "SPX500_USD"
