"""Two-stage tuning of the default LightGBM on the size of the real S&P 500 series.

Seven trials are run, and the time of 20 + 30 is told from theirs: what is spent once, mostly on bins, and
fifty times the mean trial. Early trials are drawn at random and none is pruned, so the whole costs rather less.
"""

import numpy as np

from spx_assets.lake import Lake
from spx_assets.settings import SimulatorSettings, TuningSettings, load
from spx_assets.training import dataset, learn
from spx_assets.training.tuning import tuner
from spx_assets_tests.benchmarks.graph import bound, execute
from spx_assets_tests.benchmarks.line import Line, spent
from spx_assets_tests.benchmarks.training import DAYS

TRIALS = TuningSettings(broad_trials=4, narrow_trials=3)
WHOLE = TuningSettings().broad_trials + TuningSettings().narrow_trials


def run() -> list[Line]:
    settings = load().model_copy(update={"simulator": SimulatorSettings(days=DAYS), "tuning": TRIALS})
    weeks = bound(settings)
    execute(settings, weeks[0], weeks[-1])
    data = dataset.load(Lake.open(settings), settings, name="spx500_h30", week=weeks[-1])
    segments, weight = learn.split(data), learn.weights(data)
    took: list[float] = []

    with spent() as used:
        tuner.tune(
            data,
            segments,
            weight,
            settings,
            name="spx500_h30",
            family="lightgbm",
            week=weeks[-1],
            on_trial=lambda trial: took.append((trial.ended - trial.began).total_seconds()),
        )
    once = used.wall_s - sum(took)
    told = (once + WHOLE * float(np.mean(took))) / 60
    return [Line(f"two-stage tuning of LightGBM, {len(data.ts):,} rows, from {len(took)} of {WHOLE} trials", told, 20.0, "min")]
