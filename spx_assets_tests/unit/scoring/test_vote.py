"""An ensemble: calibrated probabilities and expected returns of its members, weighted; verified like any model."""

from pathlib import Path

import msgspec
import numpy as np
import pytest

from spx_assets.scoring import artifact
from spx_assets.scoring.errors import ArtifactForeignError, ArtifactMissingError
from spx_assets.scoring.forecaster import Forecaster, vote
from spx_assets.scoring.manifest import Calibration, Manifest, Member
from spx_assets_tests.unit.scoring import toy


@pytest.fixture
def ensemble(tmp_path: Path) -> artifact.Artifact:
    """A vote of (a) at 1/4 and (b, a) at 3/4."""
    first = toy.write(tmp_path, toy.manifest(("a",), version="v1", calibration=Calibration(kind="platt", a=2.0, b=0.0)), [1.0])
    second = toy.write(tmp_path, toy.manifest(("b", "a"), version="v2", required=("b",)), [1.0, 10.0])
    described = toy.manifest(
        ("a", "b"),
        version="v3",
        family="ensemble",
        members=(Member("v1", first.manifest.digest, 0.25), Member("v2", second.manifest.digest, 0.75)),
    )
    return artifact.write(tmp_path, with_golden(tmp_path, described), {})


def with_golden(artifacts: Path, described: Manifest) -> Manifest:
    folder = artifact.folder(artifacts, described.name, described.version)
    graph = vote(artifact.Artifact(folder, described, None))
    golden = Forecaster(described, graph).golden(np.array([[1.0, 2.0]], np.float32))
    return msgspec.structs.replace(described, golden=golden)


def test_a_vote_weighs_returns_and_calibrated_probabilities(ensemble: artifact.Artifact) -> None:
    answer = Forecaster.of(ensemble).predict(np.array([[1.0, 2.0]], np.float32))
    assert answer.return_bp[0] == pytest.approx(0.25 * 1.0 + 0.75 * 12.0)
    expected = 0.25 / (1 + np.exp(-2.0)) + 0.75 / (1 + np.exp(-12.0))
    assert answer.probability_up[0] == pytest.approx(expected, abs=1e-6)


def test_a_vote_forecasts_what_every_member_can(ensemble: artifact.Artifact) -> None:
    X = np.array([[1.0, np.nan], [np.nan, 1.0]], np.float32)
    assert Forecaster.of(ensemble).forecastable(X, np.ones(2, np.int64)).tolist() == [False, True]


def test_an_ensemble_has_no_graph_of_its_own(ensemble: artifact.Artifact) -> None:
    with pytest.raises(ArtifactMissingError, match="ensemble votes"):
        _ = ensemble.model


def test_a_member_that_is_another_than_was_judged_is_refused(tmp_path: Path, ensemble: artifact.Artifact) -> None:
    first = ensemble.manifest.members[0]
    swapped = msgspec.structs.replace(first, digest="0" * 64)
    described = msgspec.structs.replace(
        ensemble.manifest, version="v4", members=(swapped, ensemble.manifest.members[1]), files={}, digest=""
    )
    with pytest.raises(ArtifactForeignError, match="v4 was judged with v1 of digest 0000"):
        Forecaster.of(artifact.write(tmp_path, described, {}))
