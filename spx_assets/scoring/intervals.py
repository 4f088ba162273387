"""Conformal intervals around the expected return, wider where the market is livelier.

Belongs here: which regime a row is in and the half-width there, in numpy. Does not: fitting them (`training.conformal`).
"""

import numpy as np
import numpy.typing as npt

from spx_assets.scoring.manifest import Manifest, level_key
from spx_assets.scoring.sequences import F32

F64 = npt.NDArray[np.float64]


def regime(manifest: Manifest, newest: F32) -> npt.NDArray[np.intp]:
    """Number of the volatility regime of each row of `newest` [n, f], the rows' last bars; -1 where it is not known."""
    regimes = manifest.regimes
    if regimes is None:
        return np.zeros(len(newest), dtype=np.intp)
    value = newest[:, manifest.features.index(regimes.feature)]
    place = np.searchsorted(np.array(regimes.edges, dtype=np.float32), value, side="right")
    return np.where(np.isnan(value), -1, place)


def half_width(manifest: Manifest, newest: F32, *, level: float | None = None) -> F64:
    """Half-width in basis points of each row at `level`, by default the one that is served; the widest where no regime is known.

    KeyError if no quantile was fitted at that level.
    """
    widths = np.array(manifest.conformal_quantiles[level_key(manifest.interval_level if level is None else level)])
    place = regime(manifest, newest)
    half: F64 = np.where(place < 0, widths.max(), widths[place])
    return half
