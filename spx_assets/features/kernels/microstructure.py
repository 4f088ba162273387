"""Kernels of the family `microstructure`: what bars tell about spread, pressure and where price stands.

Belongs here: spread, wick and tick measures, support and resistance, activity. Does not: what needs volume (`volume`).
"""

import numpy as np

from spx_assets.features.bars import F64, Bars
from spx_assets.features.kernels import indicators as ta
from spx_assets.features.kernels.rolling import BP, only_where, within
from spx_assets.features.kernels.summed import HOUR, means_of_known, totals
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
        "spread_ratio_60": spread / means_of_known(bars, HOUR, "quoted", (60,))[0],
    }


def effective_spread(bars: Bars) -> dict[str, F64]:
    """Corwin-Schultz from neighbouring ranges, Roll from neighbouring price changes; both 0 where the estimate is negative."""
    sums = totals(bars, HOUR, "pressure")
    mean = sums.mean("r", 60, back=1)
    return {
        "spread_proxy": np.maximum(sums.mean("spread", 60), 0.0),
        "effective_spread_roll": 2.0 * np.sqrt(np.maximum(mean[1:] * mean[:-1] - sums.mean("product", 60), 0.0)),
    }


def pressure(bars: Bars) -> dict[str, F64]:
    """Where closes and wicks stand in their bars: sums over sums, so a bar counts by its range; null if flat."""
    sums = totals(bars, HOUR, "pressure")
    spans = {n: sums.total("span", n) for n in (5, 15, 30, 60)}
    out = {f"buy_pressure_{n}": within(sums.total("above_low", n) / span, 0.0, 1.0) for n, span in spans.items()}
    out |= {f"wick_imbalance_{n}": within(sums.total("wicks", n) / spans[n], -1.0, 1.0) for n in (15, 30, 60)}
    out["sell_pressure_30"] = 1.0 - out["buy_pressure_30"]
    out["buy_pressure_30_x_range"] = (2.0 * out["buy_pressure_30"] - 1.0) * 4.0 * spans[15] / spans[60]
    return out


def ticks(bars: Bars) -> dict[str, F64]:
    """The tick rule on bars: an order-flow proxy that needs no volume."""
    return {"tick_imbalance_30": totals(bars, HOUR, "pressure").mean("direction", 30)}


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
