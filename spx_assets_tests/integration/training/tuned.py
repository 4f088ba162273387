"""A process that tunes the planted rows, for tests that kill it or run several; and their settings.

Belongs here: what the tests of tuning share with the processes they start. Does not: tests.
"""

import os
import signal
import sys
import time
from collections.abc import Mapping
from datetime import date
from itertools import count
from pathlib import Path

from spx_assets.settings import Settings, TuningSettings
from spx_assets.training import learn
from spx_assets.training.tuning import objective, spaces, tuner
from spx_assets.training.tuning.results import OnTrial, TrialResult
from spx_assets_tests.unit.training import planted

WEEK = date(2025, 10, 12)


def settings(home: Path, **tuning: object) -> Settings:
    chosen = {"broad_trials": 6, "narrow_trials": 4, "grace_s": 2, **tuning}
    return Settings(home=home, models=planted.settings(), tuning=TuningSettings.model_validate(chosen))


def tune(chosen: Settings, *, family: str = "lightgbm", on_trial: OnTrial = lambda _: None, seed: int = 0) -> tuner.Tuned:
    data = planted.data(linear=1.0, nonlinear=1.0, seed=seed)
    return tuner.tune(
        data,
        planted.segments(data),
        learn.weights(data),
        chosen,
        name="spx500_h30",
        family=family,
        week=WEEK,
        on_trial=on_trial,
    )


def _main(home: Path, pause_s: float, killed_at: int) -> None:
    """Tunes in `home` and prints each trial, then pauses; dies inside the trial it would end as number `killed_at`, if not 0."""
    measure, begun = objective.Objective.__call__, count(1)

    def mortal(self: objective.Objective, parameters: Mapping[str, spaces.Value], report: objective.Report) -> object:
        if next(begun) == killed_at:
            os.kill(os.getpid(), signal.SIGKILL)
        return measure(self, parameters, report)

    def say(result: TrialResult) -> None:
        print(result.stage, result.number, result.state, flush=True)
        time.sleep(pause_s)

    objective.Objective.__call__ = mortal  # type: ignore[assignment,method-assign]
    tune(settings(home), on_trial=say)


if __name__ == "__main__":
    _main(Path(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]))
