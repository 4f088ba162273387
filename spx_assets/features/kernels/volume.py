"""Kernels of the family `microstructure` that need volume: flow, price impact, illiquidity, volume itself, VWAP.

Belongs here: what is null for an index feed that reports no volume. Does not: the money flow index (`technical`).

A window without volume sums to 0 exactly, so a mean or a share of it is 0 / 0: null.
"""

import numpy as np

from spx_assets.features.bars import F64, Bars
from spx_assets.features.kernels.rolling import BP, deviation, only_where, within
from spx_assets.features.kernels.summed import HOUR, LONG, amihud, means_of_known, totals


def _null(bars: Bars, *names: str) -> dict[str, F64]:
    return dict.fromkeys(names, bars.always(np.nan))


def flow(bars: Bars) -> dict[str, F64]:
    """Volume signed by the tick rule over all volume."""
    bars = bars.recent
    if not bars.has_volume:
        return _null(bars, "order_flow_imbalance")
    sums = totals(bars, HOUR, "volume")
    return {"order_flow_imbalance": within(sums.total("signed", 20) / sums.total("volume", 20), -1.0, 1.0)}


def impact(bars: Bars) -> dict[str, F64]:
    """How far volume moves the price: in units of the usual volume for models, Amihud's in plain units for people."""
    bars = bars.recent
    if not bars.has_volume:
        return _null(bars, "price_impact", "price_impact_ma20", "illiquidity", "illiquidity_ma20", "illiquidity_ratio")
    sums, size, traded = totals(bars, HOUR, "volume"), bars.cut(bars.return_size), bars.cut(bars.volume)
    usual, volumes = sums.mean("volume", 60), sums.total("volume", 20)
    row = np.arange(bars.first, len(bars))
    amihud_20, amihud_240 = (
        only_where(row >= n, mean) for n, mean in zip((20, 240), means_of_known(bars, LONG, "amihud", (20, 240)), strict=True)
    )
    return {
        "price_impact": size * usual / only_where(traded > 0, traded),
        "price_impact_ma20": only_where(volumes > 0, sums.total("size", 20) / volumes * usual),
        "illiquidity": bars.cut(amihud(bars)),
        "illiquidity_ma20": amihud_20,
        "illiquidity_ratio": amihud_20 / amihud_240,
    }


def volume(bars: Bars) -> dict[str, F64]:
    """Volume against its own recent past."""
    bars = bars.recent
    if not bars.has_volume:
        names = ("volume_ma20", "volume_ma50", "volume_ratio", "volume_zscore", "volume_velocity", "volume_acceleration")
        return _null(bars, *names)
    now, sums = bars.cut(bars.volume), totals(bars, HOUR, "volume")
    sum_20, sum_50, squares = sums.total("volume", 20), sums.total("volume", 50), sums.total("volume_square", 50)
    mean_20, mean_50 = (only_where(total > 0, total / n) for n, total in ((20, sum_20), (50, sum_50)))
    # Volumes of three windows of 5 bars, the newest last; null where a window has none.
    fives = sums.total("volume", 5, back=10)
    fives = only_where(~(fives <= 0), fives)
    velocity = np.log(fives[5:] / fives[:-5])
    return {
        "volume_ma20": mean_20,
        "volume_ma50": mean_50,
        "volume_ratio": np.minimum(now / mean_20, 20.0),
        "volume_zscore": (now - mean_50) / deviation(sum_50, squares, 50),
        "volume_velocity": velocity[5:],
        "volume_acceleration": velocity[5:] - velocity[:-5],
    }


def vwap(bars: Bars) -> dict[str, F64]:
    """Volume-weighted typical price since the trading day began, and the close's distance to it."""
    if not bars.recent.has_volume:
        return _null(bars, "vwap", "close_vwap_ratio", "vwap_deviation")
    # Around the day's first price, in basis points: the variance of prices of 2,700 would lose its digits.
    firsts, parts = [], []
    for day in bars.days:
        rows = slice(day.opened, day.stop)
        typical, volume = (bars.high[rows] + bars.low[rows] + bars.close[rows]) / 3.0, bars.volume[rows]
        distance = BP * (typical / typical[0] - 1.0)
        weighted = volume * distance
        firsts.append(typical[0])
        parts.append([np.cumsum(each)[day.first - day.opened :] for each in (volume, weighted, weighted * distance)])
    weight, average, square = np.concatenate(parts, axis=1)
    average, first, close = average / weight, bars.per_day(firsts), bars.cut(bars.close)
    variance = square / weight - np.square(average)
    price = first * (1.0 + average / BP)
    return {
        "vwap": price,
        "close_vwap_ratio": close / price,
        # Under a millionth of a basis point squared it is rounding, not dispersion.
        "vwap_deviation": only_where(variance > 1e-6, (BP * (close / first - 1.0) - average) / np.sqrt(variance)),
    }
