"""Which model inputs say the same: the report of highly correlated pairs.

Belongs here: pairwise correlations of features that may be null. Does not: choosing features.
"""

from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import polars as pl

from spx_assets import SpxError
from spx_assets.features import catalog, inputs

if TYPE_CHECKING:
    from spx_assets.lake.connection import Lake

LEAST_ROWS = 100


class NoFeaturesError(SpxError):
    """There are no rows to correlate."""


def matrix(frame: pl.DataFrame, names: list[str]) -> npt.NDArray[np.float64]:
    """Pearson correlations over the rows where both are known; NaN under 100 such rows or where one is constant."""
    values = frame.select(pl.col(names).cast(pl.Float64)).to_numpy()
    known = (~np.isnan(values)).astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        centred = values - np.nanmean(np.where(known.any(axis=0), values, 0.0), axis=0)
        filled = np.nan_to_num(centred)
        rows = known.T @ known
        # Sums over the rows that both know, so each pair has means and variances of its own.
        sums = filled.T @ known
        squares = np.square(filled).T @ known
        cross = filled.T @ filled - sums * sums.T / rows
        variance = squares - np.square(sums) / rows
        out = cross / np.sqrt(variance * variance.T)
        out[(rows < LEAST_ROWS) | (variance <= 1e-12 * squares) | (variance.T <= 1e-12 * squares.T)] = np.nan
    return np.asarray(out)


def pairs(frame: pl.DataFrame, *, above: float = 0.95) -> pl.DataFrame:
    """Pairs of model inputs in the columns of `frame` with |correlation| > `above`, strongest first."""
    names = [f.name for f in catalog.model_inputs() if f.name in frame.columns]
    correlation = matrix(frame, names)
    first, second = np.nonzero(np.triu(np.nan_to_num(np.abs(correlation)) > above, k=1))
    found = pl.DataFrame(
        {
            "feature": [names[i] for i in first],
            "other": [names[j] for j in second],
            "correlation": correlation[first, second],
        },
        schema={"feature": pl.String, "other": pl.String, "correlation": pl.Float64},
    )
    return found.sort(pl.col("correlation").abs(), descending=True)


def pairs_in_lake(lake: "Lake", *, instrument: str, above: float = 0.95, weeks: int = 52) -> pl.DataFrame:
    """The report over the newest `weeks` weeks of `instrument` in `gold.market_features` and `gold.news_signals`."""
    at = lake.snapshot()
    stamps = lake.read(inputs.MARKET, columns=["ts"], instruments=[instrument], snapshot=at)
    if stamps.is_empty():
        raise NoFeaturesError(f"{instrument}: gold.market_features has no rows; run `spx backfill gold/market_features`")
    start = stamps["ts"][-1] - timedelta(weeks=weeks)
    rows = inputs.read(
        lambda table, columns: lake.read(table, start=start, columns=columns, instruments=[instrument], snapshot=at),
        [f.name for f in catalog.model_inputs()],
    )
    return pairs(rows, above=above)
