"""What held-out rows say of a forecaster: metrics beside baselines, slices, importance, the report and its plots.

Belongs here: numbers and pictures from forecasts and outcomes. Does not: which rows are judged (`judgement`), thresholds
(`gate`), what baselines are fitted on (`baselines`).
"""

from spx_assets.training.evaluation.direction import auc
from spx_assets.training.evaluation.judged import Judged, metrics

__all__ = ["Judged", "auc", "metrics"]
