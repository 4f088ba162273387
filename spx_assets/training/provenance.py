"""What a version says of its origin: the manifest before calibration and judgement, and its row in `models.versions`.

Belongs here: facts of the run, the code and the training set. Does not: numbers that need forecasts (`evaluation`).
"""

import subprocess
from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from spx_assets import calendar
from spx_assets.features import catalog, inputs
from spx_assets.news import model_version
from spx_assets.scoring import current
from spx_assets.scoring.manifest import Calibration, Manifest, Member, Segment, level_key
from spx_assets.settings import Settings
from spx_assets.training import dataset, versions
from spx_assets.training.dataset import Dataset
from spx_assets.training.splits import Rows, Segments

REQUIRED_NULLS = 0.01
"""An input that is null in at most 1 % of the fit rows is required: where it is null, the model was hardly ever taught.

None made of news is: null says that there were no articles, which counts of 0 say as well. A provider that does not answer is
another matter, and known from its polls.
"""
MEDIAN_ROWS = 100_000
"""As many fit rows, evenly spread, tell the medians to 0.4 % of a quartile range; all 840,000 of them would take 2 s."""
LIBRARIES = ("numpy", "polars", "lightgbm", "xgboost", "scikit-learn", "scipy", "onnx", "onnxruntime")
OPTIONAL = ("torch",)
"""Libraries that a home may do without."""


def draft(
    data: Dataset,
    settings: Settings,
    *,
    segments: Segments,
    input_rows: int,
    parameters: Mapping[str, str | int | float | bool],
    members: tuple[Member, ...],
    trials: int,
    name: str,
    family: str,
    week: date,
    run_id: str,
    at: datetime,
) -> Manifest:
    """The manifest of a fitted model with an identity calibration, an interval of no width, no metrics and no golden rows."""
    standing = current.read(settings.artifacts, name)
    level = settings.models.interval_level
    return Manifest(
        name=name,
        version=versions.new_id(at),
        family=family,
        asset_key=f"models/{name}/{family}",
        partition=week,
        run_id=run_id,
        created_at=at,
        instruments=data.instruments,
        horizon_minutes=data.horizon_minutes,
        tolerance_min=settings.labels.tolerance_min,
        lookback_days=settings.lookback_days,
        input_rows=input_rows,
        features=data.features,
        feature_set_hash=catalog.feature_set_hash(data.features),
        sentiment_model=model_version.named(settings.news) if inputs.of_news(data.features) else None,
        required=_required(data, segments.fit),
        medians=medians(data, segments.fit),
        target=f"return_bp over {data.horizon_minutes} minutes, and its direction",
        calibration=Calibration(),
        interval_level=level,
        conformal_quantiles={level_key(level): (0.0,)},
        metrics={},
        training_start=data.instant(0),
        training_cutoff=dataset.instant(int(data.label_end[data.labelled].max())),
        segments={part: _segment(data, rows) for part, rows in segments.items()},
        parent_version=standing.champion if standing else None,
        lake_snapshot=data.snapshot,
        feeds=dict(data.feeds),
        training_hash=data.hash,
        git_commit=_commit(),
        libraries=_libraries(),
        parameters=dict(parameters),
        members=members,
        trials=trials,
    )


def row(manifest: Manifest) -> Mapping[str, Any]:
    """The version's row in `models.versions`, metrics included."""
    parts = manifest.segments
    return {
        "model_name": manifest.name,
        "family": manifest.family,
        "week": manifest.partition,
        "ts": calendar.week_window(manifest.partition)[0],
        "version": manifest.version,
        "created_at": manifest.created_at,
        "horizon_minutes": manifest.horizon_minutes,
        "instruments": ",".join(manifest.instruments),
        "feeds": ",".join(manifest.feeds.get(name, "") for name in manifest.instruments) if manifest.feeds else None,
        "training_start": manifest.training_start,
        "training_cutoff": manifest.training_cutoff,
        "calibration_end": parts["calibration"].end,
        "digest": manifest.digest,
        "features": len(manifest.features),
        "feature_set_hash": manifest.feature_set_hash,
        "rows_fit": parts["fit"].rows,
        "rows_oot": parts["out_of_time"].rows,
        "parent_version": manifest.parent_version,
        "lake_snapshot": manifest.lake_snapshot,
        "training_hash": manifest.training_hash,
        "trials": manifest.trials,
        "run_id": manifest.run_id,
        **manifest.metrics,
    }


def _libraries() -> dict[str, str]:
    """Versions of the libraries that learn, and of the optional ones that are installed."""
    found = {library: metadata.version(library) for library in LIBRARIES}
    for library in OPTIONAL:
        try:
            found[library] = metadata.version(library)
        except metadata.PackageNotFoundError:
            continue
    return found


def _required(data: Dataset, rows: Rows) -> tuple[str, ...]:
    """Inputs made of bars that are hardly ever null in the fit rows."""
    nulls = zip(data.features, data.null_share(rows), strict=True)
    return tuple(name for name, share in nulls if share <= REQUIRED_NULLS and not inputs.of_news((name,)))


def medians(data: Dataset, rows: Rows) -> tuple[float | None, ...]:
    """The median of each input over the fit rows that know it."""
    X = data.X[rows[:: max(1, len(rows) // MEDIAN_ROWS)]]
    known = (column[~np.isnan(column)] for column in X.T)
    return tuple(float(np.median(column)) if len(column) else None for column in known)


def _segment(data: Dataset, rows: Rows) -> Segment:
    """First bar, end of the last label life, and how many rows."""
    return Segment(dataset.instant(int(data.ts[rows].min())), dataset.instant(int(data.label_end[rows].max())), len(rows))


@cache
def _commit() -> str:
    """The commit of the source tree this package runs from; empty where it is not a checkout."""
    try:
        asked = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=Path(__file__).parent, capture_output=True, text=True, check=False, timeout=10
        )
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return ""
    return asked.stdout.strip()
