"""A version trained again from its manifest forecasts the same to the bit, even after the lake has moved on."""

from pathlib import Path

import pytest

from spx_assets.lake import Chunk, Lake
from spx_assets.lake.tables import LABELS
from spx_assets.scoring import artifact
from spx_assets.settings import LightGBMSettings, Settings
from spx_assets.training import reproduce
from spx_assets.training.errors import NotReproducibleError
from spx_assets_tests.integration.training.conftest import LAST, NAME


def changed(settings: Settings, **models: object) -> Settings:
    return settings.model_copy(update={"models": settings.models.model_copy(update=models)})


def test_a_version_is_made_again_to_the_bit_with_the_parameters_of_its_manifest(home: Settings, taught: tuple[Path, str, str]):
    """Labels of its window are gone from the newest snapshot and the settings are others by now."""
    lake, version = Lake.open(home), taught[2]
    emptied = Chunk((LAST,), LABELS.empty())
    lake.replace("gold.labels", emptied, asset="gold/labels", run_id="x", read_snapshot=0, inputs_hashes={LAST: "x"})
    others = changed(home, lightgbm=LightGBMSettings(num_leaves=31, min_child_samples=20, threads=1))
    again = reproduce.reproduce(Lake.open(home), others, version)
    manifest = artifact.load(artifact.folder(home.artifacts, NAME, version)).manifest
    assert (again.exact, again.graph_identical, again.training_hash) == (True, True, manifest.training_hash)
    assert again.rows >= 0.99 * manifest.segments["out_of_time"].rows


def test_another_window_is_refused_with_the_settings_that_tell_it(home: Settings, taught: tuple[Path, str, str]):
    with pytest.raises(NotReproducibleError, match="SPX_MODELS__TRAINING_WEEKS"):
        reproduce.reproduce(Lake.open(home), changed(home, training_weeks=2), taught[2])


def test_an_unknown_version_is_refused(home: Settings):
    with pytest.raises(NotReproducibleError, match=r"no artifact of .*'20990101T0Z'.*spx models list"):
        reproduce.reproduce(Lake.open(home), home, "20990101T0Z")


def test_nothing_compared_is_not_exact():
    assert not reproduce.Reproduction("v", "h", 0, 0.0, 0.0, graph_identical=True).exact
