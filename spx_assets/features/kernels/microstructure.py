"""Kernels of the family `microstructure`: what bars tell about spread, pressure and where price stands.

Belongs here: spread, wick and tick measures, support and resistance, activity. Does not: what needs volume (`volume`).
"""

import numpy as np

from spx_assets.features.bars import F64, Bars
from spx_assets.features.kernels import indicators as ta
from spx_assets.features.kernels.rolling import BP, Totals, known_means, lag, only_where, within
from spx_assets.features.kernels.technical import atr_14


def quoted_spread(bars: Bars) -> dict[str, F64]:
    """Ask minus bid at the close; null where the feed knows one side only."""
    bars = bars.recent
    if not bars.has_spread:
        return dict.fromkeys(("spread_quoted", "spread_pct", "spread_ratio_60"), bars.always(np.nan))
    spread = bars.cut(bars.spread)
    return {
        "spread_quoted": spread,
        "spread_pct": BP * spread / bars.cut(bars.close),
        "spread_ratio_60": spread / known_means(bars, bars.spread, (60,))[0],
    }


def _totals(bars: Bars) -> Totals:
    """Of what the kernels below sum over an hour: one addition serves all of them."""

    def make() -> Totals:
        r, lower = bars.log_return, np.minimum(bars.open, bars.close) - bars.low
        return Totals.of(
            bars,
            60,
            r=r,
            product=r * bars.return_before,
            spread=_corwin_schultz(bars),
            direction=np.sign(r),
            span=bars.span,
            above_low=bars.close - bars.low,
            wicks=lower - (bars.high - np.maximum(bars.open, bars.close)),
        )

    return bars.once("microstructure_totals", make)


def effective_spread(bars: Bars) -> dict[str, F64]:
    """Corwin-Schultz from neighbouring ranges, Roll from neighbouring price changes; both 0 where the estimate is negative."""
    totals = _totals(bars.recent)
    mean = totals.mean("r", 60, back=1)
    return {
        "spread_proxy": np.maximum(totals.mean("spread", 60), 0.0),
        "effective_spread_roll": 2.0 * np.sqrt(np.maximum(mean[1:] * mean[:-1] - totals.mean("product", 60), 0.0)),
    }


def _corwin_schultz(bars: Bars) -> F64:
    """Corwin and Schultz (2012), equations 14 and 18, of each bar with the one before, in basis points."""
    squared = bars.log_range_squared
    highest, lowest = np.maximum(bars.high, lag(bars.high, 1)), np.minimum(bars.low, lag(bars.low, 1))
    c = 3.0 - 2.0 * np.sqrt(2.0)
    alpha = ((np.sqrt(2.0) - 1.0) / c) * np.sqrt(squared + lag(squared, 1)) - (BP / np.sqrt(c)) * np.log(highest / lowest)
    # 2 (e^a - 1) / (e^a + 1) is a (1 - a^2 / 12) to 1e-9 of its value at the few basis points a minute has.
    return np.asarray(np.maximum(alpha * (1.0 - np.square(alpha / BP) / 12.0), 0.0))


def pressure(bars: Bars) -> dict[str, F64]:
    """Where closes and wicks stand in their bars: sums over sums, so a bar counts by its range; null if flat."""
    totals = _totals(bars.recent)
    spans = {n: totals.total("span", n) for n in (5, 15, 30, 60)}
    out = {f"buy_pressure_{n}": within(totals.total("above_low", n) / span, 0.0, 1.0) for n, span in spans.items()}
    out |= {f"wick_imbalance_{n}": within(totals.total("wicks", n) / spans[n], -1.0, 1.0) for n in (15, 30, 60)}
    out["sell_pressure_30"] = 1.0 - out["buy_pressure_30"]
    out["buy_pressure_30_x_range"] = (2.0 * out["buy_pressure_30"] - 1.0) * 4.0 * spans[15] / spans[60]
    return out


def ticks(bars: Bars) -> dict[str, F64]:
    """The tick rule on bars: an order-flow proxy that needs no volume."""
    return {"tick_imbalance_30": _totals(bars.recent).mean("direction", 30)}


def levels(bars: Bars) -> dict[str, F64]:
    """Distances to the extremes of the bars before (support and resistance), breaks of them, and place in the day's range."""
    near, atr = bars.recent, atr_14(bars)
    close = near.cut(near.close)
    out: dict[str, F64] = {}
    for n in (60, 240):
        resistance, support = near.cut(ta.MAX(near.high, n), 1), near.cut(ta.MIN(near.low, n), 1)
        above, below = resistance - close, close - support
        out[f"resistance_distance_{n}"] = above / atr
        out[f"support_distance_{n}"] = below / atr
        broken = (above < 0).astype(np.float64) - (below < 0)
        out[f"breakout_{n}"] = only_where(~np.isnan(resistance), broken)
    low = bars.since_open(np.minimum.accumulate, bars.low)
    out["day_range_position"] = (close - low) / (bars.since_open(np.maximum.accumulate, bars.high) - low)
    return out


def activity(bars: Bars) -> dict[str, F64]:
    """How many of the last 60 minutes traded: the one liquidity measure every feed has."""
    bars = bars.recent
    rows = np.arange(len(bars), dtype=np.float64)
    traded = rows[bars.first :] - bars.minutes_ago((60,), rows, before=-1.0)[0]
    known = bars.minute[bars.first :] - bars.minute[0] >= 59
    return {"trading_density_60": only_where(known, traded / 60.0)}
