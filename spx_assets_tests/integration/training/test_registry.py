"""The MLflow registry mirrors the home: a version each candidate, aliases that follow current.json and nothing else."""

from datetime import date
from pathlib import Path

import dagster as dg
import pytest
from mlflow import MlflowClient

from spx_assets.assets import registry
from spx_assets.assets.registry import RegistryError
from spx_assets.build import build_defs
from spx_assets.lake import Lake
from spx_assets.partitions import key_of
from spx_assets.scoring import artifact
from spx_assets.settings import MlflowSettings, Settings
from spx_assets.training import manual, promotion
from spx_assets_tests.integration.training.conftest import LAST, NAME, OLDER, train_week


class StoppedError(Exception):
    """Stands for the process that ended."""


def decide(settings: Settings, week: date = LAST) -> str:
    return str(promotion.decide(Lake.open(settings), settings, name=NAME, week=week, run_id="run").rows[0]["verdict"])


def sync(settings: Settings) -> None:
    registry.sync(settings, Lake.open(settings), name=NAME)


def statuses(settings: Settings) -> dict[str, str]:
    """Version to status; each is registered once."""
    found = MlflowClient(settings.mlflow_uri).search_model_versions(f"name = '{NAME}'")
    told = {version.tags["version"]: version.tags["status"] for version in found}
    assert len(told) == len(found)
    return told


def aliases(settings: Settings) -> dict[str, str]:
    """Alias to version."""
    client = MlflowClient(settings.mlflow_uri)
    named = client.get_registered_model(NAME).aliases
    return {alias: client.get_model_version(NAME, str(number)).tags["version"] for alias, number in named.items()}


def test_every_candidate_is_a_version_with_its_origin_and_the_aliases_follow_current_json(
    home: Settings, taught: tuple[Path, str, str]
):
    older, last = taught[1:]
    client = MlflowClient(home.mlflow_uri)
    run = client.create_run(client.create_experiment(home.mlflow.experiment), tags={"version": last}).info
    sync(home)
    assert (statuses(home), aliases(home)) == ({older: "candidate", last: "candidate"}, {})
    decide(home)
    sync(home)
    assert (statuses(home), aliases(home)) == ({older: "candidate", last: "champion"}, {"champion": last})
    first, second = sorted(client.search_model_versions(f"name = '{NAME}'"), key=lambda found: int(found.version))
    manifest = artifact.load(artifact.folder(home.artifacts, NAME, last)).manifest
    assert second.tags == {
        "version": last,
        "digest": manifest.digest,
        "family": "lightgbm",
        "week": str(LAST),
        "status": "champion",
        "verdict": "promoted",
    }
    assert (second.run_id, second.source) == (run.run_id, f"{run.artifact_uri}/artifact")
    late = client.get_run(first.run_id)
    told = artifact.load(artifact.folder(home.artifacts, NAME, older)).manifest.metrics
    assert (late.info.run_name, late.info.status) == (f"models/{NAME}/lightgbm {OLDER}", "FINISHED")
    assert (late.data.tags["version"], late.data.metrics["log_loss"]) == (older, told["log_loss"])
    assert first.source == f"{late.info.artifact_uri}/artifact"
    kept = Path(client.download_artifacts(late.info.run_id, "artifact/manifest.json"))
    assert kept.read_bytes() == (artifact.folder(home.artifacts, NAME, older) / "manifest.json").read_bytes()

    twin = train_week(home).version
    decide(home)
    sync(home)
    assert statuses(home) == {older: "candidate", last: "champion", twin: "challenger"}
    assert aliases(home) == {"champion": last, "challenger": twin}
    assert client.get_model_version_by_alias(NAME, "challenger").tags["parent_version"] == last

    manual.promote(Lake.open(home), home, version=twin, reason="why not")
    sync(home)
    assert statuses(home) == {older: "candidate", last: "archived", twin: "champion"}
    assert aliases(home) == {"champion": twin}


@pytest.mark.parametrize(
    "step", ["create_registered_model", "create_model_version", "set_model_version_tag", "set_registered_model_alias"]
)
def test_a_decision_that_ended_before_or_within_the_registry_is_completed_by_the_next(
    home: Settings, taught: tuple[Path, str, str], monkeypatch: pytest.MonkeyPatch, step: str
):
    older, last = taught[1:]
    if step == "set_model_version_tag":
        sync(home)
    decide(home)
    with monkeypatch.context() as patched:
        patched.setattr(MlflowClient, step, stop)
        with pytest.raises(StoppedError):
            sync(home)
    for _ in range(2):
        sync(home)
        assert (statuses(home), aliases(home)) == ({older: "candidate", last: "champion"}, {"champion": last})


def stop(*given: object, **named: object) -> None:
    raise StoppedError


def test_a_second_time_writes_nothing(home: Settings, taught: tuple[Path, str, str], monkeypatch: pytest.MonkeyPatch):
    decide(home)
    sync(home)
    for writes in (
        "create_model_version",
        "set_model_version_tag",
        "set_registered_model_alias",
        "delete_registered_model_alias",
    ):
        monkeypatch.setattr(MlflowClient, writes, stop)
    sync(home)


def test_an_older_week_made_again_through_the_graph_moves_no_alias(home: Settings, taught: tuple[Path, str, str]):
    """The champion asset itself brings the registry in line, for the newest week and for the older one."""
    judged(home, LAST)
    assert aliases(home) == {"champion": taught[2]}
    again = train_week(home, OLDER).version
    standing = (home.artifacts / "models" / NAME / "current.json").read_bytes()
    judged(home, OLDER)
    assert (home.artifacts / "models" / NAME / "current.json").read_bytes() == standing
    assert aliases(home) == {"champion": taught[2]}
    assert statuses(home) == {taught[1]: "archived", taught[2]: "champion", again: "archived"}


def judged(settings: Settings, week: date) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        done = (
            build_defs(settings)
            .resolve_implicit_global_asset_job_def()
            .execute_in_process(
                instance=instance,
                asset_selection=[dg.AssetKey(["models", NAME, "champion"])],
                partition_key=key_of(week),
                run_config={"loggers": {"console": {"config": {"log_level": "ERROR"}}}},
            )
        )
    assert done.success


def test_a_registry_that_does_not_answer_is_said_and_the_decision_stands(home: Settings, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    nowhere = home.model_copy(update={"mlflow": MlflowSettings(tracking_uri="http://127.0.0.1:9")})
    decide(home)
    with pytest.raises(RegistryError, match=f"the next decision on {NAME} completes it"):
        sync(nowhere)
