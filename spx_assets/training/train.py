"""Trains one version: dataset, splits, fit, export, calibration, evaluation, artifact, row.

Belongs here: the order of the steps and which segment each may use. Does not: any step's arithmetic, the gate.

The exported graph makes every forecast that is calibrated or evaluated: the judged graph is the served graph, no refit.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from spx_assets.lake import Lake
from spx_assets.lake.tables import VERSIONS
from spx_assets.scoring import artifact
from spx_assets.scoring.forecaster import Forecaster
from spx_assets.scoring.manifest import Manifest, finite, level_key
from spx_assets.settings import Settings
from spx_assets.training import (
    baselines,
    calibrate,
    conformal,
    dataset,
    evaluation,
    export,
    families,
    leaks,
    provenance,
    splits,
    uniqueness,
    versions,
)
from spx_assets.training.dataset import Dataset
from spx_assets.training.errors import NotEnoughRowsError
from spx_assets.training.splits import MINUTE_US, Rows, Segments

F64 = npt.NDArray[np.float64]

GOLDEN = 8
THREADS = 2
SHOWN = (
    *("auc", "auc_low", "auc_high", "log_loss", "log_loss_base", "p_direction"),
    *("rmse_bp", "rmse_zero_bp", "rmse_ar1_bp", "r2_zero", "p_return", "effective_obs", "training_seconds"),
)


@dataclass(frozen=True)
class Learned:
    """A judged model that is not written yet: its manifest, metrics included, and its graph."""

    manifest: Manifest
    model: bytes


@dataclass(frozen=True)
class TrainedVersion:
    """A version whose artifact and row are written. `row` holds the columns of `models.versions`."""

    name: str
    family: str
    week: date
    version: str
    digest: str
    folder: Path
    row: Mapping[str, Any]
    parameters: Mapping[str, str | int | float | bool | None]

    def params(self) -> dict[str, str | int | float | bool | None]:
        """Parameters and facts for an experiment tracker."""
        facts = ("week", "horizon_minutes", "instruments", "features", "rows_fit", "rows_oot", "lake_snapshot", "training_hash")
        return {**self.parameters, "family": self.family, **{fact: str(self.row[fact]) for fact in facts}}

    def metrics(self) -> dict[str, float]:
        """Every metric the rows could tell."""
        return {name: value for name, value in self.row.items() if isinstance(value, float)}

    def summary(self) -> dict[str, str | float]:
        """What a person looks at first."""
        return {"version": self.version, **{name: value for name, value in self.metrics().items() if name in SHOWN}}


def train(
    lake: Lake, settings: Settings, *, name: str, family: str, week: date, run_id: str, inputs_hash: str = ""
) -> TrainedVersion:
    """Trains `family` for forecaster `name` on the window that ends with `week`; writes its artifact, then its row.

    A TrainingError subclass says what is missing or wrong; nothing is written then.
    """
    began = time.perf_counter()
    data = dataset.load(lake, settings, name=name, week=week)
    learned = learn(data, settings, name=name, family=family, week=week, run_id=run_id)
    metrics = {**learned.manifest.metrics, "training_seconds": time.perf_counter() - began}
    manifest = msgspec.structs.replace(learned.manifest, metrics=metrics)
    written = artifact.write(settings.artifacts, manifest, {artifact.MODEL: learned.model})
    row = provenance.row(written.manifest)
    rows = versions.frame(VERSIONS, [row])
    record = versions.record(
        rows,
        asset=manifest.asset_key,
        week=week,
        snapshot=data.snapshot,
        inputs_hash=inputs_hash,
        run_id=run_id,
        at=manifest.created_at,
    )
    lake.append(VERSIONS.name, rows, record=record)
    return TrainedVersion(name, family, week, manifest.version, written.manifest.digest, written.folder, row, manifest.parameters)


def learn(data: Dataset, settings: Settings, *, name: str, family: str, week: date, run_id: str) -> Learned:
    """Fits on fit and validation, calibrates on calibration, judges on out-of-time. Writes nothing."""
    segments = split(data)
    leaks.check(data, segments.fit)
    weight = np.zeros(len(data.ts))
    weight[data.labelled] = uniqueness.average(data.ts[data.labelled], data.label_end[data.labelled])
    fitted = families.get(family).fit(data, segments, weight, settings.models)
    model = fitted.export().SerializeToString()
    export.check_parity(fitted.heads, model, data.X[segments.out_of_time], tolerance=settings.models.gate.parity)
    manifest = provenance.draft(
        data,
        settings,
        segments=segments,
        fitted=fitted,
        name=name,
        family=family,
        week=week,
        run_id=run_id,
        at=datetime.now(UTC),
    )
    manifest = calibrated(manifest, model, data, segments.calibration)
    ready = Forecaster(manifest, model, threads=THREADS)
    metrics = {**manifest.metrics, **judged(ready, data, segments)}
    golden = segments.out_of_time[np.linspace(0, len(segments.out_of_time) - 1, GOLDEN).astype(np.intp)]
    return Learned(
        msgspec.structs.replace(manifest, metrics=finite(metrics), golden=ready.golden(data.X[golden])),
        model,
    )


def split(data: Dataset) -> Segments:
    """The four segments of the labelled rows, as row numbers of `data`, with an embargo of the horizon."""
    rows = data.labelled
    parts = splits.by_time(data.ts[rows], data.label_end[rows], embargo_us=data.horizon_minutes * MINUTE_US)
    return Segments(*(rows[part] for _, part in parts.items()))


def calibrated(manifest: Manifest, model: bytes, data: Dataset, segment: Rows) -> Manifest:
    """The manifest with probability calibration, interval half-width and ranking loss, all from the calibration segment."""
    raw = Forecaster(manifest, model, threads=THREADS)
    rows = segment[raw.known(data.X[segment])]
    if not len(rows):
        raise NotEnoughRowsError(
            f"{manifest.name}: every row of the calibration segment lacks one of the inputs {', '.join(manifest.required)}; "
            "look for a feature that stopped (`spx sql` on gold.market_features)"
        )
    expected, p = raw.heads(data.X[rows])
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
        conformal_quantiles={level_key(level): width},
        metrics={"log_loss_calibration": fitted.log_loss},
    )


def judged(ready: Forecaster, data: Dataset, segments: Segments) -> dict[str, float]:
    """Out-of-time metrics beside baselines fitted on the fit segment, the fit segment's AUC, and coverage."""
    known_bp = baselines.last_known(data.instrument, data.ts, data.return_bp, horizon_minutes=data.horizon_minutes)
    fitted = baselines.fit(data.return_bp, data.up, known_bp, segments.fit)
    able = ready.known(data.X[segments.out_of_time])
    rows = segments.out_of_time[able]
    coverage = {"coverage": float(able.mean())}
    if not len(rows):
        return coverage
    forecast = ready.predict(data.X[rows])
    seen = segments.fit[~np.isnan(data.up[segments.fit])]
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
        "auc_fit": evaluation.auc(data.up[seen], ready.heads(data.X[seen])[1]),
        **coverage,
    }
