"""Kernels of the family `microstructure`: what bars tell about spread, pressure and where price stands.

Belongs here: spread, wick and tick measures, support and resistance, activity. Does not: what needs volume (`volume`).
"""

import numpy as np
import talib

from spx_assets.features.bars import F64, Bars
from spx_assets.features.kernels.rolling import BP, Sums, any_positive, known_mean, lag, return_moments, share
from spx_assets.features.kernels.technical import atr_14


def quoted_spread(bars: Bars) -> dict[str, F64]:
    """Ask minus bid at the close; null where the feed knows one side only."""
    bars = bars.recent
    if not bars.has_spread:
        return dict.fromkeys(("spread_quoted", "spread_pct", "spread_ratio_60"), bars.nothing())
    spread = bars.cut(bars.spread)
    return {
        "spread_quoted": spread,
        "spread_pct": BP * spread / bars.cut(bars.close),
        "spread_ratio_60": spread / known_mean(bars, bars.spread, (60,))[0],
    }


def effective_spread(bars: Bars) -> dict[str, F64]:
    """Corwin-Schultz from neighbouring ranges, Roll from neighbouring price changes; both 0 where the estimate is negative."""
    bars = bars.recent
    r, before = bars.log_return, lag(bars.log_return, 1)
    means = return_moments(bars).values
    covariance = Sums.of(bars, r * before, start=2).mean(60) - means.mean(60) * Sums.of(bars, before, start=2).mean(60)
    return {
        "spread_proxy": np.maximum(Sums.of(bars, _corwin_schultz(bars), start=1).mean(60), 0.0),
        "effective_spread_roll": 2.0 * np.sqrt(np.maximum(-covariance, 0.0)),
    }


def _corwin_schultz(bars: Bars) -> F64:
    """Corwin and Schultz (2012), equations 14 and 18, of each bar with the one before, in basis points."""
    squared = np.square(bars.log_range)
    c = 3.0 - 2.0 * np.sqrt(2.0)
    alpha = ((np.sqrt(2.0) - 1.0) / c) * np.sqrt(squared + lag(squared, 1)) - bars.log_range_of_two / np.sqrt(c)
    # 2 (e^a - 1) / (e^a + 1) is a (1 - a^2 / 12) to 1e-9 of its value at the few basis points a minute has.
    return np.asarray(np.maximum(alpha * (1.0 - np.square(alpha / BP) / 12.0), 0.0))


def pressure(bars: Bars) -> dict[str, F64]:
    """Where closes and wicks stand in their bars: sums over sums, so a bar counts by its range."""
    bars = bars.recent
    span, above, wicks = (Sums.of(bars, x) for x in (bars.span, bars.above_low, bars.wicks))
    spans = {n: span.total(n) for n in (5, 15, 30, 60)}
    moved = {n: any_positive(bars, "span", bars.span, n) for n in spans}
    out = {f"buy_pressure_{n}": share(above.total(n), spans[n], moved[n]) for n in spans}
    out["sell_pressure_30"] = 1.0 - out["buy_pressure_30"]
    out |= {f"wick_imbalance_{n}": share(wicks.total(n), spans[n], moved[n], low=-1.0) for n in (15, 30, 60)}
    out["buy_pressure_30_x_range"] = (2.0 * out["buy_pressure_30"] - 1.0) * 4.0 * spans[15] / spans[60]
    return out


def ticks(bars: Bars) -> dict[str, F64]:
    """The tick rule on bars: an order-flow proxy that needs no volume."""
    bars = bars.recent
    return {"tick_imbalance_30": Sums.of(bars, np.sign(bars.log_return), start=1).mean(30)}


def levels(bars: Bars) -> dict[str, F64]:
    """Distances to the extremes of the bars before (support and resistance), breaks of them, and place in the day's range."""
    atr, bars = atr_14(bars), bars.recent
    close = bars.cut(bars.close)
    out: dict[str, F64] = {}
    for n in (60, 240):
        resistance, support = bars.cut(talib.MAX(bars.high, n), 1), bars.cut(talib.MIN(bars.low, n), 1)
        out[f"resistance_distance_{n}"] = (resistance - close) / atr
        out[f"support_distance_{n}"] = (close - support) / atr
        broken = (close > resistance).astype(np.float64) - (close < support)
        out[f"breakout_{n}"] = np.where(np.isnan(resistance), np.nan, broken)
    low = bars.of_day(np.minimum.accumulate, bars.low)
    out["day_range_position"] = (close - low) / (bars.of_day(np.maximum.accumulate, bars.high) - low)
    return out


def activity(bars: Bars) -> dict[str, F64]:
    """How many of the last 60 minutes traded: the one liquidity measure every feed has."""
    bars = bars.recent
    traded = np.arange(bars.first, len(bars)) - bars.row_minutes_ago(60)
    known = bars.cut(bars.minute) - bars.minute[0] >= 59
    return {"trading_density_60": np.where(known, traded / 60.0, np.nan)}
