"""Intervals that follow their own coverage: adaptive conformal inference.

Belongs here: the level asked for at each bar, from outcomes that were known by then. Does not: half-widths of a level
(`intervals`), storing outcomes.

Gibbs and Candes (2021): the miss rate asked for moves by rate x (target - missed) with every outcome. A label of h minutes is
an outcome h + 1 minutes after its bar, not before, and overlaps its neighbours: each counts with its uniqueness, so that
`rate` is that of independent outcomes.
"""

import numpy as np
import numpy.typing as npt

from spx_assets.scoring.sequences import I64

F64 = npt.NDArray[np.float64]

MINUTE_US = 60_000_000
RATE = 0.02
"""Share of an outcome's miss that the next level makes up for: about 50 independent outcomes, two trading days at 30 minutes."""


def half_widths(
    residual_bp: F64,
    widths: F64,
    levels: F64,
    *,
    level: float,
    ts: I64,
    label_end: I64,
    weight: F64,
    rate: float = RATE,
) -> tuple[F64, F64]:
    """(half-width, level asked for) of n rows of one instrument in order of time.

    `widths` [n, k] are the static half-widths at `levels` [k], rising. `residual_bp` is NaN where there is no outcome.
    Outcomes that end by the end of a bar move the level of that bar; a row never sees its own. Above the last of `levels` the
    width goes on as it rose between the last two: after a change of market no static width may be enough.
    """
    n, target = len(ts), 1.0 - level
    due = np.searchsorted(label_end[np.argsort(label_end, kind="stable")], ts + MINUTE_US, side="right")
    order = np.argsort(label_end, kind="stable")
    miss, asked, half = target, np.empty(n), np.empty(n)
    seen = 0
    for row in range(n):
        for past in order[seen : due[row]]:
            if not np.isnan(residual_bp[past]):
                missed = float(abs(residual_bp[past]) > half[past])
                miss += rate * weight[past] * (target - missed)
        seen = max(seen, int(due[row]))
        asked[row] = 1.0 - miss
        beyond = max(asked[row] - levels[-1], 0.0) * (widths[row, -1] - widths[row, -2]) / (levels[-1] - levels[-2])
        half[row] = np.interp(asked[row], levels, widths[row]) + beyond
    return half, asked
