"""Kernels of the family `microstructure` that need volume: flow, price impact, illiquidity, volume itself, VWAP.

Belongs here: what is null for an index feed that reports no volume. Does not: the money flow index (`technical`).

A window without volume sums to 0 exactly, so a mean or a share of it is 0 / 0: null.
"""

import numpy as np

from spx_assets.features.bars import F64, Bars
from spx_assets.features.kernels.rolling import BP, Totals, deviation, known_means, only_where, within


def _null(bars: Bars, *names: str) -> dict[str, F64]:
    return dict.fromkeys(names, bars.always(np.nan))


def _totals(bars: Bars) -> Totals:
    """Of volumes, their squares, volumes signed by the tick rule, and sizes of returns."""

    def make() -> Totals:
        v, r = bars.volume, bars.log_return
        return Totals.of(bars, 60, volume=v, square=np.square(v), signed=np.sign(r) * v, size=bars.return_size)

    return bars.once("volume_totals", make)


def flow(bars: Bars) -> dict[str, F64]:
    """Volume signed by the tick rule over all volume."""
    bars = bars.recent
    if not bars.has_volume:
        return _null(bars, "order_flow_imbalance")
    totals = _totals(bars)
    return {"order_flow_imbalance": within(totals.total("signed", 20) / totals.total("volume", 20), -1.0, 1.0)}


def impact(bars: Bars) -> dict[str, F64]:
    """How far volume moves the price: in units of the usual volume for models, Amihud's in plain units for people."""
    bars = bars.recent
    if not bars.has_volume:
        return _null(bars, "price_impact", "price_impact_ma20", "illiquidity", "illiquidity_ma20", "illiquidity_ratio")
    size, traded, totals = bars.return_size, only_where(bars.volume > 0, bars.volume), _totals(bars)
    usual, volumes = totals.mean("volume", 60), totals.total("volume", 20)
    amihud = size / (traded * bars.close)
    row = np.arange(bars.first, len(bars))
    amihud_20, amihud_240 = (
        only_where(row >= n, mean) for n, mean in zip((20, 240), known_means(bars, amihud, (20, 240)), strict=True)
    )
    return {
        "price_impact": bars.cut(size) * usual / bars.cut(traded),
        "price_impact_ma20": only_where(volumes > 0, totals.total("size", 20) / volumes * usual),
        "illiquidity": bars.cut(amihud),
        "illiquidity_ma20": amihud_20,
        "illiquidity_ratio": amihud_20 / amihud_240,
    }


def volume(bars: Bars) -> dict[str, F64]:
    """Volume against its own recent past."""
    bars = bars.recent
    if not bars.has_volume:
        names = ("volume_ma20", "volume_ma50", "volume_ratio", "volume_zscore", "volume_velocity", "volume_acceleration")
        return _null(bars, *names)
    now, totals = bars.cut(bars.volume), _totals(bars)
    sum_20, sum_50, squares = totals.total("volume", 20), totals.total("volume", 50), totals.total("square", 50)
    mean_20, mean_50 = (only_where(total > 0, total / n) for n, total in ((20, sum_20), (50, sum_50)))
    # Volumes of three windows of 5 bars, the newest last; null where a window has none.
    fives = totals.total("volume", 5, back=10)
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
        running = np.cumsum((volume, weighted, weighted * distance), axis=1)
        firsts.append(typical[0])
        parts.append(running[:, day.first - day.opened :])
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
