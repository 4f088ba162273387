"""The LightGBM family: the same bits on every run, and a graph that answers as the boosters do, nulls included."""

import lightgbm as lgb
import numpy as np
import pytest

from spx_assets.scoring import graphs
from spx_assets.settings import LightGBMSettings, ModelSettings
from spx_assets.training import export, splits
from spx_assets.training.dataset import Dataset
from spx_assets.training.errors import NotEnoughRowsError, ParityError
from spx_assets.training.families import lightgbm

MINUTE = 60_000_000
N, F = 24_000, 6


def settings(**changes) -> ModelSettings:
    small = {"learning_rate": 0.1, "max_rounds": 40, "min_child_samples": 200, "threads": 1}
    return ModelSettings(lightgbm=LightGBMSettings(**(small | changes)))


def data(edge: float = 1.0) -> Dataset:
    """Six features of which the first two tell the return; one has few values, one is null for a fifth of the rows."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((N, F)).astype(np.float32)
    X[:, 2] = np.round(X[:, 2], 1)
    y = edge * (X[:, 0] - np.abs(X[:, 1])) + 3 * rng.standard_t(4, N)
    X[rng.random(N) < 0.2, 3] = np.nan
    ts = np.arange(N, dtype=np.int64) * MINUTE
    up = np.where(np.abs(y) < 0.01, np.nan, (y > 0).astype(float))
    return Dataset(
        features=tuple("abcdef"),
        instruments=("SPX500_USD",),
        horizon_minutes=1,
        X=X,
        instrument=np.zeros(N, np.int32),
        ts=ts,
        label_end=ts + 2 * MINUTE,
        return_bp=y,
        up=up,
        snapshot=0,
        hash="",
        tolerance_min=5,
    )


def fitted(rows: Dataset, **changes) -> lightgbm.FittedLightGBM:
    parts = splits.by_time(rows.ts, rows.label_end, embargo_us=MINUTE)
    return lightgbm.FAMILY.fit(rows, parts, np.full(N, 0.5), settings(**changes))


@pytest.fixture(scope="module")
def told() -> lightgbm.FittedLightGBM:
    return fitted(data())


def test_the_same_data_give_the_same_bits(told: lightgbm.FittedLightGBM):
    again = fitted(data())
    assert again.direction.model_to_string() == told.direction.model_to_string()
    assert again.export().SerializeToString() == told.export().SerializeToString()
    for a, b in zip(again.heads(data().X), told.heads(data().X), strict=True):
        assert a.tobytes() == b.tobytes()


def test_the_number_of_threads_changes_nothing():
    one, two = fitted(data(), max_rounds=8), fitted(data(), max_rounds=8, threads=2)
    assert one.heads(data().X)[0].tobytes() == two.heads(data().X)[0].tobytes()
    assert one.export().SerializeToString() == two.export().SerializeToString()


def test_another_seed_gives_another_model(told: lightgbm.FittedLightGBM):
    assert fitted(data(), seed=8).direction.model_to_string() != told.direction.model_to_string()


def test_both_heads_find_what_there_is(told: lightgbm.FittedLightGBM):
    rows = data()
    value, p = told.heads(rows.X[-2_400:])
    assert np.corrcoef(value, rows.return_bp[-2_400:])[0, 1] > 0.2
    assert np.corrcoef(p, rows.up[-2_400:] > 0)[0, 1] > 0.2
    assert told.parameters["rounds_direction"] >= 5


def test_the_graph_answers_as_the_boosters_on_rows_with_and_without_nulls(told: lightgbm.FittedLightGBM):
    X = data().X[-10_000:].copy()
    X[np.random.default_rng(1).random(X.shape) < 0.3] = np.nan
    X[0] = np.nan
    session = graphs.session(told.export().SerializeToString())
    for native, graph in zip(told.heads(X), graphs.heads(session, X), strict=True):
        assert np.max(np.abs(native - graph)) < 1e-5


def test_a_value_on_a_threshold_goes_the_same_way_in_both(told: lightgbm.FittedLightGBM):
    """Each threshold as float32 and its neighbours: where a rounded threshold would send a row to the other leaf.

    Left out: the borders of LightGBM's own zero, -1e-35 and 1e-35, which no input lies between.
    """
    trees = told.returns.trees_to_dataframe().dropna(subset=["threshold"]).query("abs(threshold) > 1e-30")
    X = np.zeros((3 * len(trees), F), dtype=np.float32)
    for k, (name, threshold) in enumerate(zip(trees["split_feature"], trees["threshold"], strict=True)):
        at = np.float32(threshold)
        near = (at, np.nextafter(at, np.float32(-np.inf)), np.nextafter(at, np.float32(np.inf)))
        X[3 * k : 3 * k + 3, int(name.removeprefix("Column_"))] = near
    session = graphs.session(told.export().SerializeToString())
    assert np.max(np.abs(told.heads(X)[0] - graphs.heads(session, X)[0])) < 1e-5


def test_thresholds_as_float32_leave_native_answers_as_they_are():
    rows = data()
    raw = lgb.train({"verbosity": -1, "num_threads": 1}, lgb.Dataset(rows.X, rows.return_bp), 20)
    moved = lgb.Booster(model_str=lightgbm._as_float32(raw.model_to_string()))
    assert moved.predict(rows.X).tobytes() == raw.predict(rows.X).tobytes()
    thresholds = moved.trees_to_dataframe()["threshold"].dropna().to_numpy()
    assert np.array_equal(thresholds, thresholds.astype(np.float32).astype(float))


def test_a_model_that_found_nothing_can_be_exported():
    """Leaves of more rows than there are: every tree is one leaf."""
    nothing = fitted(data(), min_child_samples=N)
    model = nothing.export().SerializeToString()
    assert export.check_parity(nothing.heads, model, data().X[:100], tolerance=1e-5) < 1e-5


def test_a_graph_without_a_row_to_compare_on_is_refused_with_a_remedy(told: lightgbm.FittedLightGBM):
    with pytest.raises(NotEnoughRowsError, match="Backfill more weeks"):
        export.check_parity(told.heads, b"", data().X[:0], tolerance=1e-5)


def test_a_graph_that_differs_is_refused(told: lightgbm.FittedLightGBM):
    model, X = told.export().SerializeToString(), data().X[-500:]
    assert export.check_parity(told.heads, model, X, tolerance=1e-5) < 1e-5

    def off(rows):
        value, p = told.heads(rows)
        return value, p + 2e-5

    with pytest.raises(ParityError, match="nothing was written"):
        export.check_parity(off, model, X, tolerance=1e-5)


def test_a_graph_without_an_answer_to_nulls_is_refused(told: lightgbm.FittedLightGBM):
    model = told.export().SerializeToString()

    def silent(rows):
        value, p = told.heads(rows)
        return np.where(np.isnan(rows).all(axis=1), np.nan, value), p

    with pytest.raises(ParityError, match="nan"):
        export.check_parity(silent, model, data().X[-500:], tolerance=1e-5)
