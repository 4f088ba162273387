"""`spx models` on a home with two versions: what it prints, what it moves, what it refuses."""

import csv
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import pytest
from typer.testing import CliRunner

from spx_assets import SpxError
from spx_assets.cli import app
from spx_assets.lake import Lake
from spx_assets.scoring import artifact
from spx_assets.scoring.forecaster import Forecaster
from spx_assets.settings import Settings
from spx_assets.training import comparison, promotion, rivalry
from spx_assets.training.errors import NotComparableError
from spx_assets_tests.integration.training.conftest import LAST, NAME, OLDER, train_week


@dataclass(frozen=True)
class Done:
    code: int
    tables: list[list[dict[str, str]]]
    error: str

    @property
    def rows(self) -> list[dict[str, str]]:
        (rows,) = self.tables
        return rows


Models = Callable[..., Done]


@pytest.fixture
def models(home: Settings, monkeypatch: pytest.MonkeyPatch) -> Models:
    """`spx models` with arguments in that home; tables as dictionaries, an error as its words."""
    monkeypatch.setenv("SPX_HOME", str(home.home))
    monkeypatch.setenv("SPX_SIMULATOR__DAYS", str(home.simulator.days))
    monkeypatch.setenv("SPX_SIMULATOR__EDGE", str(home.simulator.edge))
    monkeypatch.setenv("SPX_MODELS__FEATURES", json.dumps(home.models.features))

    def run(*arguments: str) -> Done:
        done = CliRunner().invoke(app, ["models", *arguments])
        if done.exception and not isinstance(done.exception, (SpxError, SystemExit)):
            raise done.exception
        tables = [list(csv.DictReader(io.StringIO(text), delimiter="\t")) for text in done.stdout.split("\n\n") if text]
        return Done(done.exit_code, tables, str(done.exception) if isinstance(done.exception, SpxError) else done.stderr)

    return run


def decide(settings: Settings) -> None:
    promotion.decide(Lake.open(settings), settings, name=NAME, week=LAST, run_id="run")


def test_list_shows_the_newest_week_first_with_status_verdict_and_baselines(
    home: Settings, models: Models, taught: tuple[Path, str, str]
):
    older, last = taught[1:]
    assert [(row["version"], row["status"], row["verdict"]) for row in models("list").rows] == [
        (last, "candidate", ""),
        (older, "candidate", ""),
    ]
    decide(home)
    again = train_week(home, OLDER).version
    listed = models("list", NAME).rows
    assert [(row["version"], row["week"], row["status"], row["verdict"]) for row in listed] == [
        (last, str(LAST), "champion", "promoted"),
        (again, str(OLDER), "candidate", ""),
        (older, str(OLDER), "archived", ""),
    ]
    told = artifact.load(artifact.folder(home.artifacts, NAME, last)).manifest.metrics
    for metric in ("log_loss", "log_loss_base", "rmse_bp", "rmse_zero_bp", "rmse_ar1_bp", "auc_low"):
        assert float(listed[0][metric]) == told[metric]
    refused = models("list", "nothing")
    assert (refused.code, refused.error) == (1, f"no version of 'nothing' in this home; there are versions of {NAME}")


