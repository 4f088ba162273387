"""Kernels of the family `microstructure` that need volume: flow, price impact, illiquidity, volume itself, VWAP.

Belongs here: what is null for an index feed that reports no volume. Does not: the money flow index (`technical`).
"""

import numpy as np

from spx_assets.features.bars import F64, Bars
from spx_assets.features.kernels.rolling import BP, Flags, Moments, Sums, any_positive, known_mean, share


def _null(bars: Bars, *names: str) -> dict[str, F64]:
    return dict.fromkeys(names, bars.nothing())


def _moments(bars: Bars) -> Moments:
    return bars.once("volume_moments", lambda: Moments.of(bars, bars.volume))


def _counts(bars: Bars) -> Sums:
    return bars.once("positive_volume", lambda: Sums.of(bars, bars.volume > 0))


def _traded(bars: Bars, window: int) -> Flags:
    return any_positive(bars, "volume", bars.volume, window)


def flow(bars: Bars) -> dict[str, F64]:
    """Volume signed by the tick rule over all volume."""
    bars = bars.recent
    if not bars.has_volume:
        return _null(bars, "order_flow_imbalance")
    signed = Sums.of(bars, np.sign(bars.log_return) * bars.volume, start=1)
    return {"order_flow_imbalance": share(signed.total(20), _moments(bars).values.total(20), _traded(bars, 20), low=-1.0)}


def impact(bars: Bars) -> dict[str, F64]:
    """How far volume moves the price: in units of the usual volume for models, Amihud's in plain units for people."""
    bars = bars.recent
    if not bars.has_volume:
        return _null(bars, "price_impact", "price_impact_ma20", "illiquidity", "illiquidity_ma20", "illiquidity_ratio")
    size, traded, sums = np.abs(bars.log_return), bars.volume, _moments(bars).values
    usual = sums.mean(60)
    amihud = size / (traded * bars.close)
    amihud[traded == 0] = np.nan
    row = np.arange(bars.first, len(bars))
    amihud_20, amihud_240 = (
        np.where((row < n) | ~_traded(bars, n), np.nan, np.maximum(values, 0.0))
        for n, values in zip((20, 240), known_mean(bars, amihud, (20, 240)), strict=True)
    )
    recent = Sums.of(bars, size, start=1).total(20) / sums.total(20)
    return {
        "price_impact": np.where(bars.cut(traded) > 0, bars.cut(size) * usual / bars.cut(traded), np.nan),
        "price_impact_ma20": np.where(_traded(bars, 20), recent * usual, np.nan),
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
    now, moments = bars.cut(bars.volume), _moments(bars)
    mean_20, mean_50 = (np.where(_traded(bars, n), moments.values.mean(n), np.nan) for n in (20, 50))
    # Volumes of three windows of 5 bars, the newest first; null where a window has none.
    five, counts = moments.values.total(5, first=0), _counts(bars).total(5, first=0)
    five[counts == 0] = np.nan
    sums = [bars.cut(five, ago) for ago in (0, 5, 10)]
    velocity = np.log(sums[0] / sums[1])
    return {
        "volume_ma20": mean_20,
        "volume_ma50": mean_50,
        "volume_ratio": np.minimum(now / mean_20, 20.0),
        "volume_zscore": (now - mean_50) / moments.deviation(50),
        "volume_velocity": velocity,
        "volume_acceleration": velocity - np.log(sums[1] / sums[2]),
    }


def vwap(bars: Bars) -> dict[str, F64]:
    """Volume-weighted typical price since the trading day began, and the close's distance to it."""
    bars = bars.recent
    if not bars.has_volume:
        return _null(bars, "vwap", "close_vwap_ratio", "vwap_deviation")
    # Around the day's first price, in basis points: the variance of prices of 2,700 would lose its digits.
    close, first, own = bars.cut(bars.close), bars.typical[bars.today], slice(bars.first - bars.today, None)
    volume, distance = bars.volume[bars.today :], BP * (bars.typical[bars.today :] / bars.typical[bars.today] - 1.0)
    weight, average, square = (np.cumsum(x)[own] for x in (volume, volume * distance, volume * np.square(distance)))
    average /= weight
    variance = square / weight - np.square(average)
    price = first * (1.0 + average / BP)
    return {
        "vwap": price,
        "close_vwap_ratio": close / price,
        # Under a millionth of a basis point squared it is rounding, not dispersion.
        "vwap_deviation": np.where(variance > 1e-6, (BP * (close / first - 1.0) - average) / np.sqrt(variance), np.nan),
    }
