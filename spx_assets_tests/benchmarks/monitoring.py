"""Drift of a day, and what follows from it: statistics of 120 inputs against a year, and a champion trained on 460,000 bars.

Belongs here: rows of a market's shape and the measuring. Does not: reading them, the other daily assets.
"""

import time

import dagster as dg
import numpy as np

from spx_assets.automation import retraining
from spx_assets.automation.jobs import RETRAIN
from spx_assets.build import build_defs
from spx_assets.monitoring import compare, summary, verdicts
from spx_assets.scoring import artifact, current
from spx_assets.scoring.forecaster import Forecaster
from spx_assets.settings import ModelSettings, SimulatorSettings, load
from spx_assets.settings.monitoring import DriftSettings
from spx_assets_tests.benchmarks.graph import bound, execute
from spx_assets_tests.benchmarks.line import Line, spent
from spx_assets_tests.benchmarks.training import DAYS as LEARNED_DAYS

INPUTS, MINUTES, DAYS, KNOWN_DAYS = 120, 1_440, 30, 250
DAY = 86_400_000_000
LAUNCHED_S = 20.0
"""From the request to the first step: the queue is looked at every five seconds, a process starts in ten to fifteen."""
NAMES = ("hist_vol_50", "spread_pct", *(f"input_{k}" for k in range(INPUTS - 2)))


def run() -> list[Line]:
    began = time.process_time()
    section = summary.section("SPX500_USD", *rows(KNOWN_DAYS, seed=0), NAMES)
    known = time.process_time() - began
    ts, X = rows(DAYS, seed=1)
    rules = DriftSettings()
    began = time.process_time()
    found = compare.distances(section, ts, X, length=rules.window_days, every=1, key=rules.key_features)
    verdicts.judge(found, NAMES, rules)
    return [
        Line(f"drift of {INPUTS} inputs x {len(ts):,} rows", time.process_time() - began, 2.0, "CPU s"),
        Line(f"reference of {INPUTS} inputs x {KNOWN_DAYS} days", known, None, "CPU s"),
    ]


def retrained() -> list[Line]:
    """The run that a drift asks for where no feature has changed: LightGBM, both horizons, the gate, what a service loads.

    The sensor's longest pause, the start of the run and the service's own are added as their settings say.
    """
    models = ModelSettings(families=("lightgbm",))
    settings = load().model_copy(update={"simulator": SimulatorSettings(days=LEARNED_DAYS), "models": models})
    weeks = bound(settings)
    execute(settings, weeks[0], weeks[-1])
    names = [name for name, _, _ in settings.model_names]
    request = retraining.models(settings, weeks[-1], names, event="drift", reason="a benchmark")
    job = build_defs(settings).resolve_job_def(RETRAIN)
    with dg.DagsterInstance.get() as home, spent() as used:
        job.execute_in_process(
            instance=home,
            partition_key=request.partition_key,
            asset_selection=request.asset_selection,
            tags=request.tags,
            run_config={"loggers": {"console": {"config": {"log_level": "WARNING"}}}},
        )
        for name in names:
            state = current.read(settings.artifacts, name)
            served = current.served(state) if state else None
            assert served is not None
            Forecaster.load(artifact.folder(settings.artifacts, name, served[1]))
    waited = settings.automation.interval_s + LAUNCHED_S + settings.serving.poll_s
    bars = f"{LEARNED_DAYS} days of bars, {len(names)} horizons of LightGBM"
    return [Line(f"drift report -> champion served, {bars}, waits of {waited:g} s with it", used.wall_s + waited, 600.0, "s")]


def rows(days: int, *, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Stamps of every minute, and positive inputs whose level moves from day to day."""
    rng = np.random.default_rng(seed)
    level = 0.15 * rng.standard_normal((days, INPUTS)).cumsum(axis=0) * 0.3
    ts = np.arange(days * MINUTES, dtype=np.int64) * (DAY // MINUTES)
    X = np.exp(np.repeat(level, MINUTES, axis=0) + 0.2 * rng.standard_normal((len(ts), INPUTS)))
    return ts, X.astype(np.float32)
