"""Forecasts of one bar by models that look at several: an LSTM alone, and a vote with it."""

import time
from statistics import median

import numpy as np

from spx_assets.scoring.forecaster import Forecaster
from spx_assets.scoring.graphs import Graph, Voice, Vote
from spx_assets.settings import LstmSettings, ModelSettings, RandomForestSettings, XGBoostSettings
from spx_assets.training import families, splits, uniqueness
from spx_assets.training.dataset import Dataset
from spx_assets_tests.benchmarks.line import Line
from spx_assets_tests.unit.scoring import toy

FEATURES, ROWS, ASKED = 125, 20_000, 300
MINUTE = 60_000_000
# The size of the defaults, learned in seconds: what a forecast costs does not depend on how well it was learned.
MODELS = ModelSettings(
    lstm=LstmSettings(max_epochs=1, max_fit_rows=2_000),
    xgboost=XGBoostSettings(min_child_rows=50, max_rounds=100, early_stopping_rounds=100),
    random_forest=RandomForestSettings(max_samples=5_000),
)


def run() -> list[Line]:
    rng = np.random.default_rng(0)
    data = synthetic(rng)
    segments = splits.by_time(data.ts, data.label_end, embargo_us=MINUTE)
    weight = uniqueness.average(data.ts, data.label_end)
    members = []
    for family in ("lstm", "xgboost", "random_forest"):
        fitted = families.get(family).fit(data, segments, weight, MODELS)
        described = toy.manifest(data.features, family=family, input_rows=fitted.input_rows)
        members.append(Forecaster(described, fitted.export().SerializeToString()))
    voices = [Voice.among(data.features, one.graph, one.manifest, 1 / 3) for one in members]
    vote: Graph = Vote(voices)
    ensemble = Forecaster(toy.manifest(data.features, family="ensemble", input_rows=vote.input_rows), vote)
    return [
        Line("LSTM of 60 bars x 125: one forecast", latency_ms(members[0], data), 1.0, "ms"),
        Line("vote of LSTM, XGBoost and forest: one forecast", latency_ms(ensemble, data), 1.0, "ms"),
    ]


def synthetic(rng: np.random.Generator) -> Dataset:
    """Noise with a weak edge: one run of bars, a tenth of the inputs null."""
    X = rng.standard_normal((ROWS, FEATURES)).astype(np.float32)
    X[rng.random(X.shape) < 0.1] = np.nan
    y = 0.3 * np.nan_to_num(X[:, 0]) + 8 * rng.standard_normal(ROWS)
    # Inside trading days of 1,380 bars, so that sequences break as they do.
    ts = (np.arange(ROWS, dtype=np.int64) + 60 * (np.arange(ROWS) // 1_380)) * MINUTE
    return Dataset(
        features=tuple(f"f{k}" for k in range(FEATURES)),
        instruments=("SPX500_USD",),
        horizon_minutes=1,
        X=X,
        instrument=np.zeros(ROWS, np.int32),
        ts=ts,
        label_end=ts + 2 * MINUTE,
        return_bp=y,
        up=(y > 0).astype(float),
        snapshot=0,
        hash="",
        tolerance_min=5,
    )


def latency_ms(forecaster: Forecaster, data: Dataset) -> float:
    """Median time of a forecast of one bar, calibration and interval included, as serving asks for it."""
    took = []
    history = data.X[: forecaster.manifest.input_rows]
    newest = np.array([len(history) - 1])
    for _ in range(ASKED):
        began = time.perf_counter()
        forecaster.at(history, newest)
        took.append(time.perf_counter() - began)
    return median(took) * 1e3
