"""When an input, and when a day as a whole, counts as drifted.

Belongs here: thresholds of the settings applied to distances. Does not: the distances (`compare`), whose they are
(`feature_drift`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spx_assets.monitoring import distance, habit
from spx_assets.monitoring.compare import Distances
from spx_assets.monitoring.counting import F64
from spx_assets.settings.monitoring import DriftSettings


@dataclass(frozen=True)
class Verdict:
    """What the distances of a day's inputs mean."""

    p_adjusted: F64
    drifted: npt.NDArray[np.bool_]
    features: int
    """Inputs that both sides know."""
    key: tuple[str, ...]
    """Key inputs that drifted."""
    share_allowed: float

    @property
    def share(self) -> float:
        """Share of the inputs that drifted."""
        return float(self.drifted.sum()) / max(self.features, 1)

    @property
    def day_drifted(self) -> bool:
        return bool(self.key) or self.share > self.share_allowed

    @property
    def reason(self) -> str:
        said = f"{int(self.drifted.sum())} of {self.features} inputs drifted ({self.share:.0%}, allowed {self.share_allowed:.0%})"
        return f"{said}, among them {', '.join(self.key)}" if self.key else said


def judge(found: Distances, names: Sequence[str], rules: DriftSettings) -> Verdict:
    """The verdict on one day.

    Key inputs are few and chosen beforehand: each is held to `alpha` by itself, in a jump of its daily middle, and to a
    share of it in the level of the window. No p-value makes a drift of a distance that is too small to matter.
    """
    p = distance.adjusted(found.p)
    p = np.fmin(p, np.minimum(np.fmin(found.jump, found.level / habit.LEVEL), 1.0))
    drifted = (p < rules.alpha) & (np.fmax(found.ks, found.change) > rules.least)
    if rules.ks is not None:
        drifted |= found.ks > rules.ks
    if rules.psi is not None:
        drifted |= found.psi > rules.psi
    known = int((~np.isnan(found.ks)).sum())
    key = tuple(name for name in rules.key_features if name in names and drifted[names.index(name)])
    return Verdict(p, drifted, known, key, rules.share)
