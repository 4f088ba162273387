"""`report.json`: what the out-of-time segment says of a version beyond the columns of `models.versions`.

Belongs here: the report's structs, how they are filled, their JSON form. Does not: the metrics themselves, pictures (`plots`).
"""

from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path

import msgspec
import numpy as np

from spx_assets.scoring.manifest import Manifest, finite
from spx_assets.training.baselines import Baselines
from spx_assets.training.dataset import instant
from spx_assets.training.evaluation import direction, reliability, returns, slices
from spx_assets.training.evaluation.direction import Confusion
from spx_assets.training.evaluation.importance import Importance
from spx_assets.training.evaluation.judged import Judged, metrics
from spx_assets.training.evaluation.reliability import Bin, Bucket
from spx_assets.training.evaluation.slices import Slices

FILE = "report.json"
ROC_POINTS = 200
Numbers = dict[str, float | None]


class Day(msgspec.Struct, frozen=True):
    """One trading day: mean residual (realised less expected) and the root mean squares of residuals and of returns."""

    day: date
    rows: int
    residual_bp: float
    rmse_bp: float
    rmse_zero_bp: float


class Spread(msgspec.Struct, frozen=True):
    """A metric over several seeds: its mean and its standard deviation."""

    mean: float
    deviation: float


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What `report.json` holds; up is the positive class, rates are shares of one, null is what the rows cannot tell."""

    schema: int = 1
    name: str
    version: str
    family: str
    start: datetime
    end: datetime
    rows: int
    baselines: dict[str, Numbers]
    """zero, mean and ar1 as forecasts of the return, base_rate as a forecast of the direction: their metrics."""
    confusion: Confusion
    confidence: tuple[Bucket, ...]
    calibration: tuple[Bin, ...]
    ece: float | None
    ece_band: float | None
    roc: tuple[tuple[float, float], ...]
    """(false positive rate, true positive rate)."""
    slices: dict[str, dict[str, Numbers]]
    """Kind (session, volatility, month), part, metric."""
    residuals: tuple[Day, ...]
    importance: tuple[Importance, ...]
    seeds: dict[str, Spread] = {}
    """Metrics of the same fit from several seeds; empty unless asked for, and for a family that draws nothing."""


def of(
    manifest: Manifest,
    rows: Judged,
    baselines: Baselines,
    parts: Slices,
    *,
    importance: tuple[Importance, ...],
    seeds: Mapping[str, Spread],
) -> Report:
    """The report of a judged version; `parts` are masks over `rows`."""
    told = rows.told
    return Report(
        name=manifest.name,
        version=manifest.version,
        family=manifest.family,
        start=instant(int(rows.ts.min())),
        end=instant(int(rows.label_end.max())),
        rows=len(rows.ts),
        baselines=_baselines(rows, baselines),
        confusion=direction.confusion(told.up, told.probability_up),
        confidence=reliability.by_confidence(told.up, told.probability_up, ts=told.ts, label_end=told.label_end),
        calibration=reliability.curve(told.up, told.probability_up, ts=told.ts, label_end=told.label_end),
        ece=manifest.metrics.get("ece"),
        ece_band=manifest.metrics.get("ece_band"),
        roc=direction.roc(told.up, told.probability_up, points=ROC_POINTS),
        slices={kind: {part: _slice(rows.at(mask), baselines) for part, mask in masks.items()} for kind, masks in parts.items()},
        residuals=_days(rows),
        importance=importance,
        seeds=dict(seeds),
    )


def encode(report: Report) -> bytes:
    return msgspec.json.format(msgspec.json.encode(report), indent=1)


def read(folder: Path) -> Report:
    """The report of the artifact in `folder`."""
    return msgspec.json.decode((folder / FILE).read_bytes(), type=Report)


def _baselines(rows: Judged, baselines: Baselines) -> dict[str, Numbers]:
    told = rows.told
    made = {
        name: finite(returns.of_forecast(rows.return_bp, forecast, ts=rows.ts, label_end=rows.label_end))
        for name, forecast in returns.forecasts(baselines, rows.known_bp).items()
    }
    rate = np.full(len(told.up), baselines.base_rate)
    found = direction.metrics(told.up, rate, baselines.base_rate, ts=told.ts, label_end=told.label_end)
    kept = ("auc", "accuracy", "precision", "recall", "f1", "log_loss", "brier", "ece")
    return {**made, "base_rate": finite({"probability_up": baselines.base_rate, **{name: found[name] for name in kept}})}


def _slice(rows: Judged, baselines: Baselines) -> Numbers:
    """Every metric of the part; how many rows it has only, where fewer than two of them have a direction."""
    size = {"rows": float(len(rows.ts))}
    return finite({**size, **metrics(rows, baselines)}) if np.sum(~np.isnan(rows.up)) > 1 else finite(size)


def _days(rows: Judged) -> tuple[Day, ...]:
    day, _ = slices.days(rows.ts)
    found, number = np.unique(day, return_inverse=True)
    count = np.bincount(number)

    def mean(values: returns.F64) -> returns.F64:
        averaged: returns.F64 = np.bincount(number, weights=values) / count
        return averaged

    residual = rows.return_bp - rows.expected_bp
    columns = (count, mean(residual), np.sqrt(mean(residual**2)), np.sqrt(mean(rows.return_bp**2)))
    return tuple(Day(when, *values) for when, *values in zip(found.tolist(), *(c.tolist() for c in columns), strict=True))
