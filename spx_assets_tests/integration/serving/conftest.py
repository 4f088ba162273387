"""One simulated market for all tests of this folder, and the service over it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from spx_assets_tests.integration.serving import homes


@pytest.fixture(scope="session")
def traded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, pl.DataFrame]:
    """A home with five simulated days in its lake, and the model inputs of its bars."""
    home = tmp_path_factory.mktemp("serving") / "home"
    lake = homes.market(homes.settings_of(home))
    rows = homes.model_inputs(lake)
    lake.close()
    return home, rows


@pytest.fixture
def own_home(traded: tuple[Path, pl.DataFrame], tmp_path: Path) -> Path:
    """A copy of that home which a test may change."""
    target = tmp_path / "market"
    shutil.copytree(traded[0], target, ignore=shutil.ignore_patterns("artifacts"))
    return target


@pytest.fixture(scope="session")
def service(traded: tuple[Path, pl.DataFrame]) -> Iterator[homes.Running]:
    """The service over that home with one promoted model. For tests that change nothing."""
    homes.model(homes.settings_of(traded[0]))
    with homes.running(traded[0]) as found:
        yield found
