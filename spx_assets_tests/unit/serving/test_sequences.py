"""Models that look at several bars, alone or in a vote: what is asked of the last bars before there is an answer."""

from pathlib import Path

import msgspec
import numpy as np
import pytest

from serving.model_store import ModelStore
from serving.problems import WarmingUp
from spx_assets.features import catalog
from spx_assets.scoring import artifact
from spx_assets.scoring.forecaster import Forecaster, vote
from spx_assets.scoring.manifest import Member
from spx_assets.settings import Settings
from spx_assets_tests.unit.scoring import toy
from spx_assets_tests.unit.serving.homes import FEATURES, ask, home, model, service, vector

SECOND = "20251016T160000Z-0001"
HASH = catalog.feature_set_hash(FEATURES)


def test_a_sequence_is_answered_from_its_last_bars(tmp_path: Path) -> None:
    settings = home(tmp_path)
    model(settings, input_rows=3)
    # Rows count 1, 2 and 3 times: (1 + 2 + 3) * 0.1 * (1 + 2 + 3).
    assert service(settings, vector(before_min=(4, 3, 2, 1))).predict(ask()).expected_return_bp == pytest.approx(3.6, abs=1e-5)
    own = vector(before_min=(2, 1))
    own.recent[:, :] = np.array([[0.1], [0.2], [0.3]], np.float32)
    assert service(settings, own).predict(ask()).expected_return_bp == pytest.approx(6 * (0.1 + 0.4 + 0.9), abs=1e-5)


@pytest.mark.parametrize(
    ("before_min", "run"),
    [((), 1), ((1,), 2), ((8, 7, 1), 2), ((20, 7, 6), 1)],
    ids=["first bar of the day", "second bar", "a gap of 6 minutes two bars ago", "a gap of 6 minutes before the bar"],
)
def test_a_sequence_that_is_not_full_is_warming_up(tmp_path: Path, before_min: tuple[int, ...], run: int) -> None:
    settings = home(tmp_path)
    model(settings, input_rows=3)
    with pytest.raises(WarmingUp, match=f"is bar {run} in a row of its trading day, spx500_h30 looks at 3") as caught:
        service(settings, vector(before_min=before_min)).predict(ask())
    assert caught.value.missing is None


def test_a_gap_within_the_tolerance_is_part_of_a_sequence(tmp_path: Path) -> None:
    settings = home(tmp_path)
    model(settings, input_rows=3)
    assert service(settings, vector(before_min=(9, 4))).predict(ask()).model_name == "spx500_h30"


def test_an_input_unknown_in_an_earlier_bar_is_warming_up(tmp_path: Path) -> None:
    settings = home(tmp_path)
    model(settings, input_rows=3, required=FEATURES[:2])
    own = vector(before_min=(3, 2, 1))
    column = catalog_place(FEATURES[1])
    own.recent[0, column] = np.nan  # older than the sequence
    assert service(settings, own).predict(ask())
    own.recent[1, column] = np.nan
    with pytest.raises(WarmingUp, match="lacks 1 inputs") as caught:
        service(settings, own).predict(ask())
    assert caught.value.missing == [FEATURES[1]]


def catalog_place(name: str) -> int:
    return [feature.name for feature in catalog.model_inputs()].index(name)


def test_vectors_are_asked_for_before_a_model_that_looks_further_back_answers(tmp_path: Path) -> None:
    settings = home(tmp_path)
    model(settings)
    store = ModelStore(settings)
    store.refresh()
    model(settings, version=SECOND, input_rows=60)
    found = store.look()
    assert store.models["spx500_h30"].manifest.input_rows == 1  # still answers
    assert store.input_rows(found) == {"SPX500_USD": 60}
    store.swap(found, {})
    model(settings, version=SECOND.replace("16T", "17T"))
    found = store.look()
    assert store.input_rows(found) == {"SPX500_USD": 60}  # a request in flight
    store.swap(found, {})
    assert store.input_rows(store.look()) == {"SPX500_USD": 1}


def ensemble(settings: Settings) -> artifact.Artifact:
    """A vote of a model of three bars and one of one bar, served."""
    first = toy.write(settings.artifacts, toy.manifest(FEATURES, version="v1", input_rows=3, required=FEATURES), (1.0, 0.0, 0.0))
    second = toy.write(settings.artifacts, toy.manifest(FEATURES[1:], version="v2", required=()), (0.0, 1.0))
    described = toy.manifest(
        FEATURES,
        version="v3",
        family="ensemble",
        input_rows=3,
        required=FEATURES,
        feature_set_hash=HASH,
        members=(Member("v1", first.manifest.digest, 0.25), Member("v2", second.manifest.digest, 0.75)),
    )
    folder = artifact.folder(settings.artifacts, described.name, described.version)
    golden = Forecaster(described, vote(artifact.Artifact(folder, described, None))).golden(np.full((1, 3, 3), 0.5, np.float32))
    made = artifact.write(settings.artifacts, msgspec.structs.replace(described, golden=golden), {})
    toy.serve(settings.artifacts, made)
    return made


def test_a_vote_is_served_with_each_member_looking_as_far_back_as_it_does(tmp_path: Path) -> None:
    settings = home(tmp_path)
    made = ensemble(settings)
    answer = service(settings, vector(before_min=(2, 1))).predict(ask())
    assert answer.expected_return_bp == pytest.approx(0.25 * 0.6 + 0.75 * 0.1, abs=1e-6)
    assert answer.probability == pytest.approx(0.25 / (1 + np.exp(-0.6)) + 0.75 / (1 + np.exp(-0.1)), abs=1e-6)
    assert (answer.model_version, answer.model_digest) == ("v3", made.manifest.digest)
    with pytest.raises(WarmingUp, match="looks at 3"):
        service(settings, vector(before_min=(1,))).predict(ask())


def test_a_vote_without_one_of_its_members_is_refused(tmp_path: Path) -> None:
    settings = home(tmp_path)
    made = ensemble(settings)
    (made.folder.parent / "v2" / "model.onnx").unlink()
    store = ModelStore(settings)
    store.refresh()
    assert "v2/model.onnx is missing" in store.refused["spx500_h30"]
