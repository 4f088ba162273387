"""How the stored walk-forward forecasts came out: rank and probability beside their baselines, with an interval.

Belongs here: scores of gold/forecasts against gold/labels. Does not: making forecasts (`walk_forward`), the gate's metrics and
tests of one training (`training.evaluation`).

The interval clusters by trading day: labels overlap within a day and never across two, and instruments of one day move together.
It is DeLong's variance of the AUC with the placement values of a day added up first (Obuchowski 1997).
"""

from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from spx_assets.lake.connection import Lake

FEWEST_DAYS = 5
"""Below it the spread between days says too little of its own error."""
SCHEMA = {
    "model_name": pl.String,
    "family": pl.String,
    "rows": pl.Int64,
    "labelled": pl.Int64,
    "days": pl.Int64,
    "auc": pl.Float64,
    "auc_low": pl.Float64,
    "auc_high": pl.Float64,
    "log_loss": pl.Float64,
    "log_loss_base": pl.Float64,
}


def scores(lake: "Lake", *, start: datetime | None = None, end: datetime | None = None) -> pl.DataFrame:
    """Per forecaster and family: rows in [start, end), how many have a direction by now, on how many days; their AUC, log loss.

    All rows are ranked together. Within a day a price that is high is followed by lower ones for no other reason than that the
    day has an end: on a random walk, 30 minutes ahead, the mean of daily AUCs is 0.52 for a forecast that turns the last hour
    round, and 0.62 for one that turns the way since the open round.

    `auc_low`, `auc_high`: 95 % interval, its baseline being 0.5. `log_loss_base`: a constant probability that knew the share
    of up in these rows beforehand, the best that any base rate could have done.
    """
    key = ["instrument", "ts", "horizon_minutes"]
    made = lake.read(
        "gold.forecasts", start=start, end=end, columns=[*key, "trading_day", "model_name", "family", "probability_up"]
    )
    labels = lake.read("gold.labels", start=start, end=end, columns=[*key, "direction"])
    joined = made.join(labels, on=key, how="left")
    found = []
    for (name, family), rows in joined.group_by("model_name", "family"):
        told = rows.filter(pl.col("direction").is_not_null())
        counts = {"rows": rows.height, "labelled": told.height, "days": told["trading_day"].n_unique()}
        found.append({"model_name": name, "family": family, **counts, **_ranking(told), **_probability(told)})
    return pl.DataFrame(found, schema=SCHEMA).sort("model_name", "family")


def _ranking(told: pl.DataFrame) -> dict[str, float | None]:
    """AUC and its interval; null where one direction never occurs, the interval also on too few days."""
    up = told["direction"].to_numpy() == 1
    ups, downs = int(up.sum()), int((~up).sum())
    if not ups or not downs:
        return {"auc": None, "auc_low": None, "auc_high": None}
    rank = told["probability_up"].rank("average").to_numpy()
    own = told.select(pl.col("probability_up").rank("average").over("direction")).to_series().to_numpy()
    # Of each row the share of the other direction's rows that it is ranked above (up) or below (down), ties half.
    placement = np.where(up, (rank - own) / downs, 1.0 - (rank - own) / ups)
    area = float(placement[up].mean())
    share = np.where(up, (placement - area) / ups, (placement - area) / downs)
    _, day = np.unique(told["trading_day"].to_physical().to_numpy(), return_inverse=True)
    sums = np.bincount(day, weights=share)
    n = len(sums)
    if n < FEWEST_DAYS:
        return {"auc": area, "auc_low": None, "auc_high": None}
    half = _student(n - 1) * float(np.sqrt(n / (n - 1) * np.sum(sums**2)))
    return {"auc": area, "auc_low": max(area - half, 0.0), "auc_high": min(area + half, 1.0)}


def _probability(told: pl.DataFrame) -> dict[str, float | None]:
    if told.is_empty():
        return {"log_loss": None, "log_loss_base": None}
    up = told["direction"].to_numpy() == 1
    return {
        "log_loss": _log_loss(up, told["probability_up"].to_numpy()),
        "log_loss_base": _log_loss(up, np.full(len(up), up.mean())),
    }


def _log_loss(up: np.ndarray, p: np.ndarray) -> float:
    sure = np.clip(np.where(up, p, 1.0 - p).astype(np.float64), 1e-15, 1.0)
    return float(0.0 - np.log(sure).mean())


def _student(freedom: int) -> float:
    """The 97.5 % quantile of Student's t by its expansion around the normal's; 0.3 % short at 4 degrees, less beyond."""
    z = 1.959963984540054
    first = (z**3 + z) / (4 * freedom)
    second = (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * freedom**3)
    return z + first + second + third
