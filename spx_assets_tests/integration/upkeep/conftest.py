"""A home with a market and a served model, as the service's tests have it."""

import multiprocessing
from pathlib import Path

import pytest

from spx_assets_tests.integration.serving import homes

SPAWNED = multiprocessing.get_context("spawn")
"""One writer that knows the lake alone: the server that `lakes` forks from loads the whole graph first, 6 CPU s a worker."""


@pytest.fixture(scope="session")
def traded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with five simulated days in its lake and one promoted model. For tests that change nothing of it."""
    home = tmp_path_factory.mktemp("upkeep") / "home"
    homes.market(homes.settings_of(home)).close()
    homes.model(homes.settings_of(home))
    return home
