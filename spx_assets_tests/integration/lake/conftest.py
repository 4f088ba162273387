"""A lake on each kind of catalog."""

from pathlib import Path

import psycopg2
import pytest

from spx_assets.lake import Lake
from spx_assets.settings import Settings
from spx_assets_tests import lakes
from spx_assets_tests.postgres import Server, postgres_server, postgres_url

__all__ = ["postgres_server", "postgres_url"]


@pytest.fixture(params=["sqlite", "postgres"])
def catalog(request: pytest.FixtureRequest) -> str:
    """Each kind of catalog."""
    return str(request.param)


@pytest.fixture
def any_settings(catalog: str, request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Settings of a lake that was never made."""
    return _settings(tmp_path, "" if catalog == "sqlite" else request.getfixturevalue("postgres_url"))


@pytest.fixture
def made_settings(catalog: str, request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Settings of a new, empty lake."""
    if catalog == "sqlite":
        made = _settings(tmp_path, "")
        lakes.place(made)
        return made
    database, home = request.getfixturevalue("postgres_lake")
    return _settings(tmp_path, _copied(request.getfixturevalue("postgres_server"), database, home, tmp_path))


@pytest.fixture(scope="session")
def postgres_lake(postgres_server: Server, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """Database and home of a new lake, to be copied: its 45 tables take 1 s of two processes."""
    home = tmp_path_factory.mktemp("postgres lake")
    made = _settings(home, postgres_server.database())
    Lake.open(made).close()
    return made.lake.catalog.rsplit("/", 1)[1], home


def _copied(server: Server, database: str, home: Path, to: Path) -> str:
    """URL of a copy of the lake's database, for data below the home `to`."""
    url = server.database(database)
    connection = psycopg2.connect(url)
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "UPDATE ducklake_metadata SET value = replace(value, %s, %s) WHERE key = 'data_path'", [str(home), str(to)]
        )
    connection.close()
    return url


def _settings(folder: Path, catalog: str) -> Settings:
    return Settings(home=folder / "home", lake={"catalog": catalog, "keep_files_h": 1e-6})


@pytest.fixture
def lake(made_settings: Settings) -> Lake:
    return Lake.open(made_settings)
