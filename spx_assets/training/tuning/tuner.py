"""Tunes one family on one training set: a broad stage, then one around its best.

Belongs here: the stages, their budget, the name under which they are resumed. Does not: trials (`trials`), losses (`objective`).
"""

import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import msgspec
import numpy as np
import numpy.typing as npt

from spx_assets.settings import ModelSettings, Settings
from spx_assets.training.cross_validation import CrossValidation, Losses
from spx_assets.training.dataset import Dataset
from spx_assets.training.splits import Segments
from spx_assets.training.tuning import objective, spaces, trials
from spx_assets.training.tuning.results import OnTrial
from spx_assets.training.tuning.spaces import Space, Value

F64 = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Tuned:
    """The best parameters found, in settings that learning can go on with."""

    models: ModelSettings
    parameters: Mapping[str, Value]
    loss: float | None
    trials: int
    """Finished ones, those of other workers and of earlier, interrupted attempts included."""
    validated: CrossValidation | None = None
    """The best trial's folds, where folds are the objective."""


def tune(
    data: Dataset,
    segments: Segments,
    weight: F64,
    settings: Settings,
    *,
    name: str,
    family: str,
    week: date,
    on_trial: OnTrial = lambda _: None,
) -> Tuned:
    """The parameters of `family` with the lowest loss on fit and validation rows; goes on where an earlier call stopped.

    The settings' own parameters are the first trial, so tuning never ends above them. `on_trial` hears of every trial that ends
    in this process.
    """
    space = spaces.of(family)
    if not space:
        return Tuned(settings.models, {}, None, 0)
    tuning = settings.tuning
    measured = objective.of(data, segments, weight, settings, family)
    kept = trials.storage(settings)
    base = study_name(data, settings, name=name, family=family, week=week, space=space)

    def measure(parameters: Mapping[str, Value], report: objective.Report) -> tuple[float, tuple[Losses, ...]]:
        told = measured(parameters, report)
        return measured.value(told), told

    model = f"{name}/{family}"
    broad = trials.make(
        tuning, kept, study_name=f"{base}/broad", model=model, stage="broad", space=space, wanted=tuning.broad_trials
    )
    own = getattr(settings.models, family).model_dump()
    until = time.monotonic() + tuning.seconds if tuning.seconds else None
    broad.run(measure, first={part.name: own[part.name] for part in space}, until=until, on_trial=on_trial)
    stages = [broad]
    best = broad.best()
    if best and tuning.narrow_trials and len(broad.finished()) >= broad.wanted:
        around = spaces.narrowed(space, best.params, share=tuning.narrow_share)
        # The study carries its ranges' hash: workers that found another best, by other settings, do not mix with it.
        title = f"{base}/narrow-{_digest(around)}"
        narrow = trials.make(
            tuning, kept, study_name=title, model=model, stage="narrow", space=around, wanted=tuning.narrow_trials
        )
        narrow.run(measure, first=None, until=until, on_trial=on_trial)
        stages.append(narrow)
    finished = sum(len(stage.finished()) for stage in stages)
    bests = [trial for stage in stages if (trial := stage.best())]
    kept.remove_session()
    kept.engine.dispose()
    if not bests:
        return Tuned(settings.models, {}, None, finished)
    winner = min(bests, key=trials.rank)
    chosen = objective.with_parameters(settings.models, family, winner.params)
    validated = CrossValidation(trials.losses_of(winner)) if tuning.objective == "folds" else None
    return Tuned(chosen, winner.params, winner.value, finished, validated)


def study_name(data: Dataset, settings: Settings, *, name: str, family: str, week: date, space: Space) -> str:
    """What makes trials comparable, and so resumable: forecaster, family, week, rows, objective and the settings none changes."""
    tuning = settings.tuning
    own = getattr(settings.models, family).model_dump(exclude={"threads"})
    rules = _digest((own, space, tuning.folds, tuning.return_weight, tuning.seed, tuning.pruner))
    return f"{name}/{family}/{week}/{data.hash}/{tuning.objective}-{rules}"


def _digest(value: object) -> str:
    return hashlib.sha256(msgspec.json.encode(value)).hexdigest()[:12]
