"""Which parameters a version learns with, and how they do on folds.

Belongs here: tuning and cross-validation in front of learning. Does not: either's arithmetic (`tuning`, `cross_validation`).

An ensemble has neither: its members were chosen and fitted before it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from spx_assets.scoring.manifest import finite
from spx_assets.settings import Settings
from spx_assets.training import cross_validation, ensemble, families, learn
from spx_assets.training.cross_validation import CrossValidation
from spx_assets.training.dataset import Dataset
from spx_assets.training.tuning.results import OnTrial


@dataclass(frozen=True)
class Choice:
    """Settings with the chosen parameters, how many trials chose them, and the cross-validation's metrics."""

    settings: Settings
    trials: int
    metrics: Mapping[str, float | None]


def parameters(
    data: Dataset, settings: Settings, *, name: str, family: str, week: date, tune: bool, folds: int, on_trial: OnTrial
) -> Choice:
    """The settings' own parameters, or with `tune` the best that were found.

    Folds are evaluated if `folds` asks for them, or if they were the objective of the tuning.
    """
    if family == ensemble.NAME or not (tune or folds):
        return Choice(settings, 0, {})
    segments, weight = learn.split(data), learn.weights(data)
    trials, validated = 0, None
    if tune:
        # Optuna takes half a second to import.
        from spx_assets.training.tuning import tuner

        best = tuner.tune(data, segments, weight, settings, name=name, family=family, week=week, on_trial=on_trial)
        settings = settings.model_copy(update={"models": best.models})
        trials, validated = best.trials, best.validated
    if folds and not _has(validated, folds):
        validated = cross_validation.run(families.get(family), data, segments, weight, settings.models, n=folds)
    return Choice(settings, trials, finite(validated.metrics()) if validated else {})


def _has(validated: CrossValidation | None, folds: int) -> bool:
    return validated is not None and len(validated.folds) == folds
