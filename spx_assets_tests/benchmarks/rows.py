"""Rows of a caller's own through POST /predict/matrix: a real LightGBM graph behind a real service on a socket.

Belongs here: the model that is asked, how it is asked. Does not: single forecasts (`serving`), scoring without HTTP (`pipeline`).
"""

import dataclasses
import time

import msgspec
import numpy as np

from serving.model_store import INPUTS
from spx_assets.features import catalog
from spx_assets.scoring import artifact
from spx_assets.scoring.forecaster import Forecaster
from spx_assets.settings import LightGBMSettings, ModelSettings, Settings, load
from spx_assets.training import families, splits, uniqueness
from spx_assets_tests.benchmarks import scoring
from spx_assets_tests.benchmarks.line import Line
from spx_assets_tests.integration.serving import homes
from spx_assets_tests.load import process
from spx_assets_tests.unit.scoring import toy

ROWS, CALLS = 14_000, 20
PATH = "/predict/matrix?instrument=SPX500_USD"
TYPE = {"content-type": "application/octet-stream"}


def run() -> list[Line]:
    settings = load()
    forecaster = served(settings)
    X = np.random.default_rng(1).standard_normal((ROWS, len(INPUTS))).astype("<f4")
    began = time.process_time()
    forecaster.predict(X)
    alone = 1e6 * (time.process_time() - began) / ROWS
    body = X.tobytes()
    # As often as by default: looking at the lake costs what it costs whether rows come or not.
    with homes.running(settings.home, whole=True, SPX_SERVING__POLL_S="1") as service:

        def ask() -> None:
            answer = service.client.post(PATH, content=body, headers=TYPE)
            if answer.status_code != 200 or len(answer.content) != 16 * ROWS:
                raise RuntimeError(f"{PATH} answered {answer.status_code}: {answer.text[:500]}")

        ask()
        pid = service.process.pid
        spent, began = process.cpu_s(pid), time.perf_counter()
        for _ in range(CALLS):
            ask()
        took, spent = time.perf_counter() - began, process.cpu_s(pid) - spent
        return [
            Line(f"POST /predict/matrix, LightGBM, {ROWS} rows x {len(INPUTS)} a call", ROWS * CALLS / took, 1e5, "rows/s", True),
            Line("the service's CPU for a row", 1e6 * spent / (ROWS * CALLS), None, "us"),
            Line("the model's alone", alone, None, "us"),
            Line("the service's peak memory", process.memory_mb(pid, "VmHWM"), 300.0, "MiB"),
        ]


def served(settings: Settings) -> Forecaster:
    """A model of 100 trees a head, learned from rows whose return hangs on so much that none of them is left out."""
    chosen = ModelSettings(lightgbm=LightGBMSettings(max_rounds=100, min_child_samples=200))
    rng = np.random.default_rng(2)
    noise = scoring.synthetic(rng)
    X = rng.standard_normal((len(noise.ts), len(INPUTS))).astype(np.float32)
    y = 8.0 * np.tanh(X[:, :20]).sum(axis=1) + 20.0 * X[:, 20] * X[:, 21] + noise.return_bp
    data = dataclasses.replace(noise, features=INPUTS, X=X, return_bp=y, up=(y > 0).astype(float))
    segments = splits.by_time(data.ts, data.label_end, embargo_us=scoring.MINUTE)
    fitted = families.get("lightgbm").fit(data, segments, uniqueness.average(data.ts, data.label_end), chosen)
    graph = fitted.export().SerializeToString()
    described = toy.manifest(INPUTS, feature_set_hash=catalog.feature_set_hash(INPUTS))
    ready = Forecaster(described, graph)
    described = msgspec.structs.replace(described, golden=ready.golden(X[:2]))
    toy.serve(settings.artifacts, artifact.write(settings.artifacts, described, {artifact.MODEL: graph}))
    return ready
