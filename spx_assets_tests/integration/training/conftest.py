"""One simulated market with a strong edge in a lake, for all tests of this folder that need the store."""

import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from spx_assets.lake import Lake
from spx_assets.settings import GateSettings, LightGBMSettings, ModelSettings, Settings, SimulatorSettings
from spx_assets.training import train
from spx_assets_tests import mlflow_stores
from spx_assets_tests.integration.training import spine
from spx_assets_tests.mlflow_stores import mlflow_database

__all__ = ["mlflow_database"]

NAME = "spx500_h30"
LAST, OLDER = date(2025, 10, 12), date(2025, 9, 28)

# 25 days leave about 105 effective out-of-time observations at 30 minutes; four times the edge shows in those.
MARKET = SimulatorSettings(days=25, edge=4.0)
MODELS = ModelSettings(
    gate=GateSettings(min_effective_obs=50.0),
    lightgbm=LightGBMSettings(learning_rate=0.2, max_rounds=15, early_stopping_rounds=15, threads=1),
)


def settings_of(home: Path) -> Settings:
    return Settings(home=home, simulator=MARKET, models=MODELS)


def train_week(settings: Settings, week: date = LAST) -> train.TrainedVersion:
    return train.train(Lake.open(settings), settings, name=NAME, family="lightgbm", week=week, run_id="run", inputs_hash="inputs")


@pytest.fixture(scope="session")
def traded(tmp_path_factory: pytest.TempPathFactory, mlflow_database: Path) -> Path:
    """A home with features and labels of the market in its lake, an MLflow store without runs and no model."""
    home = tmp_path_factory.mktemp("training") / "home"
    mlflow_stores.place(mlflow_database, home)
    lake = Lake.open(settings_of(home))
    spine.fill(lake)
    lake.close()
    return home


@pytest.fixture(scope="session")
def taught(traded: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    """A copy of that home with a version of an older week and one of the last, not judged; (home, older, last)."""
    home = tmp_path_factory.mktemp("taught") / "home"
    shutil.copytree(traded, home)
    older, last = (train_week(settings_of(home), week).version for week in (OLDER, LAST))
    Lake.open(settings_of(home)).close()
    return home, older, last


def _copy(source: Path, target: Path) -> Iterator[Settings]:
    shutil.copytree(source, target)
    settings = settings_of(target)
    yield settings
    Lake.open(settings).close()


@pytest.fixture
def untaught_home(traded: Path, tmp_path: Path) -> Iterator[Settings]:
    """Settings of a copy of the home without a model, which a test may change."""
    yield from _copy(traded, tmp_path / "market")


@pytest.fixture
def home(taught: tuple[Path, str, str], tmp_path: Path) -> Iterator[Settings]:
    """Settings of a copy of the home with two versions, which a test may change."""
    yield from _copy(taught[0], tmp_path / "market")
