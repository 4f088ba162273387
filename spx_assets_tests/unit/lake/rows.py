"""A small lake for unit tests: SQLite catalog, folder of data."""

from pathlib import Path

from spx_assets.lake import Lake
from spx_assets.settings import Settings


def lake_at(home: Path, **lake: object) -> Lake:
    return Lake.open(Settings(home=home, lake=lake))
