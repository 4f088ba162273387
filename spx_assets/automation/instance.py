"""Where the Dagster instance keeps its state: under `$SPX_HOME/dagster`, however Dagster was started.

Belongs here: storages named in dagster.yaml, and placing that file. Does not: jobs, schedules, sensors.
"""

import os
import shutil
import sqlite3
from pathlib import Path
from typing import Any

from dagster._core.storage.local_compute_log_manager import LocalComputeLogManager
from dagster._core.storage.root import LocalArtifactStorage
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage
from dagster._serdes import ConfigurableClassData
from sqlalchemy import event
from sqlalchemy.engine import Engine

from spx_assets.settings import Settings, load

ROOT = Path(__file__).resolve().parents[2]
_HELD = 8


def place(settings: Settings) -> None:
    """Put the project's dagster.yaml in the home and point DAGSTER_HOME and SPX_HOME at it, for this process and its children."""
    settings.dagster_home.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(ROOT / "dagster.yaml", settings.dagster_home / "dagster.yaml")
    os.environ["SPX_HOME"] = str(settings.home)
    os.environ["DAGSTER_HOME"] = str(settings.dagster_home)
    os.environ["DAGSTER_DISABLE_TELEMETRY"] = "yes"


class HomeStorage(DagsterSqliteStorage):
    """Runs, events and schedules in SQLite under the home.

    Dagster opens a connection for each event and the last one to close a database syncs and removes its WAL. Here a connection
    stays open to those in use, and a commit does not wait for the disk: in WAL mode that can lose the last events in a power
    cut, never the database. The lake's own catalog is not touched by this.
    """

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._root = os.path.realpath(base_dir)
        self._open: dict[str, sqlite3.Connection] = {}
        event.listen(Engine, "connect", self._connected)
        super().__init__(base_dir, inst_data)

    def _connected(self, connection: Any, record: Any) -> None:
        """Called for every SQLAlchemy connection of the process; only those to the home's own databases are meant."""
        if not isinstance(connection, sqlite3.Connection):
            return
        path = connection.execute("PRAGMA database_list").fetchone()[2]
        if not os.path.realpath(path).startswith(self._root + os.sep):
            return
        connection.execute("PRAGMA synchronous = NORMAL")
        if path not in self._open:
            # Runs, schedules, the index and the newest runs' events: one file a run, so old ones have to go.
            while len(self._open) >= _HELD:
                self._open.pop(next(iter(self._open))).close()
            held = self._open[path] = sqlite3.connect(path, check_same_thread=False)
            held.execute("SELECT count(*) FROM sqlite_master").fetchone()

    def dispose(self) -> None:
        event.remove(Engine, "connect", self._connected)
        while self._open:
            self._open.popitem()[1].close()
        super().dispose()

    @classmethod
    def config_type(cls) -> Any:
        return {}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> "HomeStorage":
        return cls(str(load().dagster_home / "storage"), inst_data)


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
