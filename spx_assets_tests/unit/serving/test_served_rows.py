"""How many bars a worker beside services gives them: as many as the models look at that answer there."""

from pathlib import Path

import pytest

from serving.model_store import ModelStore
from serving.stream.shared import ServedRows
from spx_assets.scoring import current
from spx_assets.settings import ServingSettings, Settings
from spx_assets_tests.unit.scoring import toy
from spx_assets_tests.unit.serving.homes import home, model

NAME, LONG = "spx500_h30", "20251014T160000Z-0001"


@pytest.fixture(params=["champion", "challenger"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """A home whose champion looks at one bar; it has a version that looks at 20. Its service serves either alias."""
    found = home(tmp_path, serving=ServingSettings(alias=request.param))
    model(found, version=LONG, input_rows=20)
    model(found)
    return found


def rows(settings: Settings) -> int:
    """As a worker reads them whose own alias is the champion."""
    return ServedRows(home(settings.home))("SPX500_USD")


def test_a_version_loaded_by_hand_counts_until_the_next_promotion(settings: Settings) -> None:
    assert rows(settings) == 1
    store = ModelStore(settings)
    store.refresh()
    store.load(NAME, version=LONG, alias=None, by="ops")
    assert rows(settings) == 20  # before the service has swapped
    store.refresh()
    assert rows(settings) == 20
    current.replace(settings.artifacts, NAME, champion=toy.manifest().version, challenger=None, flagged=None)
    assert rows(settings) == 20  # it still answers
    store.refresh()
    assert rows(settings) == 1


def test_a_current_json_that_cannot_be_read_ends_no_stream_and_the_version_verified_last_counts(settings: Settings) -> None:
    path = settings.artifacts / "models" / NAME / current.FILE
    current.replace(settings.artifacts, NAME, champion=LONG, challenger=None, flagged=None)
    ModelStore(settings).refresh()
    path.write_bytes(b"{")
    assert rows(settings) == 20
    path.unlink()
    path.mkdir()
    assert rows(settings) == 20


def test_a_version_that_cannot_be_read_counts_once_it_can(settings: Settings) -> None:
    current.replace(settings.artifacts, NAME, champion=toy.manifest().version, challenger=LONG, flagged=None)
    manifest = settings.artifacts / "models" / NAME / LONG / "manifest.json"
    whole = manifest.read_bytes()
    manifest.write_bytes(whole[:100])
    read = ServedRows(settings)
    assert read("SPX500_USD") == 1
    manifest.write_bytes(whole)
    assert read("SPX500_USD") == 1  # looked a moment ago
    read._looked = None
    assert read("SPX500_USD") == 20
