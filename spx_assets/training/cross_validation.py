"""Cross-validation on purged expanding folds inside fit and validation, and the losses it is told in.

Belongs here: the folds' segments, raw losses of a fitted model on rows. Does not: calibration, the out-of-time judgement
(`evaluation`), choosing parameters (`tuning`).

Losses are those of the raw heads, weighted by uniqueness: calibration has a segment of its own, which no fold may see.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spx_assets.scoring import sequences
from spx_assets.settings import ModelSettings
from spx_assets.training import skill, splits
from spx_assets.training.dataset import Dataset
from spx_assets.training.evaluation.direction import auc
from spx_assets.training.families.base import Family, Fitted
from spx_assets.training.splits import MINUTE_US, Rows, Segments

F64 = npt.NDArray[np.float64]

STOPPING = 1 / 8
"""Share of a fold's fit rows, its newest, on which the family stops early: what validation has of fit and validation."""
CERTAIN = 1e-6
"""Nearest a raw probability may come to 0 or 1: a forest's leaf may hold ups only, and a log loss of infinity ranks nothing."""
CHUNK = 16_384
"""Rows forecast together: as sequences of 60 bars x 120 float32 they take 470 MB."""


@dataclass(frozen=True)
class Losses:
    """What a model that was not calibrated lost on rows it has not learned from."""

    log_loss: float
    auc: float
    squared_error: float
    """Of the return head, as a share of a forecast of zero's."""


@dataclass(frozen=True)
class Fold:
    """One fold: `segments.fit` and `.validation` are learned from, `asked` is evaluated; the other segments are empty."""

    segments: Segments
    asked: Rows


@dataclass(frozen=True)
class CrossValidation:
    """The losses of every fold, in order of time."""

    folds: tuple[Losses, ...]

    def metrics(self) -> dict[str, float]:
        """Mean and sample standard deviation over the folds, as `models.versions` names them; the spread of one fold is NaN."""
        told = {"cv_log_loss": [fold.log_loss for fold in self.folds], "cv_auc": [fold.auc for fold in self.folds]}
        return {
            **{f"{name}_mean": float(np.mean(values)) for name, values in told.items()},
            **{f"{name}_spread": spread(values) for name, values in told.items()},
        }


def spread(values: Sequence[float]) -> float:
    """Sample standard deviation; NaN for fewer than two values."""
    return float(np.std(values, ddof=1)) if len(values) > 1 else float("nan")


def folds(data: Dataset, segments: Segments, n: int) -> list[Fold]:
    """`n` expanding folds of the fit and validation rows, each with a tail of its own to stop early on."""
    pool = np.concatenate([segments.fit, segments.validation])
    embargo_us = data.horizon_minutes * MINUTE_US
    made = []
    for fit, asked in splits.expanding(data.ts[pool], data.label_end[pool], n=n, embargo_us=embargo_us):
        rows = pool[fit]
        earlier, later = splits.tail(data.ts[rows], data.label_end[rows], share=STOPPING, embargo_us=embargo_us)
        made.append(Fold(only(rows[earlier], rows[later]), pool[asked]))
    return made


def only(fit: Rows, validation: Rows) -> Segments:
    """Segments without calibration and out-of-time rows: what is not there cannot be looked at."""
    none = np.empty(0, dtype=np.intp)
    return Segments(fit, validation, none, none)


def run(family: Family, data: Dataset, segments: Segments, weight: F64, settings: ModelSettings, *, n: int) -> CrossValidation:
    """Fits `family` on `n` folds and evaluates each on the rows after it."""
    return CrossValidation(
        tuple(
            losses(data, weight, *forecasts(family.fit(data, fold.segments, weight, settings), data, fold.asked))
            for fold in folds(data, segments, n)
        )
    )


def forecasts(fitted: Fitted, data: Dataset, rows: Rows) -> tuple[Rows, F64, F64]:
    """(those of `rows` that have a full sequence, their expected return in bp, their raw probability of up)."""
    able = rows[data.run[rows] >= fitted.input_rows]
    told = [
        fitted.heads(sequences.gather(data.X, able[i : i + CHUNK], input_rows=fitted.input_rows))
        for i in range(0, len(able), CHUNK)
    ]
    value, p = (np.concatenate([np.empty(0), *(part[head] for part in told)]) for head in (0, 1))
    return able, value, p


def losses(data: Dataset, weight: F64, rows: Rows, value: F64, p: F64) -> Losses:
    """Losses of both heads on `rows`, weighted by uniqueness; ties have no direction. NaN where there is nothing to lose."""
    return Losses(log_loss(data, weight, rows, p), _auc(data, rows, p), squared_error(data, weight, rows, value))


def log_loss(data: Dataset, weight: F64, rows: Rows, p: F64) -> float:
    """Weighted log loss of the raw probability `p` of `rows`."""
    told = ~np.isnan(data.up[rows])
    if not told.any():
        return float("nan")
    lost = skill.log_losses(data.up[rows][told], np.clip(p[told], CERTAIN, 1.0 - CERTAIN))
    return float(np.average(lost, weights=weight[rows][told]))


def squared_error(data: Dataset, weight: F64, rows: Rows, value: F64) -> float:
    """Weighted squared error of the expected return `value` of `rows`, as a share of a forecast of zero's."""
    y, w = data.return_bp[rows], weight[rows]
    zero = float(np.sum(w * y**2))
    return float(np.sum(w * (y - value) ** 2)) / zero if zero > 0 else float("nan")


def _auc(data: Dataset, rows: Rows, p: F64) -> float:
    told = ~np.isnan(data.up[rows])
    return auc(data.up[rows][told], p[told])
