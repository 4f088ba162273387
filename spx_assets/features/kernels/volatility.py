"""Kernels of the family `volatility`: close-to-close, Garman-Klass, Parkinson, Rogers-Satchell, Yang-Zhang, regimes.

Belongs here: functions from bars to an estimate per bar, causal. Does not: forecasts of volatility.

Squares are of basis points: a quiet minute's variance in plain units falls under what TA-Lib takes for 0.
"""

import numpy as np
import talib

from spx_assets.features.bars import F64, Bars
from spx_assets.features.kernels.rolling import BP, Moments, Sums, any_positive, lag, return_moments, share

# A market that is open from 17:00 to 17:00 New York less an hour, 252 days a year. One constant for every instrument:
# it scales, and a model does not see scale.
BARS_A_YEAR = 252 * 1380
YEARLY = np.sqrt(BARS_A_YEAR) / 100.0  # basis points a bar -> percent a year
FOUR_LN2 = 4.0 * np.log(2.0)
WINDOW = 20

PERCENTILE_STEP = 30
PERCENTILE_STEPS = 46  # 46 x 30 = 1,380 bars, a full trading day
PERCENTILE_LEAST = 13  # 390 bars, a day of regular hours


def _yearly(variance: F64) -> F64:
    return np.asarray(YEARLY * np.sqrt(np.maximum(variance, 0.0)))


def _sigma_20(bars: Bars) -> F64:
    """On all rows: the percentile and the volatility of volatility look back on it."""
    return bars.once("sigma_20", lambda: return_moments(bars).deviation(WINDOW, first=0))


def close_to_close(bars: Bars) -> dict[str, F64]:
    """Deviations of log returns, their ratios, and how they split into falls and jumps."""
    long, bars = bars.settled(17.0), bars.recent
    r, moments = bars.log_return, return_moments(bars)
    sigma_20, sigma_50 = bars.cut(_sigma_20(bars)), moments.deviation(50)
    vol = Moments.of(bars, _sigma_20(bars), start=20)
    squares, size = np.square(r), np.abs(r)
    variance, moved = moments.squares.total(60), any_positive(bars, "moves", size, 60)
    falls = Sums.of(bars, squares * (r < 0), start=1).total(60)
    bipower = np.pi / 2.0 * (60.0 / 59.0) * Sums.of(bars, size * lag(size, 1), start=2).total(60)
    return {
        "volatility_20": sigma_20,
        "volatility_50": sigma_50,
        "hist_vol_20": YEARLY * sigma_20,
        "hist_vol_50": YEARLY * sigma_50,
        # EMA of 33: decay 32/34 = 0.941, RiskMetrics' 0.94.
        "ewma_vol": _yearly(long.cut(talib.EMA(np.square(long.log_return), 33))),
        "vol_of_vol": vol.deviation(50) / vol.values.mean(50),
        "vol_ratio": sigma_20 / moments.deviation(200),
        "downside_share_60": share(falls, variance, moved),
        "jump_share_60": share(variance - bipower, variance, moved),
    }


def percentile(bars: Bars) -> dict[str, F64]:
    """Rank of the present volatility among half-hourly values of the last day of bars, and the quartile regimes.

    Steps of 30 bars keep the 20-bar windows apart and are 46 shifted views of one column.
    """
    bars = bars.past_day
    sigma = _sigma_20(bars)
    now, reach = bars.cut(sigma), PERCENTILE_STEP * PERCENTILE_STEPS
    missing = max(reach - bars.first, 0)
    padded = np.concatenate((np.full(missing, np.nan), sigma)) if missing else sigma
    first = bars.first + missing
    past = np.lib.stride_tricks.sliding_window_view(padded, len(now))[first - reach : first : PERCENTILE_STEP]
    below = np.add.reduce(past < now, axis=0, dtype=np.uint8)
    known = np.minimum((np.arange(bars.first, len(bars)) - WINDOW) // PERCENTILE_STEP, PERCENTILE_STEPS)
    rank = np.where(known >= PERCENTILE_LEAST, below / np.maximum(known, 1), np.nan)
    unknown = np.isnan(rank)
    return {
        "volatility_percentile": rank,
        "vol_regime_low": np.where(unknown, np.nan, rank <= 0.25),
        "vol_regime_high": np.where(unknown, np.nan, rank >= 0.75),
    }


def range_based(bars: Bars) -> dict[str, F64]:
    """Estimators from open, high, low and close over 20 bars, each from its paper."""
    bars = bars.recent
    n, up, down = WINDOW, bars.up, bars.down
    body = bars.log_close - bars.log_open
    squared_range, bodies = Sums.of(bars, np.square(bars.log_range)).mean(n), Moments.of(bars, body)
    rogers_satchell = Sums.of(bars, up * (up - body) + down * (down - body)).mean(n)
    jumps = Moments.of(bars, bars.log_jump, start=1).variance(n)
    k = 0.34 / (1.34 + (n + 1.0) / (n - 1.0))
    yang_zhang = jumps + k * bodies.variance(n) + (1.0 - k) * rogers_satchell
    return {
        "parkinson_vol": _yearly(squared_range / FOUR_LN2),
        "gk_vol": _yearly(0.5 * squared_range - (2.0 * np.log(2.0) - 1.0) * bodies.squares.mean(n)),
        "rs_vol": _yearly(rogers_satchell),
        "yz_vol": _yearly(yang_zhang),
    }


def ranges(bars: Bars) -> dict[str, F64]:
    """The bar's range, its mean, and the realised range of an hour with its own mean."""
    bars = bars.recent
    span = bars.cut(bars.span)
    squares = Sums.of(bars, np.square(bars.log_range))
    realized = np.sqrt(np.maximum(squares.total(60, first=0), 0.0) / FOUR_LN2)
    return {
        "hl_range": span,
        "hl_range_pct": BP * span / bars.cut(bars.close),
        "hl_range_ma20": np.maximum(Sums.of(bars, bars.span).mean(20), 0.0),
        "realized_range": bars.cut(realized),
        "realized_range_ma": Sums.of(bars, realized, start=59).mean(240),
    }
