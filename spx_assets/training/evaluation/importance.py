"""How much a model owes to each input: what its trees gained by it, what its forecasts lose without it.

Belongs here: permutation importance on out-of-time rows, and the order of both. Does not: gains, which a family tells.
"""

from collections.abc import Mapping

import msgspec
import numpy as np
import numpy.typing as npt

from spx_assets.scoring import sequences
from spx_assets.scoring.forecaster import Forecaster
from spx_assets.training import skill
from spx_assets.training.dataset import Dataset
from spx_assets.training.evaluation import slices
from spx_assets.training.splits import Rows

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]

ROWS, SEQUENCES = 1_024, 256
"""Rows permuted, evenly spread: of half a year one every two hours, which is as much as independent labels can tell. 125 inputs
of a graph of 2 x 200 trees take 2 CPU s. Of sequences fewer, as each costs more."""


class Importance(msgspec.Struct, frozen=True):
    """One input. `gain`: its share, null for a family without; `permutation`: what the log loss rises by without it."""

    feature: str
    gain: float | None
    permutation: float
    rank: int
    """By permutation, from 1; equals in the order of gain, then of the model's inputs."""


def of(ready: Forecaster, data: Dataset, rows: Rows, *, gain: Mapping[int, float] | None) -> tuple[Importance, ...]:
    """The importance of every input by rank; `gain` by position among the manifest's features, those left out have none."""
    features = ready.manifest.features
    shares = None if gain is None else np.array([gain.get(k, 0.0) for k in range(len(features))])
    lost = permutation(ready, data, rows, used=np.ones(len(features), bool) if shares is None else shares > 0)
    order = np.lexsort((np.arange(len(features)), np.zeros(len(features)) if shares is None else -shares, -lost))
    return tuple(
        Importance(features[k], None if shares is None else float(shares[k]), float(lost[k]), rank)
        for rank, k in enumerate(order.tolist(), start=1)
    )


def permutation(ready: Forecaster, data: Dataset, rows: Rows, *, used: npt.NDArray[np.bool_], seed: int = 0) -> F64:
    """Rise of the direction's log loss at some of `rows` when one input's values are those of other days; 0 where not `used`.

    Every input is permuted alike. A negative value is an input whose loss did no harm, by chance or because it misled.
    """
    told = rows[~np.isnan(data.up[rows])]
    lost = np.zeros(len(used))
    if not len(told):
        return lost
    most = ROWS if ready.manifest.input_rows == 1 else SEQUENCES
    picked = told[np.unique(np.linspace(0, len(told) - 1, most).astype(np.intp))]
    X = sequences.gather(data.select(ready.manifest.features), picked, input_rows=ready.manifest.input_rows)
    up, moved = data.up[picked], X[moved_days(data.ts[picked], seed=seed)]
    base = skill.log_losses(up, ready.predict(X).probability_up).mean()
    for k in np.flatnonzero(used).tolist():
        own = X[..., k].copy()
        X[..., k] = moved[..., k]
        lost[k] = skill.log_losses(up, ready.predict(X).probability_up).mean() - base
        X[..., k] = own
    return lost


def moved_days(ts: I64, *, seed: int) -> npt.NDArray[np.intp]:
    """A permutation of rows that keeps trading days together: days in another order, then all turned by some rows.

    Neighbours stay neighbours, so a permuted input is as smooth as the true one. Without the turn the time of day, which is
    the same every day, would hardly change.
    """
    day, _ = slices.days(ts)
    generator = np.random.default_rng(seed)
    _, number = np.unique(day, return_inverse=True)
    place = generator.permutation(number.max() + 1)
    order = np.argsort(place[number], kind="stable")
    return np.roll(order, int(generator.integers(1, max(len(ts), 2))))
