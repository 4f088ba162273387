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
from typing import TYPE_CHECKING, Any

from spx_assets import SpxError
from spx_assets.lake import Lake
from spx_assets.scoring import artifact, current
from spx_assets.scoring.current import Current
from spx_assets.settings import Settings

if TYPE_CHECKING:
    from mlflow import MlflowClient

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

    if not settings.mlflow.tracking_uri:
        (settings.home / "mlflow").mkdir(parents=True, exist_ok=True)
    try:
        with promotion.one_at_a_time(settings, name):
            _sync(MlflowClient(settings.mlflow_uri), settings, lake, name)
    except MlflowException as error:
        raise RegistryError(
            f"what is served of {name} is decided and recorded, but the MLflow registry at {settings.mlflow_uri} is not in line "
            f"({error}); the next decision on {name} completes it"
        ) from error


def _sync(client: "MlflowClient", settings: Settings, lake: Lake, name: str) -> None:
    from spx_assets.training import catalogue

    numbers, tags = _registered(client, name)
    runs = _Runs(client, settings)
    for row in catalogue.listing(lake, settings, name).sort("version").iter_rows(named=True):
        wanted = _tags(row)
        version = row["version"]
        if version not in numbers:
            run_id, source = runs.of(version)
            folder = artifact.folder(settings.artifacts, name, version)
            made = client.create_model_version(name, source or folder.as_uri(), run_id=run_id, tags=wanted)
            numbers[version] = str(made.version)
            continue
        for tag, value in wanted.items():
            if tags[version].get(tag) != value:
                client.set_model_version_tag(name, numbers[version], tag, value)
    _point(client, name, numbers, current.read(settings.artifacts, name) or Current())


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


class _Runs:
    """The MLflow runs in which versions were trained."""

    def __init__(self, client: "MlflowClient", settings: Settings) -> None:
        self._client = client
        self._experiment = client.get_experiment_by_name(settings.mlflow.experiment)

    def of(self, version: str) -> tuple[str | None, str | None]:
        """(run, where it keeps the artifact); None twice for a version trained outside of the graph."""
        if self._experiment is None:
            return None, None
        found = self._client.search_runs([self._experiment.experiment_id], f"tags.version = '{version}'", max_results=1)
        if not found:
            return None, None
        info = found[0].info
        return info.run_id, f"{info.artifact_uri}/artifact"
