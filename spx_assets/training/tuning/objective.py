"""What a trial is judged by: the raw losses of a fit on validation rows, or on folds before them.

Belongs here: one number from parameters, and when a trial may be given up. Does not: which parameters to try (`trials`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spx_assets.settings import ModelSettings, Settings, TuningSettings
from spx_assets.training import cross_validation, families, rehearsal
from spx_assets.training.cross_validation import Fold, Losses
from spx_assets.training.dataset import Dataset
from spx_assets.training.rehearsal import Rehearsal
from spx_assets.training.splits import Segments
from spx_assets.training.tuning.spaces import Value

F64 = npt.NDArray[np.float64]

Report = Callable[[int, float], None]
"""Told (step, loss so far) of a trial, steps ascending; may raise to end the trial."""


@dataclass(frozen=True)
class Objective:
    """The loss of `family` by parameters, on one fold or several."""

    family: str
    data: Dataset
    weight: F64
    models: ModelSettings
    tuning: TuningSettings
    folds: tuple[tuple[Rehearsal, Fold], ...]

    def __call__(self, parameters: Mapping[str, Value], report: Report) -> tuple[Losses, ...]:
        """Losses of each fold with these parameters."""
        chosen = with_parameters(self.models, self.family, parameters)
        # A single fold is watched while it is learned, several are looked at one after the other.
        watch = _Steps(report) if len(self.folds) == 1 else _unwatched
        told: list[Losses] = []
        for number, (fits, fold) in enumerate(self.folds):
            forecast = fits.forecasts(chosen, fold.asked, returns=self.tuning.return_weight > 0, watch=watch)
            told.append(cross_validation.losses(self.data, self.weight, *forecast))
            if len(self.folds) > 1:
                report(number, self.value(told))
        return tuple(told)

    def value(self, told: list[Losses] | tuple[Losses, ...]) -> float:
        """Mean over folds of the log loss, and of the return head's squared error by its weight."""
        share = self.tuning.return_weight
        return float(np.mean([fold.log_loss + (share * fold.squared_error if share else 0.0) for fold in told]))


class _Steps:
    """Reports once a whole unit has been learned: a report is a write to the trials' database."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._last = 0

    def __call__(self, learned: float, loss: float) -> None:
        if int(learned) > self._last:
            self._last = int(learned)
            self._report(self._last, loss)


def _unwatched(learned: float, loss: float) -> None:
    """For a fit that is judged only when it is done."""


def of(data: Dataset, segments: Segments, weight: F64, settings: Settings, family: str) -> Objective:
    """The objective the settings ask for; of `segments` it keeps fit and validation only."""
    chosen = families.get(family)
    if settings.tuning.objective == "folds":
        folds = cross_validation.folds(data, segments, settings.tuning.folds)
    else:
        folds = [Fold(cross_validation.only(segments.fit, segments.validation), segments.validation)]
    prepared = tuple((rehearsal.of(chosen, data, fold.segments, weight, settings.models), fold) for fold in folds)
    return Objective(family, data, weight, settings.models, settings.tuning, prepared)


def with_parameters(models: ModelSettings, family: str, parameters: Mapping[str, Value]) -> ModelSettings:
    """The settings with these parameters of `family`, checked."""
    if not parameters:
        return models
    chosen = getattr(models, family)
    return models.model_copy(update={family: type(chosen).model_validate({**chosen.model_dump(), **parameters})})
