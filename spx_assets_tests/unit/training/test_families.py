"""What every family promises, one test for all of them."""

from functools import cache

import numpy as np
import pytest

from spx_assets.scoring import graphs
from spx_assets.training import export, families
from spx_assets.training.errors import UnknownModelError
from spx_assets.training.evaluation import auc
from spx_assets.training.families.base import Fitted
from spx_assets_tests.unit.training import planted

SEEDED = ("lightgbm", "xgboost", "random_forest")
FAMILIES = (*SEEDED, "linear")
EVEN = np.full(planted.N, 0.5)


def fit(family: str, *, weight: np.ndarray = EVEN, threads: int = 1, seed: int = 7, rounds: int = 25, **market: float) -> Fitted:
    rows = planted.data(**market)
    return families.get(family).fit(
        rows, planted.segments(rows), weight, planted.settings(threads=threads, seed=seed, rounds=rounds)
    )


@cache
def fitted(family: str) -> Fitted:
    """Learned once on rows with a linear edge, for the tests that only ask."""
    return fit(family)


def bits(model: Fitted) -> tuple[bytes, ...]:
    """Native answers and the graph."""
    return (*(head.tobytes() for head in model.heads(planted.data().X)), model.export().SerializeToString())


@pytest.mark.parametrize("family", FAMILIES)
def test_the_graph_answers_as_the_model_on_ten_thousand_rows_with_nulls(family: str):
    X = np.tile(planted.data(seed=1).X, (2, 1))[:10_000]
    X[np.random.default_rng(1).random(X.shape) < 0.3] = np.nan
    X[0] = np.nan
    graph = fitted(family).export().SerializeToString()
    assert export.check_parity(fitted(family).heads, graph, X, tolerance=1e-5) < 1e-6


@pytest.mark.parametrize("family", FAMILIES)
def test_the_graph_answers_one_row_as_it_answers_many(family: str):
    X = planted.data(seed=1).X[:50]
    session = graphs.session(fitted(family).export().SerializeToString())
    for k, whole in enumerate(graphs.heads(session, X)):
        alone = [graphs.heads(session, X[i : i + 1])[k][0] for i in range(len(X))]
        assert np.max(np.abs(whole - alone)) < 1e-6


@pytest.mark.parametrize("family", FAMILIES)
def test_the_same_data_give_the_same_bits_on_any_number_of_threads(family: str):
    assert bits(fit(family)) == bits(fitted(family))
    # Few rounds: on a busy machine threads wait for one another at each.
    assert bits(fit(family, threads=2, rounds=4)) == bits(fit(family, rounds=4))


@pytest.mark.parametrize("family", SEEDED)
def test_another_seed_gives_another_model(family: str):
    assert bits(fit(family, seed=8))[0] != bits(fitted(family))[0]


@pytest.mark.parametrize("family", FAMILIES)
def test_a_straight_edge_is_learned_by_both_heads(family: str):
    rows = planted.data()
    held = planted.segments(rows).out_of_time
    value, p = fitted(family).heads(rows.X[held])
    told = ~np.isnan(rows.up[held])
    assert auc(rows.up[held][told], p[told]) > 0.58
    assert np.corrcoef(value, rows.return_bp[held])[0, 1] > 0.17
    # No lucky order: both heads lean on the input that was planted.
    assert np.corrcoef(value, rows.X[held, 0])[0, 1] > 0.8
    assert np.corrcoef(p, rows.X[held, 0])[0, 1] > 0.8


@pytest.mark.parametrize("family", SEEDED)
def test_a_bent_edge_is_learned_by_trees(family: str):
    rows = planted.data(linear=0.0, nonlinear=2.0)
    held = planted.segments(rows).out_of_time
    value, p = fit(family, linear=0.0, nonlinear=2.0).heads(rows.X[held])
    told = ~np.isnan(rows.up[held])
    assert auc(rows.up[held][told], p[told]) > 0.58
    assert np.corrcoef(value, rows.return_bp[held])[0, 1] > 0.2


