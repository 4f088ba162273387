"""Fixtures every test may use: a home of its own and the shared real data.

Belongs here: isolation from the environment the tests are started in. Does not: fixtures of one room.
"""

import gc
import os
import sys
from pathlib import Path

import pytest

from spx_assets.settings import Settings, load

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"

# Where an image or a shell keeps no bytecode, each worker of each run would rewrite the asserts of all test files again (5 CPU s)
# and each child process compile what it imports.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
# Before any worker starts: two workers with two BLAS threads each wait for one another on two cores. The placebos took 90 to
# 119 s so and 30 s with one thread, for the same CPU time.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
LONGEST = (
    "integration/automation/test_scenario",
    "integration/cli/test_readme",
    "integration/training/test_placebo",
    "integration/serving/test_openapi",
    "integration/cli/test_demo",
    "integration/lake/test_parallel",
    "integration/assets/",
    "integration/serving/test_workers",
    "integration/serving/test_stream_",
    "integration/lake/",
)
"""Modules with tests of 10 s and more, longest first: a worker that took one of them last would leave the other idle."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first. The sort is stable, so that tests of a module stay together and share its fixtures.

    What was imported to get here stays to the end: 600,000 objects that no full collection (0.2 s each) need look at again. Of
    what tests import later and make, a look every 20,000 new objects (700 by default) halves the collector's 4 % of their CPU.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
    here = f"{Path(__file__).parent.name}/"
    items.sort(
        key=lambda item: next((k for k, start in enumerate(LONGEST) if item.nodeid.startswith(here + start)), len(LONGEST))
    )


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees a home, a setting or a .env file of the machine it runs on."""
    for name in list(os.environ):
        if name.startswith("SPX_") and name != "SPX_REQUIRE_SERVICES":
            monkeypatch.delenv(name)
    monkeypatch.setenv("SPX_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DAGSTER_DISABLE_TELEMETRY", "yes")
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.setenv("DO_NOT_TRACK", "1")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def settings() -> Settings:
    """Settings of the test's own empty home."""
    return load()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real candles, news and provider samples; skips where it is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip("real data lie beside the project in ../shared/data and are absent here")
    return SHARED_DATA
