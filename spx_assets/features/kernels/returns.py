"""Kernels of the family `returns`.

Belongs here: returns over minutes, over the trading day, and their shape. Does not: volatility as such.

Minutes are minutes of the clock: the price k minutes ago is the close of the last bar stamped at or before t - k. A gap is
bridged by the last known price and never by a later one, and a return over k minutes stays one over k minutes where bars
are missing. Bar-based indicators of other families count bars that traded.
"""

import numpy as np

from spx_assets.features.bars import F64, Bars
from spx_assets.features.definitions.returns import MINUTES
from spx_assets.features.kernels.rolling import BP, Totals, deviation, only_where, variance, within
from spx_assets.features.kernels.summed import HOUR, totals


def _minutes_returns(bars: Bars) -> dict[int, F64]:
    """Simple returns over minutes of the clock, basis points; NaN where the history is shorter."""

    def make() -> dict[int, F64]:
        returns = bars.minutes_ago(MINUTES, bars.close)
        np.divide(bars.cut(bars.close), returns, out=returns)
        returns -= 1.0
        returns *= BP
        return dict(zip(MINUTES, returns, strict=True))

    return bars.once("minutes_returns", make)


def over_minutes(bars: Bars) -> dict[str, F64]:
    """return_k for every horizon, and the log return of one minute."""
    out = {f"return_{k}": values for k, values in _minutes_returns(bars.recent).items()}
    out["log_return_1"] = BP * np.log1p(out["return_1"] / BP)
    return out


def of_the_day(bars: Bars) -> dict[str, F64]:
    """Return since the day's first price, and the gap between that price and the last close before it."""
    first = [float(bars.open[day.opened]) for day in bars.days]
    before = [float(bars.close[day.opened - 1]) if day.opened > day.start else np.nan for day in bars.days]
    return {
        "day_return": BP * (bars.cut(bars.close) / bars.per_day(first) - 1.0),
        "opening_gap": bars.per_day([BP * (a / b - 1.0) for a, b in zip(first, before, strict=True)]),
    }


def in_sigma(bars: Bars) -> dict[str, F64]:
    """Returns in units of what a random walk with the last hour's volatility would move."""
    bars = bars.recent
    sums, returns = totals(bars, HOUR, "returns"), _minutes_returns(bars)
    sigma = deviation(sums.total("r", 60), sums.total("square", 60), 60)
    return {f"return_{k}_sigma": returns[k] / (sigma * np.sqrt(k)) for k in (5, 30)}


def shape(bars: Bars) -> dict[str, F64]:
    """Serial correlation and straightness of the path."""
    bars = bars.recent
    sums = totals(bars, HOUR, "returns")
    path = sums.total("size", 30)
    net = np.abs(bars.cut(bars.log_close) - bars.cut(bars.log_close, 30))
    return {
        "return_autocorrelation_60": _autocorrelation(sums, 60),
        # A path under a millionth of a basis point is the rounding of logarithms.
        "efficiency_ratio_30": only_where(path > 1e-6, within(net / path, 0.0, 1.0)),
    }


def _autocorrelation(sums: Totals, window: int) -> F64:
    """Pearson correlation of returns with those of the bar before; 0 where one of them does not vary."""
    total, squares = (sums.total(name, window, back=1) for name in ("r", "square"))
    variances = variance(total, squares, window)
    scale = np.sqrt(variances[1:] * variances[:-1]) * (window - 1.0)
    covariance = sums.total("product", window) - total[1:] * total[:-1] / window
    correlation = within(covariance / scale, -1.0, 1.0)
    # Squares of basis points: what varies by less than 1e-6 of one is the rounding of logarithms.
    correlation[scale < 1e-6] = 0.0
    return correlation
