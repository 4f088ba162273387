"""A home with a market and a served model, as the service's tests have it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from spx_assets_tests.integration.serving import homes
from spx_assets_tests.integration.upkeep.writer import Writer


@pytest.fixture(scope="session")
def writer() -> Iterator[Writer]:
    """One for all tests that write beside what they do."""
    made = Writer()
    yield made
    made.close()


@pytest.fixture(scope="session")
def traded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with five simulated days in its lake and one promoted model. For tests that change nothing of it."""
    home = tmp_path_factory.mktemp("upkeep") / "home"
    homes.market(homes.settings_of(home)).close()
    homes.model(homes.settings_of(home))
    return home
