"""A lake on each kind of catalog."""

from pathlib import Path

import pytest

from spx_assets.lake import Lake
from spx_assets.settings import Settings
from spx_assets_tests import lakes
from spx_assets_tests.postgres import postgres_server, postgres_url

__all__ = ["postgres_server", "postgres_url"]


@pytest.fixture(params=["sqlite", "postgres"])
def any_settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Settings of an empty lake with a SQLite catalog, then with a Postgres one."""
    catalog = "" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    return Settings(home=tmp_path / "home", lake={"catalog": catalog, "keep_files_h": 1e-6})


@pytest.fixture
def lake(any_settings: Settings) -> Lake:
    return Lake.open(any_settings) if any_settings.lake.catalog else lakes.fresh(any_settings)
