"""Metrics of a forecaster on rows it has not learned from, each beside its baseline on the same rows.

Belongs here: the numbers of `models.versions`, with intervals that know labels overlap. Does not: thresholds (`gate`),
what baselines are fitted on (`baselines`). A metric that the rows cannot tell is NaN.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from spx_assets.training import hac, skill, uniqueness
from spx_assets.training.baselines import Baselines

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]

BINS = 10
NAN = float("nan")


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


def metrics(rows: Judged, baselines: Baselines) -> dict[str, float]:
    """Every metric of `models.versions` that the out-of-time rows alone can tell."""
    return {
        "effective_obs": uniqueness.effective(rows.ts, rows.label_end),
        **direction(rows, baselines.base_rate),
        **returns(rows, baselines),
    }


def direction(rows: Judged, base_rate: float) -> dict[str, float]:
    """The direction head against the base rate, ties left out; intervals at 95 %, of the skill at 90 %."""
    told = ~np.isnan(rows.up)
    up, p = rows.up[told], rows.probability_up[told]
    ts, label_end = rows.ts[told], rows.label_end[told]
    base = np.full(len(up), base_rate)
    losses, base_losses = skill.log_losses(up, p), skill.log_losses(up, base)
    gain = hac.average(base_losses - losses, ts=ts, label_end=label_end)
    low, high = gain.interval(0.90)
    area, (area_low, area_high) = auc(up, p), (NAN, NAN)
    if np.isfinite(area):
        area_low, area_high = np.clip(_auc_average(up, p, area, ts=ts, label_end=label_end).interval(0.95), 0.0, 1.0)
    return {
        "auc": area,
        "auc_low": float(area_low),
        "auc_high": float(area_high),
        "accuracy": float(np.mean((p > 0.5) == (up > 0.5))),
        "log_loss": float(losses.mean()),
        "log_loss_base": float(base_losses.mean()),
        "log_loss_skill_low": low,
        "log_loss_skill_high": high,
        "p_direction": skill.clark_west_log_loss(up, p, base_rate, ts=ts, label_end=label_end).p_greater,
        "brier": float(np.mean((p - up) ** 2)),
        "brier_base": float(np.mean((base - up) ** 2)),
        "ece": calibration_error(up, p),
    }


def returns(rows: Judged, baselines: Baselines) -> dict[str, float]:
    """The return head against zero, the mean and the AR(1); the interval of the IC at 95 %."""
    y, f = rows.return_bp, rows.expected_bp
    mse, mse_zero = float(np.mean((y - f) ** 2)), float(np.mean(y**2))
    ic, (ic_low, ic_high) = correlation(y, f, ts=rows.ts, label_end=rows.label_end)
    return {
        "rmse_bp": mse**0.5,
        "rmse_zero_bp": mse_zero**0.5,
        "rmse_mean_bp": float(np.mean((y - baselines.mean_bp) ** 2)) ** 0.5,
        "rmse_ar1_bp": float(np.mean((y - baselines.ar1(rows.known_bp)) ** 2)) ** 0.5,
        "mae_bp": float(np.mean(np.abs(y - f))),
        "r2_zero": 1.0 - mse / mse_zero if mse_zero > 0 else NAN,
        "ic": ic,
        "ic_low": ic_low,
        "ic_high": ic_high,
        "p_return": skill.clark_west(y, f, ts=rows.ts, label_end=rows.label_end).p_greater,
        "coverage_interval": float(np.mean((y >= rows.interval_low_bp) & (y <= rows.interval_high_bp))),
    }


def auc(up: F64, p: F64) -> float:
    """Area under the ROC curve (Mann-Whitney, ties count half); NaN unless both directions occur."""
    positives = float(np.sum(up))
    negatives = len(up) - positives
    if positives == 0 or negatives == 0:
        return NAN
    ranks = stats.rankdata(p)
    return float((ranks[up > 0.5].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def _auc_average(up: F64, p: F64, area: float, *, ts: I64, label_end: I64) -> hac.Average:
    """The AUC as an average of placement values (DeLong, DeLong and Clarke-Pearson 1988), so that overlap can be counted."""
    positive = up > 0.5
    share = positive.mean()
    below = (stats.rankdata(p) - np.where(positive, _ranks(p, positive), _ranks(p, ~positive))) / np.where(
        positive, (~positive).sum(), positive.sum()
    )
    placement = np.where(positive, (below - area) / share, (1.0 - below - area) / (1.0 - share))
    return hac.average(area + placement, ts=ts, label_end=label_end)


def _ranks(p: F64, group: npt.NDArray[np.bool_]) -> F64:
    """Rank of each member of `group` within it; 0 elsewhere."""
    ranks = np.zeros(len(p))
    ranks[group] = stats.rankdata(p[group])
    return ranks


def correlation(y: F64, f: F64, *, ts: I64, label_end: I64) -> tuple[float, tuple[float, float]]:
    """Pearson correlation and its 95 % HAC interval by the delta method; NaN where either is constant."""
    spread_y, spread_f = float(np.std(y)), float(np.std(f))
    # A constant forecast has a spread of a few units in the last place of its level, not exactly zero.
    if spread_y == 0 or spread_f <= 1e-12 * max(1.0, float(np.max(np.abs(f)))):
        return NAN, (NAN, NAN)
    zy, zf = (y - y.mean()) / spread_y, (f - f.mean()) / spread_f
    r = float(np.mean(zy * zf))
    low, high = hac.average(zy * zf - r * (zy**2 + zf**2) / 2 + r, ts=ts, label_end=label_end).interval(0.95)
    return r, (max(low, -1.0), min(high, 1.0))


def calibration_error(up: F64, p: F64, *, bins: int = BINS) -> float:
    """Expected calibration error: mean |observed share of up - mean p| over bins of equal count."""
    order = np.argsort(p, kind="stable")
    parts = [part for part in np.array_split(order, bins) if len(part)]
    gaps = [len(part) * abs(float(up[part].mean()) - float(p[part].mean())) for part in parts]
    return sum(gaps) / len(up) if len(up) else NAN
