"""Kernels of the family `returns`.

Belongs here: returns over minutes, over the trading day, and their shape. Does not: volatility as such.

Minutes are minutes of the clock: the price k minutes ago is the close of the last bar stamped at or before t - k. A gap is
bridged by the last known price and never by a later one, and a return over k minutes stays one over k minutes where bars
are missing. Bar-based indicators of other families count bars that traded.
"""

import numpy as np
import talib

from spx_assets.features.bars import F64, Bars
from spx_assets.features.definitions.returns import MINUTES
from spx_assets.features.kernels.rolling import BP, Sums, lag, return_moments, share


def minutes_return(bars: Bars, minutes: int) -> F64:
    """Simple return over `minutes` of the clock, basis points; NaN where the history is shorter."""

    def make() -> F64:
        return BP * (bars.cut(bars.close) / bars.close_minutes_ago(minutes) - 1.0)

    return bars.once(f"return_{minutes}", make)


def over_minutes(bars: Bars) -> dict[str, F64]:
    """return_k for every horizon, and the log return of one minute."""
    bars = bars.recent
    out = {f"return_{k}": minutes_return(bars, k) for k in MINUTES}
    out["log_return_1"] = BP * np.log1p(out["return_1"] / BP)
    return out


def of_the_day(bars: Bars) -> dict[str, F64]:
    """Return since the day's first price, and the gap between that price and the last close before it."""
    first = bars.open[bars.today]
    before = bars.close[bars.today - 1] if bars.today else np.nan
    return {"day_return": BP * (bars.cut(bars.close) / first - 1.0), "opening_gap": bars.always(BP * (first / before - 1.0))}


def in_sigma(bars: Bars) -> dict[str, F64]:
    """Returns in units of what a random walk with the last hour's volatility would move."""
    bars = bars.recent
    sigma = return_moments(bars).deviation(60)
    return {f"return_{k}_sigma": minutes_return(bars, k) / (sigma * np.sqrt(k)) for k in (5, 30)}


def shape(bars: Bars) -> dict[str, F64]:
    """Serial correlation and straightness of the path."""
    bars = bars.recent
    r = bars.log_return
    path = Sums.of(bars, np.abs(r), start=1).total(30)
    net = np.abs(bars.cut(bars.log_close) - bars.cut(bars.log_close, 30))
    return {
        "return_autocorrelation_60": np.clip(bars.cut(talib.CORREL(r, lag(r, 1), 60)), -1.0, 1.0),
        # A path under a millionth of a basis point is the rounding of the running sum.
        "efficiency_ratio_30": share(net, path, path > 1e-6),
    }
