"""Walk-forward forecasts beside what came of them, a row a trading day, forecaster and family.

Belongs here: the join of gold/forecasts with gold/labels and its daily numbers. Does not: making forecasts (`walk_forward`),
scores over all days (`outcomes`), the gate's tests (`training.evaluation`).
"""

import logging
from collections.abc import Iterator
from datetime import date, datetime
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import polars as pl

from spx_assets import calendar
from spx_assets.lake.model_tables import INTERVAL_LEVELS
from spx_assets.lake.tables import FORECAST_SCORES
from spx_assets.lake.windows import Chunk, Chunks, Window
from spx_assets.scoring import artifact
from spx_assets.scoring.errors import ArtifactMissingError
from spx_assets.scoring.intervals import Widths

if TYPE_CHECKING:
    from spx_assets.settings import Settings

LOG = logging.getLogger(__name__)
F64 = npt.NDArray[np.float64]
FORECASTER = ["model_name", "family"]
KEY = ["instrument", "ts", "horizon_minutes"]
LEVEL = ["trading_day", "instrument", "version", "asked"]


def scores(forecasts: Window, labels: Window) -> Chunks:
    """Rows of `gold.forecast_scores`: days with forecasts; what no label can tell yet is null."""
    return Chunks(_chunks(forecasts, labels))


def _chunks(forecasts: Window, labels: Window) -> Iterator[Chunk]:
    widths = _Fitted(forecasts.lake.settings)
    for weeks in forecasts.chunks():
        parts, told = [FORECAST_SCORES.empty()], {}
        for week in weeks:
            window = calendar.week_window(week)
            outcome = labels.read(*window, columns=[*KEY, "return_bp", "direction"])
            made = forecasts.read(*window)
            joined = made.join(outcome, on=KEY, how="left", maintain_order="left")
            joined = joined.join(_levels(forecasts, window), on=LEVEL[:-1], how="left", maintain_order="left")
            parts.append(of_week(joined, widths))
            told[week] = summary(joined)
        yield Chunk(weeks, pl.concat(parts).sort(FORECAST_SCORES.key), told=told)


def _levels(forecasts: Window, window: tuple[datetime, datetime]) -> pl.DataFrame:
    """The levels that were committed with the forecasts."""
    start, end = window
    return forecasts.lake.read(INTERVAL_LEVELS, start=start, end=end, columns=LEVEL, snapshot=forecasts.snapshot)


def of_week(joined: pl.DataFrame, fitted: "_Fitted") -> pl.DataFrame:
    """Daily scores of one week of forecasts joined with their labels and with the level `asked` of their intervals."""
    parts = []
    for _, rows in joined.group_by("model_name", "version", maintain_order=True):
        parts.append(rows.with_columns(pl.Series("split_bp", _split(rows, fitted), dtype=pl.Float64)))
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
                "coverage_split": _coverage_split(rows),
            }
        )
    return pl.DataFrame(found, schema=FORECAST_SCORES.schema())


def summary(joined: pl.DataFrame) -> dict[str, float]:
    """What a person sees of a week: per forecaster and family the AUC, RMSE and coverage of all its rows together.

    Not the mean of its days' AUC: within a day a price that is high is followed by lower ones for no other reason than that the
    day has an end, and on a random walk every forecast of a return to the mean has days above 0.5.
    """
    columns = ("auc", "rmse_bp", "rmse_zero_bp", "coverage_interval")
    return {
        f"{name} {family} {column}": value
        for (name, family), rows in joined.group_by(*FORECASTER, maintain_order=True)
        for column, value in _numbers(rows).items()
        if column in columns and value is not None
    }


def _numbers(rows: pl.DataFrame) -> dict[str, float | int | None]:
    told = rows.filter(pl.col("return_bp").is_not_null())
    if told.is_empty():
        return {"labelled": 0}
    y, f = told["return_bp"].to_numpy(), told["expected_return_bp"].to_numpy()
    inside = (y >= told["interval_low_bp"].to_numpy()) & (y <= told["interval_high_bp"].to_numpy())
    return {
        "labelled": told.height,
        "rmse_bp": float(np.sqrt(np.mean((y - f) ** 2))),
        "rmse_zero_bp": float(np.sqrt(np.mean(y**2))),
        "coverage_interval": float(inside.mean()),
        **_direction(told.filter(pl.col("direction").is_not_null())),
    }


def _coverage_split(rows: pl.DataFrame) -> float | None:
    """Share of known returns within the half-width `split_bp` of their forecast."""
    told = rows.filter(pl.col("return_bp").is_not_null())
    if told.is_empty() or told["split_bp"].null_count():
        return None
    off = (told["return_bp"] - told["expected_return_bp"]).abs().to_numpy()
    return float(np.mean(off <= told["split_bp"].to_numpy()))


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


def _split(rows: pl.DataFrame, fitted: "_Fitted") -> F64 | list[None]:
    """Half-width that each row of one version would have had at the nominal level."""
    widths = fitted.get(rows["model_name"][0], rows["version"][0])
    if widths is None:
        return [None] * rows.height
    made = (rows["interval_high_bp"] - rows["interval_low_bp"]).to_numpy() / 2
    asked = rows["asked"].fill_null(widths.nominal).to_numpy()
    regimes = range(widths.table.shape[1] - 1)
    each = np.stack([widths.at(np.full(rows.height, k), asked) for k in regimes])
    # A row's regime is the one whose half-width at the day's level it was given.
    return widths.at(np.argmin(np.abs(each - made), axis=0))


class _Fitted:
    """Half-widths by version, read once a step; None for a version whose artifact is gone."""

    def __init__(self, settings: "Settings") -> None:
        self._settings = settings
        self._read: dict[str, Widths | None] = {}

    def get(self, name: str, version: str) -> Widths | None:
        if version not in self._read:
            try:
                self._read[version] = Widths.of(artifact.load(artifact.folder(self._settings.artifacts, name, version)).manifest)
            except ArtifactMissingError as error:
                LOG.warning("%s %s has no split conformal interval: %s", name, version, error)
                self._read[version] = None
        return self._read[version]
