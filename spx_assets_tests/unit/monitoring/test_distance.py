"""Distances against scipy, adjusted p-values against the textbook, what is usual against samples that are known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from spx_assets.monitoring import distance

VALUES = st.lists(st.floats(-50, 50, width=32), min_size=1, max_size=40)


def functions(one: list[float], two: list[float]) -> tuple[np.ndarray, np.ndarray]:
    edges = np.unique(one + two)
    return tuple(np.searchsorted(np.sort(side), edges, side="right") / len(side) for side in (one, two))  # type: ignore[return-value]


@settings(max_examples=60, deadline=None)
@given(VALUES, VALUES)
def test_ks_at_all_values_is_that_of_scipy(one: list[float], two: list[float]) -> None:
    assert float(distance.ks(*functions(one, two))) == pytest.approx(
        stats.ks_2samp(one, two, method="asymp").statistic, abs=1e-12
    )


def test_psi_of_known_shares() -> None:
    # (0.5 - 0.4) ln(0.5 / 0.4) + (0.3 - 0.4) ln(0.3 / 0.4) + 0
    found = distance.psi(np.array([0.5, 0.3, 0.2]), np.array([0.4, 0.4, 0.2]))
    assert float(found) == pytest.approx(0.0223144 + 0.0287682, abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=2, max_size=12), st.randoms())
def test_psi_is_symmetric_never_negative_and_finite(weights: list[float], random: object) -> None:
    p = np.array(weights) + 0.01
    q = p[::-1]
    p, q = p / p.sum(), q / q.sum()
    assert 0 <= float(distance.psi(p, q)) == pytest.approx(float(distance.psi(q, p)))
    assert np.isfinite(distance.psi(p, np.eye(len(p))[0]))


def test_p_is_that_of_a_level_which_comes_and_goes_as_it_did() -> None:
    # Two standard deviations of a shift whose usual spread is one: 0.0455 of a normal distribution.
    moved = np.array([2.0])
    far = 2.0 * stats.norm.cdf(moved) - 1.0
    found = distance.p_value(far, np.ones(1), np.array([1e9]), rows=np.array([1e9]))
    assert found == pytest.approx([0.04550], abs=1e-5)


def test_few_rows_lie_no_farther_off_than_kolmogorov_lets_them() -> None:
    found = distance.p_value(np.array([0.136]), np.array([1e-3]), np.array([1e9]), rows=np.array([100.0]))
    assert found == pytest.approx(stats.kstwobign.sf([1.36]), rel=1e-6)


def test_p_is_larger_the_fewer_samples_told_what_is_usual() -> None:
    few, more, many = distance.p_value(np.full(3, 0.3), np.full(3, 0.1), np.array([5.0, 30.0, 1e6]), rows=np.full(3, 1e9))
    assert few > 4 * more > 4 * many
    assert np.isnan(distance.p_value(np.array([0.5]), np.array([np.nan]), np.array([np.nan]), rows=np.ones(1))).all()


def test_beyond_the_reference_nothing_is_infinitely_far() -> None:
    assert float(distance.shift(np.array(1.0))) == pytest.approx(2.807, abs=1e-3)


def test_the_spread_of_independent_samples_is_theirs_and_hardly_widened() -> None:
    level = np.random.default_rng(0).standard_normal(400)
    found = distance.usual(2.0 * stats.norm.cdf(np.abs(level)) - 1.0)
    assert found.spread == pytest.approx(1.0, abs=0.1)
    assert found.freedom > 200


def test_samples_that_follow_one_another_count_for_fewer() -> None:
    rng = np.random.default_rng(1)
    slow = np.repeat(rng.random(40), 10) + 0.01 * rng.random(400)
    found = distance.usual(np.minimum(slow, 0.99))
    assert 20 < found.freedom < 60
    assert found.spread > 1.03 * float(np.sqrt(np.mean(distance.shift(slow) ** 2)))


def test_a_correlation_that_the_samples_mean_hides_is_given_back() -> None:
    """Autoregressions of 0.9 have a memory of 19. Of 120 days each, summed about their own means, it looks like 13."""
    rng = np.random.default_rng(2)
    x = np.zeros((200, 220))
    for k in range(1, 220):
        x[:, k] = 0.9 * x[:, k - 1] + rng.standard_normal(200)
    assert float(np.mean([distance.memory(own[100:]) for own in x])) == pytest.approx(19, rel=0.2)


def test_of_too_few_samples_nothing_is_known() -> None:
    assert np.isnan(distance.usual(np.array([0.1] * 7)).spread)


def test_adjusted_p_values_of_the_textbook() -> None:
    # Benjamini and Hochberg (1995), their example of 15 comparisons: four are rejected at 0.05.
    p = np.array(
        [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0]
    )
    found = distance.adjusted(p)
    assert found[:4] == pytest.approx([0.0015, 0.003, 0.0095, 0.035625])
    assert int((found < 0.05).sum()) == 4
    shuffled = np.random.default_rng(0).permutation(15)
    assert distance.adjusted(p[shuffled]) == pytest.approx(found[shuffled])
    assert distance.adjusted(p) == pytest.approx(stats.false_discovery_control(p))


def test_what_is_not_known_is_no_comparison() -> None:
    found = distance.adjusted(np.array([0.01, np.nan, 0.04]))
    assert found[[0, 2]] == pytest.approx([0.02, 0.04])
    assert np.isnan(found[1])
