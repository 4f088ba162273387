"""Parts of the judged rows that a reader asks about: session, volatility, month.

Belongs here: which rows belong to which part. Does not: metrics.
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from spx_assets.features.market_time import MINUTE_US, day_at, day_number, day_opens
from spx_assets.training.dataset import Dataset
from spx_assets.training.splits import Rows

Mask = npt.NDArray[np.bool_]
I64 = npt.NDArray[np.int64]

SESSIONS = {"asia": (0, 600), "europe": (600, 990), "us": (990, 1380)}
"""Minutes since 17:00 New York: to 03:00, to 09:30 and to 16:00, as the features of the same names."""
VOLATILITY = "realized_range"
"""The input that tells terciles apart: the last hour's ranges in basis points, about as far back as the horizons reach ahead."""
TERCILES = ("low", "middle", "high")

Slices = Mapping[str, Mapping[str, Mask]]


def of(data: Dataset, rows: Rows, fit: Rows) -> Slices:
    """Masks over `rows`, by kind and part. Terciles have the edges of the `fit` rows; a row may be in no part."""
    day, minute = days(data.ts[rows])
    return {
        "session": {name: (minute >= opens) & (minute < closes) for name, (opens, closes) in SESSIONS.items()},
        "volatility": _terciles(data, rows, fit),
        "month": _months(day),
    }


def days(ts: I64) -> tuple[npt.NDArray[np.datetime64], I64]:
    """(trading day, minutes since its start at 17:00 New York) of each row."""
    first, last = day_at(int(ts.min())), day_at(int(ts.max()))
    opens = day_opens(first, last)
    place = np.searchsorted(opens, ts, side="right") - 1
    # Trading days are Monday to Friday: numpy counts them as its business days.
    day = np.busday_offset(np.datetime64(day_number(first), "D"), np.arange(len(opens)))
    return day[place], (ts - opens[place]) // MINUTE_US


def _months(day: npt.NDArray[np.datetime64]) -> dict[str, Mask]:
    months = day.astype("datetime64[M]")
    return {str(month): months == month for month in np.unique(months)}


def _terciles(data: Dataset, rows: Rows, fit: Rows) -> dict[str, Mask]:
    """Nothing where the forecaster does not see the input, or it has one value."""
    if VOLATILITY not in data.features:
        return {}
    value = data.X[:, data.features.index(VOLATILITY)]
    known = value[fit][~np.isnan(value[fit])]
    if not len(known) or known.min() == known.max():
        return {}
    place = np.searchsorted(np.quantile(known, (1 / 3, 2 / 3)), value[rows], side="right")
    return {name: ~np.isnan(value[rows]) & (place == number) for number, name in enumerate(TERCILES)}
