"""Fixtures of the sources' proofs: a lake, a provider on loopback, and a way to make weeks as the graph does.

Making a lake costs more than most of these proofs, so they share one and each starts with it emptied.
"""

import shutil
from collections.abc import Callable, Iterator, Sequence
from datetime import date

import pytest

from spx_assets.lake import tables
from spx_assets.lake.connection import Lake
from spx_assets.lake.records import PartitionRecord, records_table
from spx_assets.settings import Settings
from spx_assets.sources import feeds
from spx_assets_tests.integration.sources import press as presses
from spx_assets_tests.integration.sources import provider as providers

Make = Callable[[Sequence[date] | None], list[PartitionRecord]]
BY_INSTRUMENT = (tables.CANDLES, tables.QUARANTINE, tables.FEEDS, tables.FEED_FILES)


@pytest.fixture(scope="session")
def _shared_lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lake]:
    lake = Lake.open(Settings(home=tmp_path_factory.mktemp("sources") / "home"))
    yield lake
    lake.close()


@pytest.fixture
def lake(_shared_lake: Lake) -> Iterator[Lake]:
    """A lake without rows, records, feeds or landed files."""
    yield _shared_lake
    for instrument in {
        name for table in BY_INSTRUMENT for name in _shared_lake.read(table, columns=["instrument"])["instrument"]
    }:
        _shared_lake.write(delete={table: {"instrument": instrument} for table in BY_INSTRUMENT})
    if _shared_lake.count(records_table(tables.CANDLES)):
        _shared_lake.write(delete={records_table(tables.CANDLES): {"asset": "bronze/candles"}})
    shutil.rmtree(_shared_lake.settings.landing, ignore_errors=True)


@pytest.fixture
def news_lake(_shared_lake: Lake) -> Iterator[Lake]:
    """A lake without news, landed or heard of."""
    yield _shared_lake
    with _shared_lake.cursor() as cursor:
        for table in (tables.NEWS_FEEDS, tables.NEWS_FILES):
            if _shared_lake.listing(table, _shared_lake.snapshot()).exists:
                cursor.execute(f"DELETE FROM lake.{table.name}")
    for folder in (_shared_lake.settings.landing, _shared_lake.settings.home / "cache"):
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def press() -> Iterator[presses.Press]:
    with presses.running() as running:
        yield running


@pytest.fixture
def make(lake: Lake) -> Make:
    """Materialise bronze/candles for some weeks (default: all that have rows) the way the IO manager does."""

    def run(weeks: Sequence[date] | None = None) -> list[PartitionRecord]:
        made: list[PartitionRecord] = []
        for chunk in feeds.by_week(lake, weeks if weeks is not None else feeds.weeks_with_rows(lake)):
            made += lake.replace(
                "bronze.candles",
                chunk,
                asset="bronze/candles",
                run_id="test",
                read_snapshot=lake.snapshot(),
                inputs_hashes=dict(chunk.fingerprints),
                clocks=feeds.clocks(lake),
            )
        return made

    return run


@pytest.fixture
def provider() -> Iterator[providers.Provider]:
    with providers.running() as running:
        yield running
