"""What the out-of-time segment says of a model.

Belongs here: which rows are judged, and the baselines they are judged beside. Does not: metrics (`evaluation`), thresholds
(`gate`).
"""

import numpy as np

from spx_assets.scoring.forecaster import Forecaster
from spx_assets.training import baselines, evaluation
from spx_assets.training.dataset import Dataset
from spx_assets.training.splits import Segments


def judged(ready: Forecaster, data: Dataset, segments: Segments) -> dict[str, float]:
    """Out-of-time metrics beside baselines fitted on the fit segment, the fit segment's AUC, and coverage."""
    known_bp = baselines.last_known(data.instrument, data.ts, data.return_bp, horizon_minutes=data.horizon_minutes)
    fitted = baselines.fit(data.return_bp, data.up, known_bp, segments.fit)
    X = data.select(ready.manifest.features)
    able = ready.forecastable(X, data.run)
    rows = segments.out_of_time[able[segments.out_of_time]]
    coverage = {"coverage": float(able[segments.out_of_time].mean())}
    if not len(rows):
        return coverage
    forecast = ready.at(X, rows)
    seen = segments.fit[~np.isnan(data.up[segments.fit]) & (data.run[segments.fit] >= ready.manifest.input_rows)]
    return {
        **evaluation.metrics(
            evaluation.Judged(
                ts=data.ts[rows],
                label_end=data.label_end[rows],
                return_bp=data.return_bp[rows],
                up=data.up[rows],
                known_bp=known_bp[rows],
                expected_bp=forecast.return_bp,
                probability_up=forecast.probability_up,
                interval_low_bp=forecast.interval_low_bp,
                interval_high_bp=forecast.interval_high_bp,
            ),
            fitted,
        ),
        "auc_fit": evaluation.auc(data.up[seen], ready.heads_at(X, seen)[1]),
        **coverage,
    }
