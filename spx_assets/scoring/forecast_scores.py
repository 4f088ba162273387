"""Walk-forward forecasts beside what came of them, a row a trading day, forecaster and family.

Belongs here: the join of gold/forecasts with gold/labels and its daily numbers. Does not: making forecasts (`walk_forward`),
scores over all days (`outcomes`), the gate's tests (`training.evaluation`).
"""

import logging
from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import polars as pl

from spx_assets import calendar
from spx_assets.lake.tables import FORECAST_SCORES
from spx_assets.lake.windows import Chunk, Chunks, Window
from spx_assets.scoring import adaptive, artifact
from spx_assets.scoring.errors import ArtifactMissingError
from spx_assets.scoring.manifest import Manifest, level_key

if TYPE_CHECKING:
    from spx_assets.settings import Settings

LOG = logging.getLogger(__name__)
F64 = npt.NDArray[np.float64]
FORECASTER = ["model_name", "family"]
KEY = ["instrument", "ts", "horizon_minutes"]


def scores(forecasts: Window, labels: Window) -> Chunks:
    """Rows of `gold.forecast_scores`: days with forecasts; what no label can tell yet is null."""
    return Chunks(_chunks(forecasts, labels))


def _chunks(forecasts: Window, labels: Window) -> Iterator[Chunk]:
    manifests = _Manifests(forecasts.lake.settings)
    for weeks in forecasts.chunks():
        parts, told = [FORECAST_SCORES.empty()], {}
        for week in weeks:
            window = calendar.week_window(week)
            outcome = labels.read(*window, columns=[*KEY, "return_bp", "direction"])
            joined = forecasts.read(*window).join(outcome, on=KEY, how="left", maintain_order="left")
            days = of_week(joined, manifests)
            parts.append(days)
            told[week] = summary(days)
        yield Chunk(weeks, pl.concat(parts).sort(FORECAST_SCORES.key), told=told)


def of_week(joined: pl.DataFrame, manifests: "_Manifests") -> pl.DataFrame:
    """Daily scores of one week of forecasts joined with their labels.

    The adaptive interval starts each week at the nominal level and learns from the week's own outcomes, so that a week's
    scores depend on that week alone.
    """
    parts = []
    for _, rows in joined.group_by(*FORECASTER, "instrument", maintain_order=True):
        parts.append(rows.with_columns(pl.Series("adaptive_bp", _adaptive(rows, manifests), dtype=pl.Float64)))
    found = []
    for (name, family, day), rows in (pl.concat(parts) if parts else joined).group_by(
        *FORECASTER, "trading_day", maintain_order=True
    ):
        assert isinstance(day, date)
        found.append(
            {
                "trading_day": day,
                "ts": calendar.day_window(day)[0],
                "model_name": name,
                "family": family,
                "version": rows["version"][-1],
                "horizon_minutes": rows["horizon_minutes"][0],
                "rows": rows.height,
                **_numbers(rows),
            }
        )
    return pl.DataFrame(found, schema=FORECAST_SCORES.schema())


def summary(days: pl.DataFrame) -> dict[str, float]:
    """What a person sees of a week: per forecaster and family the mean of its days' AUC, RMSE and coverage."""
    columns = ("auc", "rmse_bp", "rmse_zero_bp", "coverage_interval")
    means = days.group_by(*FORECASTER, maintain_order=True).agg(pl.col(*columns).mean())
    return {
        f"{row['model_name']} {row['family']} {column}": row[column]
        for row in means.iter_rows(named=True)
        for column in columns
        if row[column] is not None
    }


def _numbers(rows: pl.DataFrame) -> dict[str, float | int | None]:
    told = rows.filter(pl.col("return_bp").is_not_null())
    if told.is_empty():
        return {"labelled": 0}
    y, f = told["return_bp"].to_numpy(), told["expected_return_bp"].to_numpy()
    inside = (y >= told["interval_low_bp"].to_numpy()) & (y <= told["interval_high_bp"].to_numpy())
    half = told["adaptive_bp"]
    return {
        "labelled": told.height,
        "rmse_bp": float(np.sqrt(np.mean((y - f) ** 2))),
        "rmse_zero_bp": float(np.sqrt(np.mean(y**2))),
        "coverage_interval": float(inside.mean()),
        "coverage_adaptive": None if half.null_count() else float(np.mean(np.abs(y - f) <= half.to_numpy())),
        **_direction(told.filter(pl.col("direction").is_not_null())),
    }


def _direction(told: pl.DataFrame) -> dict[str, float | None]:
    if told.is_empty():
        return {}
    up, p = told["direction"].to_numpy() == 1, told["probability_up"].to_numpy()
    ups, downs = int(up.sum()), int((~up).sum())
    rank = told["probability_up"].rank("average").to_numpy()
    return {
        "auc": (float(rank[up].sum()) - ups * (ups + 1) / 2) / (ups * downs) if ups and downs else None,
        "log_loss": float(-np.log(np.clip(np.where(up, p, 1.0 - p), 1e-15, 1.0)).mean()),
        "log_loss_half": float(np.log(2.0)),
        "hit_rate": float(np.mean((p >= 0.5) == up)),
    }


def _adaptive(rows: pl.DataFrame, manifests: "_Manifests") -> F64 | list[None]:
    """Half-width of the adaptive interval of each row of one forecaster and instrument in order of time."""
    described = manifests.get(rows["model_name"][0], rows["version"][0])
    if described is None:
        return [None] * rows.height
    levels = sorted(described.conformal_quantiles, key=float)
    table = np.array([described.conformal_quantiles[level] for level in levels])  # [levels, regimes]
    nominal = table[levels.index(level_key(described.interval_level))]
    static = (rows["interval_high_bp"] - rows["interval_low_bp"]).to_numpy() / 2
    # A row's regime is the one whose served half-width it was given.
    regime = np.argmin(np.abs(static[:, None] - nominal[None, :]), axis=1)
    life = described.horizon_minutes + 1
    ts = rows["ts"].to_physical().to_numpy()
    half, _ = adaptive.half_widths(
        (rows["return_bp"] - rows["expected_return_bp"]).fill_null(float("nan")).to_numpy(),
        table[:, regime].T,
        np.array([float(level) for level in levels]),
        level=described.interval_level,
        ts=ts,
        label_end=ts + life * adaptive.MINUTE_US,
        weight=np.full(len(ts), 1.0 / life),
    )
    return half


class _Manifests:
    """Manifests by version, read once a step; None for a version whose artifact is gone."""

    def __init__(self, settings: "Settings") -> None:
        self._settings = settings
        self._read: dict[str, Manifest | None] = {}

    def get(self, name: str, version: str) -> Manifest | None:
        if version not in self._read:
            try:
                self._read[version] = artifact.load(artifact.folder(self._settings.artifacts, name, version)).manifest
            except ArtifactMissingError as error:
                LOG.warning("%s %s has no adaptive interval: %s", name, version, error)
                self._read[version] = None
        return self._read[version]
