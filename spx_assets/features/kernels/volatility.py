"""Kernels of the family `volatility`: close-to-close, Garman-Klass, Parkinson, Rogers-Satchell, Yang-Zhang, regimes.

Belongs here: functions from bars to an estimate per bar, causal. Does not: forecasts of volatility.

Squares are of basis points: a quiet minute's variance in plain units falls under what TA-Lib takes for 0.
"""

import numpy as np

from spx_assets.features.bars import F64, Bars
from spx_assets.features.columns import log_returns
from spx_assets.features.kernels import indicators as ta
from spx_assets.features.kernels.rolling import BP, Totals, deviation, only_where, variance, views, within
from spx_assets.features.kernels.summed import FEW, HOUR, LONG, totals

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


def close_to_close(bars: Bars) -> dict[str, F64]:
    """Deviations of log returns, their ratios, and how they split into falls and jumps."""
    moves, splits = totals(bars, LONG, "moves"), totals(bars, HOUR, "splits")
    # The volatility of volatility looks back on 50 values.
    sigmas = _sigma(moves, WINDOW, back=49)
    of_sigma = Totals(49, {"sigma": sigmas, "square": np.square(sigmas)})
    sigma, sigma_square = of_sigma.total("sigma", 50), of_sigma.total("square", 50)
    sigma_20, sigma_50, squares = sigmas[49:], _sigma(moves, 50), moves.total("square", 60)
    bipower = np.pi / 2.0 * splits.total("bipower", 60)
    return {
        "volatility_20": sigma_20,
        "volatility_50": sigma_50,
        "hist_vol_20": YEARLY * sigma_20,
        "hist_vol_50": YEARLY * sigma_50,
        # EMA of 33: decay 32/34 = 0.941, RiskMetrics' 0.94.
        "ewma_vol": _yearly(bars.recursive(17.0, lambda close: ta.EMA(np.square(log_returns(close)), 33), bars.close)),
        "vol_of_vol": deviation(sigma, sigma_square, 50) / (sigma / 50.0),
        "vol_ratio": sigma_20 / _sigma(moves, 200),
        "downside_share_60": splits.total("fall", 60) / squares,
        "jump_share_60": within((squares - bipower) / squares, 0.0, 1.0),
    }


def _sigma(sums: Totals, window: int, *, back: int = 0) -> F64:
    """Deviation of log returns."""
    return deviation(sums.total("r", window, back=back), sums.total("square", window, back=back), window)


def percentile(bars: Bars) -> dict[str, F64]:
    """Rank of the present volatility among half-hourly values of the last day of bars, and the quartile regimes.

    Steps of 30 bars keep the 20-bar windows apart and are 46 shifted views of one column.
    """
    bars = bars.past_day
    past, now = _half_hourly(bars) if bars.asked <= FEW else _every_bar(bars)
    below = np.add.reduce((past < now).view(np.uint8), axis=0, dtype=np.uint8)
    known = np.minimum((np.arange(bars.first, len(bars)) - WINDOW) // PERCENTILE_STEP, PERCENTILE_STEPS)
    enough = known >= PERCENTILE_LEAST
    rank = only_where(enough, below / np.maximum(known, 1))
    return {
        "volatility_percentile": rank,
        "vol_regime_low": only_where(enough, (rank <= 0.25).astype(np.float64)),
        "vol_regime_high": only_where(enough, (rank >= 0.75).astype(np.float64)),
    }


def _every_bar(bars: Bars) -> tuple[F64, F64]:
    """Volatility [46, rows] of the half hours before each row asked for, and of the row itself, out of that of every bar."""
    reach = PERCENTILE_STEP * PERCENTILE_STEPS
    r = bars.log_return
    sigma = _sigma(Totals.of(bars, reach + WINDOW, {"r": r, "square": np.square(r)}), WINDOW, back=reach)
    return views(sigma, bars.asked, count=PERCENTILE_STEPS, step=PERCENTILE_STEP), sigma[reach:]


def _half_hourly(bars: Bars) -> tuple[F64, F64]:
    """The same to the bit for few rows: windows of 20 bars at every 30th, out of 1,400 bars a third less and no views of them."""
    reach, beside = PERCENTILE_STEP * PERCENTILE_STEPS, WINDOW - 1
    r = bars.reaching(reach + beside, bars.log_return)
    windows = views(r, bars.asked + beside, count=PERCENTILE_STEPS + 1, step=PERCENTILE_STEP)
    sigma = _sigma(Totals(beside, {"r": windows, "square": np.square(windows)}, by_row=True), WINDOW)
    return sigma[:-1], sigma[-1]


def range_based(bars: Bars) -> dict[str, F64]:
    """Estimators from open, high, low and close over 20 bars, each from its paper."""
    sums, n = totals(bars, HOUR, "ranges"), WINDOW
    squared_range, drift_free, body_square = (sums.mean(name, n) for name in ("squared_range", "drift_free", "body_square"))
    bodies, jumps = (variance(sums.total(x, n), sums.total(f"{x}_square", n), n) for x in ("body", "jump"))
    k = 0.34 / (1.34 + (n + 1.0) / (n - 1.0))
    yang_zhang = jumps + k * bodies + (1.0 - k) * drift_free
    return {
        "parkinson_vol": _yearly(squared_range / FOUR_LN2),
        "gk_vol": _yearly(0.5 * squared_range - (2.0 * np.log(2.0) - 1.0) * body_square),
        "rs_vol": _yearly(drift_free),
        "yz_vol": _yearly(yang_zhang),
    }


def ranges(bars: Bars) -> dict[str, F64]:
    """The bar's range, its mean, and the realised range of an hour with its own mean."""
    bars = bars.recent
    span = bars.cut(bars.span)
    realized = np.sqrt(totals(bars, LONG, "squared_ranges").total("squared_range", 60, back=239) / FOUR_LN2)
    return {
        "hl_range": span,
        "hl_range_pct": BP * span / bars.cut(bars.close),
        "hl_range_ma20": totals(bars, HOUR, "ranges").mean("span", WINDOW),
        "realized_range": realized[239:],
        "realized_range_ma": Totals(239, {"range": realized}).mean("range", 240),
    }
