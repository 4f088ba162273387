"""How sure a fitted model may be: its probability calibration and its interval, from the calibration segment alone.

Belongs here: which rows they are fitted on and what of them the manifest keeps. Does not: the fits (`calibrate`, `conformal`).
"""

import msgspec
import numpy as np

from spx_assets.scoring import intervals
from spx_assets.scoring.forecaster import Forecaster
from spx_assets.scoring.manifest import Manifest, Regimes, level_key
from spx_assets.training import calibrate, conformal, uniqueness
from spx_assets.training.dataset import Dataset
from spx_assets.training.errors import NotEnoughRowsError
from spx_assets.training.splits import MINUTE_US, Rows

VOLATILITY = "hist_vol_50"
"""The input that tells volatility regimes apart: an hour of one-minute returns, as long as the labels it stands beside."""


def calibrated(raw: Forecaster, data: Dataset, segment: Rows, *, remade: calibrate.Remade | None = None) -> Manifest:
    """The manifest of `raw` with probability calibration, interval half-widths and ranking loss, all from `segment`.

    `remade` for a model that was fitted on rows of `segment` itself: an ensemble, see `calibrate.Remade`. Its rows are those
    of `segment` that `raw` can forecast and that have a direction.
    """
    manifest = raw.manifest
    X = data.select(manifest.features)
    rows = segment[raw.forecastable(X, data.run)[segment]]
    if not len(rows):
        raise NotEnoughRowsError(
            f"{manifest.name}: every row of the calibration segment lacks one of the inputs {', '.join(manifest.required)}; "
            "look for a feature that stopped (`spx sql` on gold.market_features)"
        )
    expected, p = raw.heads_at(X, rows)
    told = ~np.isnan(data.up[rows])
    ts, label_end = data.ts[rows], data.label_end[rows]
    own = uniqueness.average(ts, label_end)
    fitted = calibrate.fit(
        p[told],
        data.up[rows][told],
        own[told],
        ts=ts[told],
        label_end=label_end[told],
        embargo_us=data.horizon_minutes * MINUTE_US,
        remade=remade,
    )
    interval = _regimes(manifest, data, rows, float(own.sum()))
    regime, residual = intervals.regime(interval, X[rows]), data.return_bp[rows] - expected
    count = len(interval.regimes.edges) + 1 if interval.regimes else 1
    widths = {
        level_key(level): conformal.half_widths(residual, own, regime, regimes=count, level=level)
        for level in sorted({*conformal.LEVELS, manifest.interval_level})
    }
    return msgspec.structs.replace(
        interval,
        calibration=fitted.calibration,
        conformal_quantiles=widths,
        metrics={"log_loss_calibration": fitted.log_loss, "log_loss_calibration_base": fitted.log_loss_base},
    )


def _regimes(manifest: Manifest, data: Dataset, rows: Rows, effective: float) -> Manifest:
    """The manifest with the volatility regimes of `rows`; with none where the model does not know `VOLATILITY`."""
    if VOLATILITY not in manifest.features:
        return manifest
    edges = conformal.edges(data.X[rows, data.features.index(VOLATILITY)].astype(np.float64), effective)
    return msgspec.structs.replace(manifest, regimes=Regimes(VOLATILITY, edges) if edges else None)
