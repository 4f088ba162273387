"""How sure a fitted model may be: its probability calibration and its interval, from the calibration segment alone.

Belongs here: which rows they are fitted on and what of them the manifest keeps. Does not: the fits (`calibrate`, `conformal`).
"""

import msgspec
import numpy as np

from spx_assets.scoring.forecaster import Forecaster
from spx_assets.scoring.manifest import Manifest, level_key
from spx_assets.training import calibrate, conformal, uniqueness
from spx_assets.training.dataset import Dataset
from spx_assets.training.errors import NotEnoughRowsError
from spx_assets.training.splits import MINUTE_US, Rows


def calibrated(raw: Forecaster, data: Dataset, segment: Rows) -> Manifest:
    """The manifest of `raw` with probability calibration, interval half-widths and ranking loss, all from `segment`."""
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
    )
    level = manifest.interval_level
    width = conformal.half_width(data.return_bp[rows] - expected, level=level, effective=float(own.sum()))
    return msgspec.structs.replace(
        manifest,
        calibration=fitted.calibration,
        conformal_quantiles={level_key(level): (width,)},
        metrics={"log_loss_calibration": fitted.log_loss},
    )
