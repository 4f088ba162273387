"""Where the Dagster instance keeps its state: under `$SPX_HOME/dagster`, however Dagster was started.

Belongs here: storages named in dagster.yaml. Does not: placing that file (`home`), jobs, schedules, sensors.
"""

import os
from typing import Any

from dagster._core.storage.local_compute_log_manager import LocalComputeLogManager
from dagster._core.storage.root import LocalArtifactStorage
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage
from dagster._serdes import ConfigurableClassData
from filelock import FileLock

from spx_assets.automation.databases import HomeEvents, HomeRuns, HomeSchedules
from spx_assets.automation.home import ROOT, place
from spx_assets.settings import load

__all__ = ["ROOT", "HomeArtifacts", "HomeComputeLogs", "HomeStorage", "place"]


class HomeStorage(DagsterSqliteStorage):
    """Runs, events and schedules in SQLite under the home."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        # Past the parent's constructor, which would open Dagster's own three and check their schemas as well.
        super(DagsterSqliteStorage, self).__init__()  # type: ignore[no-untyped-call]
        self.base_dir, self._inst_data = base_dir, inst_data
        self._run_storage = HomeRuns.from_local(os.path.join(base_dir, "history"))
        self._event_log_storage = HomeEvents(os.path.join(base_dir, "history", "runs"))
        self._schedule_storage = HomeSchedules.from_local(os.path.join(base_dir, "schedules"))
        # Dagster asks the environment, at each event, how many it may hand over at once. A range of 15 years has 780 weeks.
        os.environ.setdefault("DAGSTER_EVENT_BATCH_SIZE", "1000")

    @classmethod
    def config_type(cls) -> Any:
        return {}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> "HomeStorage":
        home = load().dagster_home
        home.mkdir(parents=True, exist_ok=True)
        # Of several processes that open a new home at once one makes its databases; together they would each write half of them.
        with FileLock(home / ".storage.lock"):
            return cls(str(home / "storage"), inst_data)


class HomeComputeLogs(LocalComputeLogManager):
    """Standard output and error of steps under the home."""

    @classmethod
    def config_type(cls) -> Any:
        return {}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> "HomeComputeLogs":
        return cls(str(load().dagster_home / "logs"), inst_data=inst_data)


class HomeArtifacts(LocalArtifactStorage):
    """Files Dagster keeps beside its database, under the home."""

    @classmethod
    def config_type(cls) -> Any:
        return {}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> "HomeArtifacts":
        return cls(str(load().dagster_home), inst_data)
