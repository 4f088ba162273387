"""One simulated market with a strong edge in a lake, for all tests of this folder that need the store."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from spx_assets.lake import Lake
from spx_assets.settings import GateSettings, LightGBMSettings, ModelSettings, Settings, SimulatorSettings
from spx_assets_tests.integration.training import spine

# 25 days leave about 105 effective out-of-time observations at 30 minutes; four times the edge shows in those.
MARKET = SimulatorSettings(days=25, edge=4.0)
MODELS = ModelSettings(
    gate=GateSettings(min_effective_obs=50.0),
    lightgbm=LightGBMSettings(learning_rate=0.2, max_rounds=15, early_stopping_rounds=15, threads=1),
)


def settings_of(home: Path) -> Settings:
    return Settings(home=home, simulator=MARKET, models=MODELS)


@pytest.fixture(scope="session")
def traded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with features and labels of the market in its lake and no model."""
    home = tmp_path_factory.mktemp("training") / "home"
    lake = Lake.open(settings_of(home))
    spine.fill(lake)
    lake.close()
    return home


@pytest.fixture
def home(traded: Path, tmp_path: Path) -> Iterator[Settings]:
    """Settings of a copy of that home, which a test may change."""
    shutil.copytree(traded, tmp_path / "market")
    settings = settings_of(tmp_path / "market")
    yield settings
    Lake.open(settings).close()