def test_show_puts_every_metric_beside_its_baselines(home: Settings, models: Models, taught: tuple[Path, str, str]):
    decide(home)
    facts, metrics, importance = models("show", taught[2]).tables
    fact = {row["fact"]: row["value"] for row in facts}
    assert (fact["status"], fact["verdict"], fact["parent_version"]) == ("champion", "promoted", "")
    assert "log loss" in fact["reason"]
    told = artifact.load(artifact.folder(home.artifacts, NAME, taught[2])).manifest.metrics
    found = {(row["metric"], row["beside"]): (row["value"], row["baseline"]) for row in metrics}
    assert found["log_loss", "base rate"] == (str(told["log_loss"]), str(told["log_loss_base"]))
    assert [found["rmse_bp", name][1] for name in ("zero", "mean", "ar1")] == [
        str(told[f"rmse_{n}_bp"]) for n in ("zero", "mean", "ar1")
    ]
    assert found["auc", "chance"] == (str(told["auc"]), "0.5")
    up = float(found["precision", "always up"][1])
    assert float(found["accuracy", "base rate"][1]) in (pytest.approx(up, abs=1e-9), pytest.approx(1 - up, abs=1e-9))
    assert found["log_loss_calibration", "base rate"][1] == str(told["log_loss_calibration_base"])
    assert all(beside for _, beside in found)
    (auc,) = [row for row in metrics if row["metric"] == "auc"]
    assert (float(auc["low"]), float(auc["high"])) == (told["auc_low"], told["auc_high"])
    assert [row["rank"] for row in importance] == [str(rank) for rank in range(1, 11)]


def test_compare_tests_two_versions_on_the_rows_the_gate_would(home: Settings, models: Models, taught: tuple[Path, str, str]):
    older, last = taught[1:]
    one, two = models("compare", older, last).rows
    manifest = artifact.load(artifact.folder(home.artifacts, NAME, last)).manifest
    gate = rivalry.compare(Lake.open(home), home, candidate=manifest, champion=older)
    assert gate is not None
    assert (two["version"], int(two["rows"]), float(two["p_better"])) == (last, gate.rows, gate.p_value)
    assert float(one["p_better"]) == pytest.approx(1 - gate.p_value)
    assert one["log_loss_base"] == two["log_loss_base"]
    assert 0.68 < float(one["log_loss_base"]) < 0.71
    assert float(one["rmse_zero_bp"]) == float(two["rmse_zero_bp"])
    assert float(two["effective_obs"]) < int(two["rows"]) / 20
    same = models("compare", last, last).rows
    assert [row["p_better"] for row in same] == ["1.0", "1.0"]


def test_versions_of_other_features_are_compared_and_of_another_horizon_refused(home: Settings, taught: tuple[Path, str, str]):
    few = home.models.model_copy(update={"features": {NAME: ("returns", "calendar")}})
    lake, market = Lake.open(home), train_week(home.model_copy(update={"models": few})).version
    told = comparison.compare(lake, home, versions=(market, taught[2]))
    assert told["features"][0] < told["features"][1]
    loaded = Forecaster.load(artifact.folder(home.artifacts, NAME, market)).manifest
    assert told["rows"][0] > 0.9 * loaded.segments["out_of_time"].rows
    assert np.all(told["log_loss"].to_numpy() < told["log_loss_base"].to_numpy())
    longer = changed_copy(home, taught[2], horizon_minutes=60)
    with pytest.raises(NotComparableError, match="over 60 minutes"):
        comparison.compare(lake, home, versions=(longer, taught[2]))


def changed_copy(settings: Settings, version: str, **changes: object) -> str:
    """A version that differs from another in its manifest."""
    found = artifact.load(artifact.folder(settings.artifacts, NAME, version))
    manifest = msgspec.structs.replace(found.manifest, version=f"{version}x", **changes)
    files = {name: (found.folder / name).read_bytes() for name in found.manifest.files}
    return artifact.write(settings.artifacts, manifest, files).manifest.version


def test_a_promotion_and_a_rollback_by_hand_are_recorded_with_their_reason(
    home: Settings, models: Models, taught: tuple[Path, str, str]
):
    older, last = taught[1:]
    decide(home)
    (row,) = models("promote", older, "--reason", "the last week was odd").rows
    assert (row["verdict"], row["reason"], row["champion_before"], row["served"]) == (
        *("manual", "the last week was odd"),
        *(last, older),
    )
    (row,) = models("rollback", NAME, "--reason", "it was not").rows
    assert (row["served"], row["reason"]) == (last, "it was not")
    history = models("history", NAME).rows
    assert [(r["verdict"], r["served"]) for r in history] == [("promoted", last), ("manual", older), ("manual", last)]
    assert models("promote", older).code == 2
    refused = models("promote", older, "--reason", " ")
    assert (refused.code, "needs a reason" in refused.error) == (1, True)
    assert {r["version"]: r["status"] for r in models("list").rows} == {last: "champion", older: "archived"}


