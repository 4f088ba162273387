"""Conformal intervals around the expected return, wider where the market is livelier.

Belongs here: which regime a row is in and the half-width there at a level, in numpy. Does not: fitting them
(`training.conformal`), which level a day asks for (`adaptive`).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spx_assets.scoring.manifest import Manifest, level_key
from spx_assets.scoring.sequences import F32

F64 = npt.NDArray[np.float64]
Regime = npt.NDArray[np.intp]


def regime(manifest: Manifest, newest: F32) -> Regime:
    """Number of the volatility regime of each row of `newest` [n, f], the rows' last bars; -1 where it is not known."""
    regimes = manifest.regimes
    if regimes is None:
        return np.zeros(len(newest), dtype=np.intp)
    value = newest[:, manifest.features.index(regimes.feature)]
    place = np.searchsorted(np.array(regimes.edges, dtype=np.float32), value, side="right")
    return np.where(np.isnan(value), -1, place)


@dataclass(frozen=True)
class Widths:
    """Half-widths in basis points of a model: `table` [levels, regimes + 1], the last column for rows of no known regime."""

    levels: F64
    table: F64
    nominal: float
    """The level that is promised; one of `levels`."""

    @classmethod
    def of(cls, manifest: Manifest) -> "Widths":
        """Those of the manifest; the widest of a level where no regime is known."""
        kept = sorted((float(level), widths) for level, widths in manifest.conformal_quantiles.items())
        table = np.array([[*widths, max(widths)] for _, widths in kept])
        return cls(np.array([level for level, _ in kept]), table, float(level_key(manifest.interval_level)))

    def at(self, regime: Regime, asked: F64 | float | None = None) -> F64:
        """Half-width of each row at the level `asked`, of all or of each; by default at the nominal one.

        Between two levels on the line between their widths. Above the last the width goes on as it rose between the last two:
        after a change of market none that was fitted may be enough.
        """
        if asked is None:
            half: F64 = self.table[np.searchsorted(self.levels, self.nominal)][regime]
            return half
        level, low = np.broadcast_to(np.asarray(asked, np.float64), regime.shape), max(len(self.levels) - 2, 0)
        left = np.clip(np.searchsorted(self.levels, level, side="right") - 1, 0, low)
        right = np.minimum(left + 1, len(self.levels) - 1)
        step = np.where(right > left, self.levels[right] - self.levels[left], 1.0)
        share = np.maximum(level - self.levels[left], 0.0) / step
        first, second = self.table[left, regime], self.table[right, regime]
        return np.where(share == 1.0, second, first + share * (second - first))
