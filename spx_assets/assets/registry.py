"""MLflow's model registry as a mirror of the home: a registered model a forecaster, a version each candidate, two aliases.

Belongs here: bringing the registry in line with `models.versions` and `current.json`. Does not: deciding who is served; runs
of trainings (`mlflow_runs`).

Everything written here follows from the lake and `current.json`, so doing it again changes nothing, and a process that ended
before or within it leaves what the next decision on the forecaster completes. Aliases are those of `current.json` and of
nothing else: a verdict that does not move it does not move them.
"""

import logging
import os
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spx_assets import SpxError
from spx_assets.assets.mlflow_runs import FOLDER, ensure_experiment, ms
from spx_assets.lake import Lake
from spx_assets.scoring import artifact, current
from spx_assets.scoring.current import Current
from spx_assets.settings import Settings

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import RunInfo

LOG = logging.getLogger(__name__)
ALIASES = ("champion", "challenger")
PAGE = 1_000


class RegistryError(SpxError):
    """The MLflow registry could not be brought in line."""


def sync(settings: Settings, lake: Lake, *, name: str) -> None:
    """Registers every version of `name` once, and sets its tags and the aliases as they should be.

    Under the lock of the forecaster's decisions, so that two of them cannot set the aliases in the wrong order.
    RegistryError, with what it holds up, if MLflow does not answer or refuses.
    """
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    from spx_assets.training import promotion

    try:
        with promotion.one_at_a_time(settings, name):
            experiment = ensure_experiment(settings)
            _sync(MlflowClient(settings.mlflow_uri), settings, lake, name, experiment)
    except MlflowException as error:
        raise RegistryError(
            f"what is served of {name} is decided and recorded, but the MLflow registry at {settings.mlflow_uri} is not in line "
            f"({error}); the next decision on {name} completes it"
        ) from error


def _sync(client: "MlflowClient", settings: Settings, lake: Lake, name: str, experiment: str) -> None:
    from spx_assets.training import catalogue

    numbers, tags = _registered(client, name)
    for row in catalogue.listing(lake, settings, name).sort("version").iter_rows(named=True):
        version, wanted = row["version"], _tags(row)
        if version not in numbers:
            folder = artifact.folder(settings.artifacts, name, version)
            run = _run_of(client, experiment, version) or _late_run(client, experiment, row, folder)
            source = f"{run.artifact_uri}/{FOLDER}"
            made = client.create_model_version(name, source, run_id=run.run_id, tags=wanted, await_creation_for=0)
            numbers[version] = str(made.version)
            continue
        for tag, value in wanted.items():
            if tags[version].get(tag) != value:
                client.set_model_version_tag(name, numbers[version], tag, value)
    _point(client, name, numbers, current.read(settings.artifacts, name) or Current())


def _run_of(client: "MlflowClient", experiment: str, version: str) -> "RunInfo | None":
    """The MLflow run in which the version was trained."""
    found = client.search_runs([experiment], f"tags.version = '{version}'", max_results=1)
    return found[0].info if found else None


def _late_run(client: "MlflowClient", experiment: str, row: Mapping[str, Any], folder: Path) -> "RunInfo":
    """A run for a version that has none: its training ended before it was logged, or was called outside of the graph.

    An MLflow server takes files only from within a run. The tag by which the run is found comes last.
    """
    from mlflow.entities import Metric

    asset = f"models/{row['model_name']}/{row['family']}"
    began, ended = (ms(row["created_at"] - timedelta(seconds=row["training_seconds"] or 0.0)), ms(row["created_at"]))
    tags = {"asset": asset, "partition": str(row["week"]), "digest": row["digest"]}
    run = client.create_run(experiment, start_time=began, run_name=f"{asset} {row['week']}", tags=tags).info
    metrics = [Metric(key, value, ended, 0) for key, value in row.items() if isinstance(value, float)]
    client.log_batch(run.run_id, metrics)
    if folder.exists():  # else deleted by hand since
        client.log_artifacts(run.run_id, str(folder), FOLDER)
    client.set_tag(run.run_id, "version", row["version"])
    client.set_terminated(run.run_id, "FINISHED", ended)
    return run


def _registered(client: "MlflowClient", name: str) -> tuple[dict[str, str], dict[str, Mapping[str, str]]]:
    """MLflow's number and the tags of each version that is registered; the model itself is made if need be."""
    from mlflow.exceptions import MlflowException

    try:
        client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    numbers: dict[str, str] = {}
    tags: dict[str, Mapping[str, str]] = {}
    token: str | None = None
    while True:
        page = client.search_model_versions(f"name = '{name}'", max_results=PAGE, page_token=token)
        for found in page:
            if version := found.tags.get("version"):
                numbers[version], tags[version] = str(found.version), found.tags
        token = page.token
        if not token:
            return numbers, tags


def _tags(row: Mapping[str, Any]) -> dict[str, str]:
    """What a version's page in the MLflow UI says; its metrics stand in its run."""
    told = ("version", "digest", "family", "week", "parent_version", "status", "verdict")
    return {tag: str(row[tag]) for tag in told if row[tag] is not None}


def _point(client: "MlflowClient", name: str, numbers: Mapping[str, str], standing: Current) -> None:
    """The aliases as `current.json` has them; one it does not name, or whose version was never registered, is taken away."""
    now = {alias: str(number) for alias, number in client.get_registered_model(name).aliases.items()}
    for alias in ALIASES:
        version = getattr(standing, alias)
        number = numbers.get(version)
        if version and not number:
            LOG.warning("%s is %s of %s but has no row in models.versions: it has no alias", version, alias, name)
        if number and now.get(alias) != number:
            client.set_registered_model_alias(name, alias, number)
        elif not number and alias in now:
            client.delete_registered_model_alias(name, alias)