def test_history_tells_who_was_served_at_an_instant_of_the_feeds_clock(
    home: Settings, models: Models, taught: tuple[Path, str, str]
):
    decide(home)
    (row,) = models("history", NAME).rows
    assert row["effective_at"] < row["decided_at"]  # the simulator's clock stands
    before, after = models("history", NAME, "--at", "2025-10-01T12:00"), models("history", NAME, "--at", "2025-12-01")
    assert [r["version"] for r in before.rows] == [""]
    assert [(r["version"], r["family"], r["week"]) for r in after.rows] == [(taught[2], "lightgbm", str(LAST))]


def test_export_copies_a_verified_version_and_refuses_what_it_would_overwrite(
    home: Settings, models: Models, taught: tuple[Path, str, str], tmp_path: Path
):
    target = tmp_path / "handed" / "over"
    target.parent.mkdir()
    assert models("export", taught[2], str(target)).code == 0
    copied = Forecaster.load(artifact.folder(target, NAME, taught[2])).manifest
    assert copied == artifact.load(artifact.folder(home.artifacts, NAME, taught[2])).manifest
    again = models("export", taught[2], str(target))
    assert (again.code, again.error) == (1, f"{target} exists and is not an empty folder; name another one")

    graph = artifact.folder(home.artifacts, NAME, taught[1]) / "model.onnx"
    graph.write_bytes(graph.read_bytes()[:-100])
    altered = models("export", taught[1], str(tmp_path / "altered"))
    assert (altered.code, "model.onnx was altered" in altered.error) == (1, True)
    assert [path.name for path in tmp_path.iterdir() if "altered" in path.name] == []
    assert "no version '2099'" in models("export", "2099", str(tmp_path / "none")).error


def test_best_writes_the_ranking_of_the_newest_week(home: Settings, models: Models, taught: tuple[Path, str, str]):
    other = train_week(home).version  # the later of two trainings of a family and week is the candidate
    (row,) = models("best").rows
    assert (row["model_name"], row["rank"], row["version"]) == (NAME, "1", other)
    told = json.loads((home.artifacts / "best_model_selection.json").read_bytes())
    found = told["models"][NAME]
    metrics = artifact.load(artifact.folder(home.artifacts, NAME, other)).manifest.metrics
    chosen = found["best_model"]
    assert (chosen["experiment"], chosen["model_file"]) == (f"models/{NAME}/lightgbm", f"models/{NAME}/{other}/model.onnx")
    assert (chosen["oot_auc"], chosen["overfitting_ratio"]) == (metrics["auc"], metrics["auc_fit"] - metrics["auc"])  # type: ignore[operator]
    assert [(place["name"], place["rank"]) for place in found["ranking"]] == [("lightgbm", 1)]


def test_reproduce_prints_differences_and_fails_if_there_are_any(home: Settings, models: Models, taught: tuple[Path, str, str]):
    done = models("reproduce", taught[2])
    assert (done.code, done.rows[0]["exact"], done.rows[0]["probability_difference"]) == (0, "True", "0.0")
    other = changed_copy(home, taught[2], parameters={**parameters(home, taught[2]), "seed": 8, "learning_rate": 0.3})
    differs = models("reproduce", other)
    assert (differs.code, differs.rows[0]["exact"]) == (1, "False")
    assert float(differs.rows[0]["probability_difference"]) > 0


def parameters(settings: Settings, version: str) -> dict[str, object]:
    return dict(artifact.load(artifact.folder(settings.artifacts, NAME, version)).manifest.parameters)
