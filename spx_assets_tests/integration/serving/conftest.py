"""One simulated market for all tests of this folder, and the service over it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from spx_assets.lake import Lake
from spx_assets_tests import built_once
from spx_assets_tests.integration.serving import homes, pasts

ROWS = "rows.parquet"


@pytest.fixture(scope="session")
def fed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the candles of five simulated days and their daily bars. For copies alone."""
    return built_once.copy(tmp_path_factory, "fed", lambda home: homes.candles(homes.settings_of(home)).close())


@pytest.fixture(scope="session")
def market(fed: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, pl.DataFrame]:
    """The same home with articles, and the model inputs of its bars. For copies alone: nothing serves it."""

    def make(home: Path) -> None:
        shutil.copytree(fed, home)
        lake = Lake.open(homes.settings_of(home))
        homes.articles(lake)
        homes.model_inputs(lake).write_parquet(home / ROWS)
        lake.close()

    home = built_once.copy(tmp_path_factory, "serving market", make)
    rows = pl.read_parquet(home / ROWS, memory_map=False)
    (home / ROWS).unlink()
    return home, rows


@pytest.fixture(scope="session")
def lived(market: tuple[Path, pl.DataFrame], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole home, whose market is live, with two versions. For copies alone (`pasts.settings`)."""
    home = Path(shutil.copytree(market[0], tmp_path_factory.mktemp("lived") / "home"))
    pasts.live(homes.settings_of(home))
    return home


@pytest.fixture(scope="session")
def traded(market: tuple[Path, pl.DataFrame], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, pl.DataFrame]:
    """A copy of that home, which the service of all tests serves and answers into, and the same rows."""
    return Path(shutil.copytree(market[0], tmp_path_factory.mktemp("served") / "home")), market[1]


@pytest.fixture
def own_home(market: tuple[Path, pl.DataFrame], tmp_path: Path) -> Path:
    """A copy of that home which a test may change."""
    return Path(shutil.copytree(market[0], tmp_path / "market"))


@pytest.fixture(scope="session")
def service(traded: tuple[Path, pl.DataFrame]) -> Iterator[homes.Running]:
    """The service over that home with one promoted model. For tests that change nothing."""
    homes.model(homes.settings_of(traded[0]))
    with homes.running(traded[0]) as found:
        yield found
