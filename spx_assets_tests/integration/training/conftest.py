"""One simulated market with a strong edge in a lake, for all tests of this folder that need the store."""

import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from spx_assets.lake import Lake
from spx_assets.settings import Settings
from spx_assets.training import train
from spx_assets.training.evaluation.report import Report
from spx_assets_tests import built_once, mlflow_stores
from spx_assets_tests.integration.training import spine
from spx_assets_tests.integration.training.market import LAST, MARKET_ONLY, MODELS, NAME, OLDER, settings_of
from spx_assets_tests.mlflow_stores import mlflow_database

__all__ = ["LAST", "MARKET_ONLY", "MODELS", "NAME", "OLDER", "mlflow_database", "settings_of"]

_drawn: dict[str, bytes] = {}


@pytest.fixture(scope="module", autouse=True)
def drawn_once(request: pytest.FixtureRequest) -> Iterator[None]:
    """Every version has the pictures of the first one that a worker trains: they are a third of a small training's CPU.

    Not where pictures are what is tested.
    """
    from spx_assets.training.evaluation import plots

    draw = plots.files

    def once(told: Report) -> dict[str, bytes]:
        if not _drawn:
            _drawn.update(draw(told))
        return dict(_drawn)

    with pytest.MonkeyPatch.context() as patched:
        if request.module.__name__.rpartition(".")[2] != "test_evaluation":
            patched.setattr(plots, "files", once)
        yield


def train_week(settings: Settings, week: date = LAST) -> train.TrainedVersion:
    return train.train(Lake.open(settings), settings, name=NAME, family="lightgbm", week=week, run_id="run", inputs_hash="inputs")


@pytest.fixture(scope="session")
def traded(tmp_path_factory: pytest.TempPathFactory, mlflow_database: Path) -> Path:
    """A home with features and labels of the market in its lake, an MLflow store without runs and no model."""

    def make(home: Path) -> None:
        mlflow_stores.place(mlflow_database, home)
        lake = Lake.open(settings_of(home))
        spine.fill(lake)
        lake.close()

    return built_once.copy(tmp_path_factory, "training market", make)


@pytest.fixture(scope="session")
def taught(traded: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    """A copy of that home with a version of an older week and one of the last, not judged; (home, older, last)."""

    def make(home: Path) -> None:
        shutil.copytree(traded, home)
        for week in (OLDER, LAST):
            train_week(settings_of(home), week)
        Lake.open(settings_of(home)).close()

    home = built_once.copy(tmp_path_factory, "taught market", make)
    older, last = sorted(path.name for path in (settings_of(home).artifacts / "models" / NAME).glob("2*"))
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