@pytest.mark.parametrize("family", FAMILIES)
def test_rows_of_no_weight_teach_nothing(family: str):
    """Two rows in three tell the opposite: with weight they turn the forecasts round, without they change nothing."""
    rows = planted.data(linear=2.0)
    odd = np.arange(planted.N) % 3 > 0
    rows.X[odd, 0] *= -1
    parts, settings = planted.segments(rows), planted.settings()
    held = parts.out_of_time[~odd[parts.out_of_time] & ~np.isnan(rows.up[parts.out_of_time])]
    ignored, believed = (
        families.get(family).fit(rows, parts, weight, settings).heads(rows.X[held])[1]
        for weight in (np.where(odd, 0.0, 0.5), EVEN)
    )
    assert auc(rows.up[held], ignored) > 0.55
    assert auc(rows.up[held], believed) < 0.45


@pytest.mark.parametrize("family", FAMILIES)
def test_a_tie_teaches_the_direction_nothing(family: str):
    """A fifth of the rows become ties, all at high `slope`: counted as down they would turn the edge round."""
    rows = planted.data()
    rows.up[rows.X[:, 0] > 0.8] = np.nan
    parts = planted.segments(rows)
    p = families.get(family).fit(rows, parts, EVEN, planted.settings()).heads(rows.X[parts.out_of_time])[1]
    assert np.isfinite(p).all()
    assert p[rows.X[parts.out_of_time, 0] > 0.8].mean() > 0.52


@pytest.mark.parametrize("family", FAMILIES)
def test_later_segments_are_not_looked_at(family: str):
    rows = planted.data()
    parts = planted.segments(rows)
    for later in (parts.calibration, parts.out_of_time):
        rows.X[later], rows.return_bp[later], rows.up[later] = 1e6, -1e6, 1.0
    blind = families.get(family).fit(rows, parts, EVEN, planted.settings())
    assert bits(blind) == bits(fitted(family))


@pytest.mark.parametrize("family", FAMILIES)
def test_one_wild_return_does_not_rule_the_return_head(family: str):
    rows = planted.data()
    parts = planted.segments(rows)
    rows.return_bp[parts.fit[100]] = 1e4
    value, _ = families.get(family).fit(rows, parts, EVEN, planted.settings()).heads(rows.X)
    assert np.max(np.abs(value)) < 200


@pytest.mark.parametrize("family", FAMILIES)
def test_parameters_are_plain_values_that_a_manifest_can_keep(family: str):
    parameters = fitted(family).parameters
    assert parameters["target_clip"] == 4.0
    assert all(isinstance(value, str | int | float | bool) for value in parameters.values())
    assert fitted(family).input_rows == 1


@pytest.mark.parametrize("family", SEEDED)
def test_a_model_that_found_nothing_can_be_exported(family: str):
    """Leaves of more rows than there are: every tree is one leaf."""
    settings = planted.settings()
    settings = settings.model_copy(
        update={
            "lightgbm": settings.lightgbm.model_copy(update={"min_child_samples": planted.N}),
            "xgboost": settings.xgboost.model_copy(update={"min_child_rows": planted.N}),
            "random_forest": settings.random_forest.model_copy(update={"max_samples": 1}),
        }
    )
    rows = planted.data()
    nothing = families.get(family).fit(rows, planted.segments(rows), EVEN, settings)
    if family != "random_forest":
        assert len(np.unique(nothing.heads(rows.X)[0])) == 1
    assert export.check_parity(nothing.heads, nothing.export().SerializeToString(), rows.X[:100], tolerance=1e-6) < 1e-6


def test_an_unknown_family_names_the_known_ones():
    with pytest.raises(UnknownModelError, match=r"no model family 'prophet'.*lightgbm, xgboost, random_forest, linear"):
        families.get("prophet")


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_is_known_by_the_name_it_gives_itself(family: str):
    assert families.get(family).name == family
