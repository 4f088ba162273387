"""Intervals: as wide as the regime of the row's last bar asks for, and following their coverage without looking ahead."""

import numpy as np
import pytest

from spx_assets.scoring import adaptive, intervals
from spx_assets.scoring.forecaster import Forecaster
from spx_assets.scoring.manifest import Regimes
from spx_assets_tests.unit.scoring import toy

NAN = float("nan")
MINUTE = 60_000_000
LEVELS = np.array([0.5, 0.8, 0.9, 0.95, 0.99])


def test_the_interval_is_that_of_the_regime_and_the_widest_where_none_is_known() -> None:
    described = toy.manifest(
        conformal_quantiles={"0.9": (1.0, 2.0, 3.0), "0.95": (2.0, 4.0, 6.0)}, regimes=Regimes("b", (10.0, 20.0))
    )
    X = np.array([[0, 9.99], [0, 10.0], [0, 19.0], [0, 20.0], [0, NAN]], np.float32)
    assert intervals.half_width(described, X).tolist() == [1.0, 2.0, 2.0, 3.0, 3.0]
    assert intervals.half_width(described, X, level=0.95).tolist() == [2.0, 4.0, 4.0, 6.0, 6.0]
    answer = Forecaster(described, toy.graph([1.0, 0.0])).predict(X)
    assert (answer.interval_high_bp - answer.interval_low_bp).tolist() == [2.0, 4.0, 4.0, 6.0, 6.0]


def bars(n: int, *, horizon: int = 30) -> dict[str, np.ndarray]:
    ts = np.arange(n, dtype=np.int64) * MINUTE
    return {"ts": ts, "label_end": ts + (horizon + 1) * MINUTE, "weight": np.full(n, 1 / (horizon + 1))}


def normal_widths(n: int) -> np.ndarray:
    return np.tile([0.6745, 1.2816, 1.6449, 1.96, 2.5758], (n, 1))


def test_before_the_first_outcome_the_level_is_the_nominal_one() -> None:
    half, asked = adaptive.half_widths(np.full(40, 9.0), normal_widths(40), LEVELS, level=0.9, **bars(40))
    # The label of bar 0 ends with bar 30: bar 30 is the first that may know of it.
    assert asked[:30] == pytest.approx(np.full(30, 0.9))
    assert half[:30] == pytest.approx(np.full(30, 1.6449))
    assert asked[30] == pytest.approx(0.9 + 0.02 / 31 * 0.9)
    assert np.all(np.diff(asked[30:]) > 0)


def test_no_level_depends_on_an_outcome_that_was_not_known_yet() -> None:
    residual = np.random.default_rng(3).standard_normal(500)
    other = residual.copy()
    other[201:] = 99.0
    first = adaptive.half_widths(residual, normal_widths(500), LEVELS, level=0.9, **bars(500))
    second = adaptive.half_widths(other, normal_widths(500), LEVELS, level=0.9, **bars(500))
    # Bar 201's outcome is known when bar 231 ends.
    assert first[0][:231].tobytes() == second[0][:231].tobytes()
    assert first[1][231] != second[1][231]


def test_coverage_returns_after_the_market_has_become_twice_as_lively() -> None:
    rng = np.random.default_rng(5)
    n = 40_000
    residual = rng.standard_normal(n) * np.where(np.arange(n) < 4_000, 1.0, 2.0)
    half, _ = adaptive.half_widths(residual, normal_widths(n), LEVELS, level=0.9, **bars(n, horizon=1))
    later = np.arange(n) > 8_000
    assert np.mean(np.abs(residual[later]) <= 1.6449) < 0.62
    assert np.mean(np.abs(residual[later]) <= half[later]) == pytest.approx(0.9, abs=0.02)


def test_an_unknown_outcome_moves_nothing() -> None:
    _, asked = adaptive.half_widths(np.full(100, NAN), normal_widths(100), LEVELS, level=0.9, **bars(100))
    assert asked == pytest.approx(np.full(100, 0.9))
