"""The linear family against closed forms and scikit-learn: scaling, ridge, logistic, choice of the penalty."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge

from spx_assets.settings import LinearSettings, ModelSettings
from spx_assets.training import export
from spx_assets.training.dataset import Dataset
from spx_assets.training.families import linear, targets
from spx_assets.training.families.linear import FittedLinear
from spx_assets_tests.unit.training import planted

SLOPE, GAPPY, FLAT, ABSENT = (planted.FEATURES.index(name) for name in ("slope", "gappy", "flat", "absent"))
WEIGHT = np.random.default_rng(3).uniform(0.1, 1.0, planted.N)


def fit(rows: Dataset, **changes) -> FittedLinear:
    return linear.FAMILY.fit(rows, planted.segments(rows), WEIGHT, ModelSettings(linear=LinearSettings(**changes)))


def test_inputs_are_cut_and_standardised_by_the_fit_rows_and_nulls_are_zero():
    X = np.array([[0, np.nan], [1, 5], [2, 5], [3, 5], [1000, np.nan]], dtype=np.float32)
    scaling = linear.scaled(X, np.arange(4), winsor=0.0)
    Z = scaling.apply(X)
    assert Z[:, 0] == pytest.approx([-1.3416408, -0.4472136, 0.4472136, 1.3416408, 1.3416408], rel=1e-6)
    assert Z[:, 1].tolist() == [0, 0, 0, 0, 0]
    assert Z[:, 2].tolist() == [1, 1, 1, 1, 1]


def test_the_ends_of_the_fit_rows_are_cut_by_their_share():
    X = np.arange(1001, dtype=np.float32)[:, None]
    scaling = linear.scaled(X, np.arange(1001), winsor=0.01)
    assert (scaling.low[0], scaling.high[0]) == (10, 990)


def test_an_input_of_one_value_or_none_has_no_coefficient():
    found = fit(planted.data())
    assert np.abs(found.returns[[FLAT, ABSENT]]).tolist() == [0, 0]
    assert np.abs(found.direction[[FLAT, ABSENT]]).tolist() == [0, 0]
    assert found.returns[SLOPE] > 0.5


@pytest.mark.parametrize("penalty", [0.01, 1.0])
def test_coefficients_are_those_of_scikit_learn(penalty: float, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(linear, "CHUNK", 1000)
    rows = planted.data()
    seen, found = planted.segments(rows).fit, fit(rows, penalties=(penalty,), tolerance=1e-10)
    Z = found.scaling.apply(rows.X[seen])[:, :-1]
    y, w = targets.returns(rows, planted.segments(rows), WEIGHT, clip=4.0).of(seen)
    ridge = Ridge(alpha=penalty * len(seen)).fit(Z, y, sample_weight=w)
    assert found.returns == pytest.approx([*ridge.coef_, ridge.intercept_], abs=1e-9)
    up, w = targets.direction(rows, WEIGHT).of(seen)
    # scikit-learn minimises C * the sum of losses + |b|^2 / 2.
    logistic = LogisticRegression(C=1 / (penalty * len(seen)), tol=1e-10, max_iter=1000).fit(Z, up, sample_weight=w)
    assert found.direction == pytest.approx([*logistic.coef_[0], *logistic.intercept_], abs=1e-6)


def test_few_passes_reach_the_tolerance():
    assert fit(planted.data()).parameters["passes"] <= 20


def test_the_validation_segment_chooses_the_penalty():
    """An edge asks for little shrinkage; an edge that turns round after the fit segment for all there is."""
    told, turned = planted.data(), planted.data()
    validation = planted.segments(turned).validation
    turned.X[validation, SLOPE] *= -1
    light, heavy = (fit(rows, penalties=(0.01, 1000.0)).parameters for rows in (told, turned))
    assert (light["penalty_return"], light["penalty_direction"]) == (0.01, 0.01)
    assert (heavy["penalty_return"], heavy["penalty_direction"]) == (1000.0, 1000.0)


def test_chunks_of_any_size_learn_the_same(monkeypatch: pytest.MonkeyPatch):
    whole = fit(planted.data())
    monkeypatch.setattr(linear, "CHUNK", 777)
    parts = fit(planted.data())
    assert parts.returns == pytest.approx(whole.returns, abs=1e-12)
    assert parts.direction == pytest.approx(whole.direction, abs=1e-12)


def test_a_null_is_as_an_input_at_its_mean():
    found, X = fit(planted.data()), planted.data().X[:1].copy()
    X[0, GAPPY] = np.nan
    null = found.heads(X)
    X[0, GAPPY] = found.scaling.mean[GAPPY]
    assert [head.tobytes() for head in null] == [head.tobytes() for head in found.heads(X)]


def test_the_graph_answers_as_the_model_where_large_coefficients_oppose_one_another() -> None:
    """Of few days two inputs that go together get them; sums of single precision were off by 4e-5 of the answer."""
    rng, n = np.random.default_rng(3), 143
    X = rng.standard_normal((2_000, n)).astype(np.float32)
    X[:, 1] = X[:, 0] + 1e-3 * X[:, 1]
    low, high, mean, inverse = (np.full(n, value, dtype=np.float32) for value in (-4.0, 4.0, 0.1, 1.0))
    returns, direction = rng.standard_normal((2, n + 1))
    returns[:2] = 300.0, -300.0
    model = FittedLinear(linear.Scaling(low, high, mean, inverse), returns, direction, {})
    assert export.check_parity(model.heads, model.export().SerializeToString(), X, tolerance=1e-5) < 1e-6
