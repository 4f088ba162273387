"""An MLflow store without runs, made by MLflow once and copied into homes: making one runs its migrations, 2 CPU s.

Belongs here: the database and its place in a home. Does not: runs, versions. Use it from a conftest.py or a test:
`from spx_assets_tests.mlflow_stores import mlflow_database`.
"""

import os
import shutil
from pathlib import Path

import pytest
from filelock import FileLock


@pytest.fixture(scope="session")
def mlflow_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database, one for all workers of the run."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "mlflow store"
    folder.mkdir(exist_ok=True)
    made, fresh = folder / "mlflow.db", folder / "fresh.db"
    with FileLock(folder / "lock"):
        if not made.exists():
            from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

            SqlAlchemyStore(f"sqlite:///{fresh}", str(folder / "artifacts")).engine.dispose()
            fresh.rename(made)
    return made


def place(database: Path, home: Path) -> None:
    """Give the home a copy as its own store."""
    (home / "mlflow").mkdir(parents=True, exist_ok=True)
    shutil.copyfile(database, home / "mlflow" / "mlflow.db")
