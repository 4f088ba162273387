"""Every metric of `models.versions` that judged rows alone can tell, by head, each beside its baselines on the same rows.

Belongs here: what is judged, and both heads together. Does not: a head's own numbers (`direction`, `returns`). A metric that
the rows cannot tell is NaN.
"""

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from spx_assets.training import uniqueness
from spx_assets.training.baselines import Baselines
from spx_assets.training.evaluation import direction, returns

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Judged:
    """Forecasts and outcomes of n rows. `up` is 1, 0 or NaN on a tie; `probability_up` is calibrated."""

    ts: I64
    label_end: I64
    return_bp: F64
    up: F64
    known_bp: F64
    """Last known return of the same horizon, NaN where none is known: what the AR(1) forecasts from."""
    expected_bp: F64
    probability_up: F64
    interval_low_bp: F64
    interval_high_bp: F64

    def at(self, rows: npt.NDArray[np.bool_]) -> "Judged":
        """Some of the rows."""
        return Judged(**{part.name: getattr(self, part.name)[rows] for part in fields(self)})

    @property
    def told(self) -> "Judged":
        """The rows with a direction: those that are no tie."""
        return self.at(~np.isnan(self.up))


def metrics(rows: Judged, baselines: Baselines) -> dict[str, float]:
    """Both heads beside their baselines, and the effective sample size."""
    told = rows.told
    inside = (rows.return_bp >= rows.interval_low_bp) & (rows.return_bp <= rows.interval_high_bp)
    return {
        "effective_obs": uniqueness.effective(rows.ts, rows.label_end),
        **direction.metrics(told.up, told.probability_up, baselines.base_rate, ts=told.ts, label_end=told.label_end),
        **returns.metrics(rows.return_bp, rows.expected_bp, rows.known_bp, baselines, ts=rows.ts, label_end=rows.label_end),
        "coverage_interval": float(np.mean(inside)),
    }
