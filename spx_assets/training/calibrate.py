"""Fits the probability calibration on the calibration segment and nothing else.

Belongs here: Platt, isotonic and Venn-Abers fits, the choice between them by cross-fitting in time. Does not: applying one
(`scoring.calibration`).

Families fit a likelihood and stop early, so their raw probabilities are nearly calibrated, while a segment of 12 days tells its
own base rate to 2 points and a slope to about 0.4: what a method learns there is mostly that segment's drift. Over 20 simulated
markets with half the planted edge and three families, log loss out of time less that of the base rate was -0.0054 raw, -0.0044
after Platt, -0.0036 after Venn-Abers, +0.0010 after isotonic, -0.0048 after the one of least loss on held-out blocks and -0.0053
after the one that beat the raw probability there at one-sided 5 %; 57, 47, 48, 39, 51 and 56 of those 60 passed the gate.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import optimize
from sklearn.isotonic import IsotonicRegression

from spx_assets.scoring import calibration
from spx_assets.scoring.manifest import Calibration
from spx_assets.training import hac, skill, splits

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]

FOLDS = 5
LEVEL = 0.05
"""One-sided level at which a method must beat the raw probability, overlap of labels counted."""
POOLS, POINTS = 400, 60
Fit = Callable[[F64, F64, F64], Calibration]
Remade = Callable[[splits.Rows], F64]
"""From the rows that may be known to the raw probability of every row, as a model would give it that knew no others."""


@dataclass(frozen=True)
class Fitted:
    """The chosen calibration and the cross-fitted log loss that chose it, beside that of a constant on the same folds.

    Candidates are ranked by the difference: not all forecast the same rows, and rows differ in how hard they are.
    """

    calibration: Calibration
    log_loss: float
    log_loss_base: float


def platt(p: F64, up: F64, weight: F64) -> Calibration:
    """Platt (1999): logistic regression of up on logit p by weighted maximum likelihood, slope not below 0.

    A negative slope would turn the forecast round on a few hundred effective observations; with 0 the calibrated
    probability is the segment's base rate.
    """
    x, w = calibration.logit(p), weight / weight.sum()

    def loss(theta: F64) -> tuple[float, F64]:
        z = theta[0] * x + theta[1]
        gap = w * (1.0 / (1.0 + np.exp(-z)) - up)
        return float(np.sum(w * (np.logaddexp(0.0, z) - up * z))), np.array([np.dot(gap, x), gap.sum()])

    best = optimize.minimize(
        loss, np.array([1.0, 0.0]), jac=True, method="L-BFGS-B", bounds=[(0.0, 20.0), (-5.0, 5.0)], options={"ftol": 1e-14}
    )
    return Calibration(kind="platt", a=float(best.x[0]), b=float(best.x[1]))


def isotonic(p: F64, up: F64, weight: F64) -> Calibration:
    """Isotonic regression (Zadrozny and Elkan 2002), its ends kept inside [1/(n+2), 1 - 1/(n+2)] for n effective rows.

    `weight` is the uniqueness of each row, so its sum is n: the first and last steps rest on a handful of labels, and a sure
    0 or 1 there would cost an unbounded log loss.
    """
    steps = IsotonicRegression(out_of_bounds="clip").fit(p, up, sample_weight=weight)
    least = 1.0 / (float(weight.sum()) + 2.0)
    x, y = steps.X_thresholds_, np.clip(steps.y_thresholds_, least, 1.0 - least)
    return Calibration(kind="isotonic", x=tuple(map(float, x)), y=tuple(map(float, y)))


def identity(p: F64, up: F64, weight: F64) -> Calibration:
    """The raw probability as it is."""
    return Calibration()


def constant(p: F64, up: F64, weight: F64) -> Calibration:
    """The base rate of the rows, whatever the raw probability."""
    return Calibration(kind="platt", a=0.0, b=float(calibration.logit(np.array(np.average(up, weights=weight)))))


def venn_abers(p: F64, up: F64, weight: F64) -> Calibration:
    """Inductive Venn-Abers (Vovk and Petej 2014), merged to the probability of least regret, p1 / (1 - p0 + p1).

    p0 and p1 are isotonic regressions with the row that is asked about added once as a fall and once as a rise, of the weight
    of one independent label. Made at `POINTS` quantiles of the rows, which are pooled to `POOLS` before: an isotonic step
    over 45,000 rows spans hundreds of them.
    """
    order = np.argsort(p, kind="stable")
    parts = [part for part in np.array_split(order, min(POOLS, len(order))) if len(part)]
    w = np.array([weight[part].sum() for part in parts])
    x, y = (np.array([np.dot(weight[part], values[part]) for part in parts]) / w for values in (p, up))
    asked = np.unique(np.quantile(p, np.linspace(0.0, 1.0, POINTS)))
    p0, p1 = (np.array([_with_one_more(x, y, w, score, outcome) for score in asked]) for outcome in (0.0, 1.0))
    merged = np.maximum.accumulate(p1 / (1.0 - p0 + p1))
    return Calibration(kind="venn_abers", x=tuple(map(float, asked)), y=tuple(map(float, merged)))


def _with_one_more(x: F64, y: F64, w: F64, score: float, outcome: float) -> float:
    """Isotonic probability at `score` with one more row there."""
    place = int(np.searchsorted(x, score))
    # scikit-learn's asks scipy's as well, and checks its arguments for three times as long: 500 calls a training.
    steps = optimize.isotonic_regression(np.insert(y, place, outcome), weights=np.insert(w, place, 1.0))
    return float(steps.x[place])


METHODS: tuple[Fit, ...] = (identity, platt, isotonic, venn_abers)
"""The raw probability first; then fewest parameters first: on equal loss the earlier is taken."""


def refitted(kind: str, p: F64, up: F64, weight: F64) -> Calibration:
    """The method called `kind`, fitted on these rows."""
    return _fitted(next(method for method in METHODS if method.__name__ == kind), p, up, weight)


def fit(p: F64, up: F64, weight: F64, *, ts: I64, label_end: I64, embargo_us: int, remade: Remade | None = None) -> Fitted:
    """The raw probability, or the method with the least log loss among those that beat it significantly, refitted on all rows.

    Compared on blocks in time that a method was not fitted on, purged on both sides. Rows: raw probability, direction (1 or 0,
    no ties), uniqueness, label life. `remade` where `p` itself was fitted on these rows: each block is asked of what the others
    alone would have made.
    """
    blocks = list(splits.blocks(ts, label_end, n=FOLDS, embargo_us=embargo_us))
    folds = [(known, asked, remade(known) if remade else p) for known, asked in blocks]
    raw, *others = (_cross_fitted(method, up, weight, folds) for method in METHODS)
    scored = [(_mean(raw, weight), 0)]
    for k, losses in enumerate(others, start=1):
        if hac.average(raw - losses, ts=ts, label_end=label_end).p_greater < LEVEL:
            scored.append((_mean(losses, weight), k))
    loss, k = min(scored)
    even = np.full(len(p), 0.5)
    base = _cross_fitted(constant, up, weight, [(known, asked, even) for known, asked in blocks])
    return Fitted(METHODS[k](p, up, weight), loss, _mean(base, weight))


def _cross_fitted(method: Fit, up: F64, weight: F64, folds: Sequence[tuple[splits.Rows, splits.Rows, F64]]) -> F64:
    """Log loss of each row over the folds (known rows, asked rows, raw probability of all rows)."""
    losses = np.empty(len(up))
    for known, asked, p in folds:
        fitted = _fitted(method, p[known], up[known], weight[known])
        losses[asked] = skill.log_losses(up[asked], calibration.apply(fitted, p[asked]))
    return losses


def _mean(losses: F64, weight: F64) -> float:
    return float(np.dot(weight, losses) / weight.sum())


def _fitted(method: Fit, p: F64, up: F64, weight: F64) -> Calibration:
    """The method on these rows; the raw probability as it is where they are not of both directions."""
    return (method if len(up) and 0.0 < up.mean() < 1.0 else identity)(p, up, weight)
