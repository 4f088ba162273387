"""One MLflow run for each asset and partition, opened and closed around the body.

Belongs here: the wrapper around dagster-mlflow's resource. Does not: deciding what a version's metrics are.

dagster-mlflow keeps one MLflow run a Dagster run: with parallel steps its hook ends the run under the others, without it
the run stays open. Here each (asset, partition) starts its own and ends it as FINISHED, FAILED or KILLED.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg

from spx_assets.settings import Settings

if TYPE_CHECKING:
    from spx_assets.training.train import TrainedVersion


@dataclass(frozen=True)
class _Init:
    """What dagster-mlflow's `MlFlow` reads from an init context."""

    log: Any
    run_id: str
    dagster_run: Any
    resource_config: dict[str, Any]


class MlflowRuns:
    """Resource `mlflow`: `with mlflow.run(context) as log: log(version)`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @contextmanager
    def run(self, context: dg.AssetExecutionContext) -> Iterator[Callable[["TrainedVersion"], None]]:
        """An MLflow run named '<asset> <partition>', tagged with the Dagster run; never left open, never shared."""
        mlflow = self._open(context)
        try:
            yield lambda version: _log(mlflow, version)
        except KeyboardInterrupt:
            mlflow.end_run(status="KILLED")
            raise
        except BaseException:
            mlflow.end_run(status="FAILED")
            raise
        mlflow.end_run(status="FINISHED")

    def _open(self, context: dg.AssetExecutionContext) -> Any:
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        os.environ.setdefault("DO_NOT_TRACK", "1")
        from dagster_mlflow.resources import MlFlow

        uri = self._settings.mlflow_uri
        if not self._settings.mlflow.tracking_uri:
            _ensure_experiment(uri, self._settings.mlflow.experiment, self._settings.home / "mlflow")
        asset = context.asset_key.to_user_string()

        class OwnRun(MlFlow):
            """A run that is always new and named after the asset and its week."""

            def _get_current_run_id(self, experiment: Any = None, dagster_run_id: str | None = None) -> None:
                self.run_name = f"{asset} {context.partition_key}"

        return OwnRun(  # type: ignore[no-untyped-call]
            _Init(
                log=context.log,
                run_id=context.run_id,
                dagster_run=context.run,
                resource_config={
                    "mlflow_tracking_uri": uri,
                    "experiment_name": self._settings.mlflow.experiment,
                    "extra_tags": {"asset": asset, "partition": context.partition_key},
                },
            )
        )


def _ensure_experiment(uri: str, name: str, folder: Path) -> None:
    """The home's own store keeps artifacts beside its database; MLflow's default is the working directory."""
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    folder.mkdir(parents=True, exist_ok=True)
    client = MlflowClient(uri)
    if client.get_experiment_by_name(name) is None:
        try:
            client.create_experiment(name, artifact_location=(folder / "artifacts").as_uri())
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise


def _log(mlflow: Any, version: "TrainedVersion") -> None:
    mlflow.log_params(version.params())
    mlflow.log_metrics(version.metrics())
    mlflow.set_tags({"version": version.version, "digest": version.digest})
    mlflow.log_artifacts(str(version.folder), artifact_path="artifact")
