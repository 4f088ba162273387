"""Forecasts: what the graph says, calibrated, with its interval, for rows that have what the model needs."""

import math
from pathlib import Path

import msgspec
import numpy as np
import pytest

from spx_assets.scoring import artifact, calibration
from spx_assets.scoring.errors import ArtifactAlteredError, ArtifactForeignError
from spx_assets.scoring.forecaster import Forecaster
from spx_assets.scoring.graphs import BATCH
from spx_assets.scoring.manifest import Calibration
from spx_assets_tests.unit.scoring import toy

NAN = float("nan")


def test_a_forecast_is_calibrated_and_carries_its_interval() -> None:
    model = Forecaster(toy.manifest(calibration=Calibration(kind="platt", a=2.0, b=0.5)), toy.graph([1.0, -1.0]))
    answer = model.predict(np.array([[3.0, 1.0], [0.0, 0.0], [NAN, 1.0]], np.float32))
    assert answer.return_bp.tolist() == [2.0, 0.0, -1.0]
    assert answer.interval_low_bp.tolist() == [-10.5, -12.5, -13.5]
    assert answer.interval_high_bp.tolist() == [14.5, 12.5, 11.5]
    expected = [1 / (1 + math.exp(-(2.0 * z + 0.5))) for z in (2.0, 0.0, -1.0)]
    np.testing.assert_allclose(answer.probability_up, expected, atol=1e-6)


def test_rows_may_come_as_sequences_of_one() -> None:
    model = Forecaster(toy.manifest(), toy.graph([1.0, -1.0]))
    flat = np.array([[3.0, 1.0], [2.0, 2.0]], np.float32)
    assert model.predict(flat.reshape(2, 1, 2)).return_bp.tolist() == model.predict(flat).return_bp.tolist() == [2.0, 0.0]


def test_batches_do_not_change_the_answer() -> None:
    model = Forecaster(toy.manifest(), toy.graph([1.0, 0.0]))
    X = np.zeros((BATCH + 3, 2), np.float32)
    X[:, 0] = np.arange(BATCH + 3)
    assert model.predict(X).return_bp.tolist() == list(map(float, range(BATCH + 3)))
    assert model.predict(X[:0]).return_bp.tolist() == []


def test_the_wrong_width_is_refused() -> None:
    model = Forecaster(toy.manifest(), toy.graph([1.0, 0.0]))
    with pytest.raises(ValueError, match=r"takes \[n, 1, 2\], was given \[4, 3\]"):
        model.predict(np.zeros((4, 3), np.float32))


def test_a_row_without_a_required_input_is_not_forecast() -> None:
    model = Forecaster(toy.manifest(("a", "b", "c"), required=("c", "a")), toy.graph([1.0, 1.0, 1.0]))
    X = np.array([[1, NAN, 1], [NAN, 1, 1], [1, 1, NAN], [1, 1, 1]], np.float32)
    assert model.forecastable(X, np.ones(len(X), np.int64)).tolist() == [True, False, False, True]
    assert model.unknown(X[0]) == []
    assert model.unknown(np.array([NAN, NAN, NAN], np.float32)) == ["c", "a"]


@pytest.mark.parametrize("model", [b"", b"not a graph", toy.graph([1.0, 2.0])[:60]])
def test_a_file_that_is_no_graph_is_refused_even_with_a_fitting_checksum(tmp_path: Path, model: bytes) -> None:
    golden = Forecaster(toy.manifest(), toy.graph([1.0, 2.0])).golden(np.zeros((1, 2), np.float32))
    made = artifact.write(tmp_path, msgspec.structs.replace(toy.manifest(), golden=golden), {"model.onnx": model})
    with pytest.raises(ArtifactForeignError, match="train the model again"):
        Forecaster.of(made)


def test_a_graph_of_another_width_is_foreign() -> None:
    with pytest.raises(ArtifactForeignError, match="names 3 features"):
        Forecaster(toy.manifest(("a", "b", "c")), toy.graph([1.0, 2.0]))


def test_a_graph_that_answers_its_golden_rows_differently_is_refused(tmp_path: Path) -> None:
    golden = Forecaster(toy.manifest(), toy.graph([1.0, 2.0])).golden(np.ones((1, 2), np.float32))
    described = msgspec.structs.replace(toy.manifest(), golden=golden)
    other = artifact.write(tmp_path, described, {"model.onnx": toy.graph([1.0, 2.5])})
    with pytest.raises(ArtifactAlteredError, match=r"return_bp that is off by 0\.5 "):
        Forecaster.of(other)


def test_an_artifact_without_golden_rows_is_refused(tmp_path: Path) -> None:
    made = artifact.write(tmp_path, toy.manifest(), {"model.onnx": toy.graph([1.0, 2.0])})
    with pytest.raises(ArtifactForeignError, match="no golden rows"):
        Forecaster.of(made)


def test_isotonic_calibration_is_linear_between_its_points() -> None:
    fitted = Calibration(kind="isotonic", x=(0.4, 0.5, 0.6), y=(0.45, 0.5, 0.65))
    np.testing.assert_allclose(
        calibration.apply(fitted, [0.0, 0.4, 0.45, 0.55, 0.6, 1.0]), [0.45, 0.45, 0.475, 0.575, 0.65, 0.65]
    )


def test_probabilities_stay_off_zero_and_one_and_nan_stays_nan() -> None:
    for fitted in (Calibration(), Calibration(kind="platt", a=1000.0)):
        low, high, nan = calibration.apply(fitted, [0.0, 1.0, NAN]).tolist()
        assert (low, high) == (1e-6, 1 - 1e-6)
        assert math.isnan(nan)
