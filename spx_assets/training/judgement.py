"""What the out-of-time segment says of a model.

Belongs here: which rows are judged, and the baselines they are judged beside. Does not: metrics, reports (`evaluation`),
thresholds (`gate`).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from spx_assets.scoring.forecaster import Forecaster
from spx_assets.scoring.manifest import Manifest
from spx_assets.training import baselines, evaluation
from spx_assets.training.baselines import Baselines
from spx_assets.training.dataset import Dataset
from spx_assets.training.evaluation import direction, importance, reliability, report, slices
from spx_assets.training.evaluation.importance import Importance
from spx_assets.training.evaluation.report import Spread
from spx_assets.training.splits import Rows, Segments

FIT_ROWS = 50_000
"""Most rows of the fit segment that its AUC is taken of, evenly spread: every sequence of 300,000 would take an LSTM 46 CPU s."""


@dataclass(frozen=True)
class Evidence:
    """Metrics of a model out of time, and the forecasts they were made from."""

    ready: Forecaster
    data: Dataset
    segments: Segments
    baselines: Baselines
    rows: Rows
    """Out-of-time rows the model can forecast."""
    judged: evaluation.Judged | None
    """Forecasts and outcomes of `rows`; None where there are none."""
    metrics: Mapping[str, float]


@dataclass(frozen=True)
class Shown:
    """What a version keeps of its evidence beside its metrics: files of the artifact, and its inputs by importance."""

    files: Mapping[str, bytes]
    importance: tuple[Importance, ...]


def judged(ready: Forecaster, data: Dataset, segments: Segments) -> Evidence:
    """Out-of-time metrics beside baselines fitted on the fit segment, the fit segment's AUC, and coverage."""
    known_bp = baselines.last_known(data.instrument, data.ts, data.return_bp, horizon_minutes=data.horizon_minutes)
    fitted = baselines.fit(data.return_bp, data.up, known_bp, segments.fit)
    X = data.select(ready.manifest.features)
    able = ready.forecastable(X, data.run)
    rows = segments.out_of_time[able[segments.out_of_time]]
    coverage = {"coverage": float(able[segments.out_of_time].mean())}
    if not len(rows):
        return Evidence(ready, data, segments, fitted, rows, None, coverage)
    forecast = ready.at(X, rows)
    forecasts = evaluation.Judged(
        ts=data.ts[rows],
        label_end=data.label_end[rows],
        return_bp=data.return_bp[rows],
        up=data.up[rows],
        known_bp=known_bp[rows],
        expected_bp=forecast.return_bp,
        probability_up=forecast.probability_up,
        interval_low_bp=forecast.interval_low_bp,
        interval_high_bp=forecast.interval_high_bp,
    )
    told = forecasts.told
    seen = segments.fit[~np.isnan(data.up[segments.fit]) & (data.run[segments.fit] >= ready.manifest.input_rows)]
    seen = seen[np.linspace(0, max(len(seen) - 1, 0), min(FIT_ROWS, len(seen))).astype(np.intp)]
    metrics = {
        **evaluation.metrics(forecasts, fitted),
        "ece_band": reliability.band(told.probability_up, ts=told.ts, label_end=told.label_end),
        "auc_fit": direction.auc(data.up[seen], ready.heads_at(X, seen)[1]),
        **coverage,
    }
    return Evidence(ready, data, segments, fitted, rows, forecasts, metrics)


def shown(
    manifest: Manifest, evidence: Evidence, *, gain: Mapping[int, float] | None, seeds: Mapping[str, Spread] | None = None
) -> Shown:
    """The report and its plots for the version `manifest`; nothing for a model that could forecast no row."""
    # matplotlib takes a CPU second to import, and only a version that is written is drawn.
    from spx_assets.training.evaluation import plots

    if evidence.judged is None:
        return Shown({}, ())
    ranked = importance.of(evidence.ready, evidence.data, evidence.rows, gain=gain)
    told = report.of(
        manifest,
        evidence.judged,
        evidence.baselines,
        slices.of(evidence.data, evidence.rows, evidence.segments.fit),
        importance=ranked,
        seeds=seeds or {},
    )
    return Shown({report.FILE: report.encode(told), **plots.files(told)}, ranked)
