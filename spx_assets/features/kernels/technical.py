"""Kernels of the family `technical`: TA-Lib's indicators with their degenerate cases made honest.

Belongs here: textbook indicators and their stationary forms. Does not: volatility estimators, volume beyond the MFI.

TA-Lib answers 0 where nothing moved: RSI 0 reads as oversold, %R 0 as the high. Here a flat range is the middle.
"""

import numpy as np
import talib

from spx_assets.features.bars import F64, Bars
from spx_assets.features.definitions.technical import EMA_DISTANCES, PERIODS, SMA_DISTANCES
from spx_assets.features.kernels.rolling import BP, Moments, Sums, any_positive, lag, share


def sma(bars: Bars, period: int) -> F64:
    """Simple moving average of closes on the rows asked for."""
    sums = bars.once("sums_close", lambda: Sums.of(bars.recent, bars.recent.close))
    return bars.once(f"sma_{period}", lambda: sums.mean(period))


def ema(bars: Bars, period: int) -> F64:
    """Exponential moving average of closes, seeded with the simple one, on the rows asked for."""
    long = bars.settled((period + 1) / 2)
    return bars.once(f"ema_{period}", lambda: long.cut(talib.EMA(long.close, period)))


def averages(bars: Bars) -> dict[str, F64]:
    """Moving averages in price."""
    return {f"sma_{n}": sma(bars, n) for n in PERIODS} | {f"ema_{n}": ema(bars, n) for n in PERIODS}


def distances(bars: Bars) -> dict[str, F64]:
    """The close's distance to moving averages, the spread of two, and the slope of the last hour."""
    close = bars.cut(bars.close)
    out = {f"sma_distance_{n}": BP * (close / sma(bars, n) - 1.0) for n in SMA_DISTANCES}
    out |= {f"ema_distance_{n}": BP * (close / ema(bars, n) - 1.0) for n in EMA_DISTANCES}
    out["sma_50_200_spread"] = BP * (sma(bars, 50) / sma(bars, 200) - 1.0)
    # Least squares on equal steps is 6 (WMA - SMA) / (n - 1): two running sums instead of TA-Lib's n products a bar.
    out["trend_slope_60"] = BP * 6.0 / 59.0 * (bars.recent.cut(talib.WMA(bars.recent.close, 60)) - sma(bars, 60)) / close
    return out


def _rsi(bars: Bars, period: int) -> F64:
    def make() -> F64:
        long = bars.settled(period)
        values = long.cut(talib.RSI(long.close, period))
        if not np.any(values == 0.0):
            return np.minimum(values, 100.0)
        still = (values == 0.0) & ~any_positive(bars.recent, "moves", np.abs(bars.recent.log_return), period)
        return np.where(still, 50.0, np.minimum(values, 100.0))

    return bars.once(f"rsi_{period}", make)


def rsi(bars: Bars) -> dict[str, F64]:
    """Wilder's relative strength index; 50 where nothing moved."""
    return {f"rsi_{n}": _rsi(bars, n) for n in (14, 20, 30)}


def macd(bars: Bars) -> dict[str, F64]:
    """MACD 12, 26, 9 in price and as a share of the close."""
    bars = bars.settled(13.5)
    names = ("macd", "macd_signal", "macd_histogram")
    named = {name: bars.cut(values) for name, values in zip(names, talib.MACD(bars.close, 12, 26, 9), strict=True)}
    scale = BP / bars.cut(bars.close)
    return named | {f"{name}_bp": values * scale for name, values in named.items()}


def bollinger(bars: Bars) -> dict[str, F64]:
    """Bands of two population standard deviations around the mean of 20 closes."""
    middle, bars = sma(bars, 20), bars.recent
    close = bars.cut(bars.close)
    # Deviation of the price relative to the first: squares of 2,700 would cost nine digits.
    scale = bars.close[0] / BP
    relative = Moments.of(bars, bars.close / scale - BP).deviation(20) * np.sqrt(19.0 / 20.0)
    # Under a thousandth of a basis point it is rounding: one tick of a currency in 20 bars makes 0.02.
    sigma = np.where(relative < 1e-3, 0.0, relative) * scale
    return {
        "bb_upper": middle + 2.0 * sigma,
        "bb_middle": middle,
        "bb_lower": middle - 2.0 * sigma,
        "bb_width": BP * 4.0 * sigma / middle,
        "bb_position": np.where(sigma > 0, 0.5 + (close - middle) / (4.0 * sigma), np.nan),
    }


def atr_14(bars: Bars) -> F64:
    """Wilder's average true range of 14 bars on the rows asked for."""
    long = bars.settled(14)
    return bars.once("atr_14", lambda: long.cut(talib.ATR(long.high, long.low, long.close, 14)))


def average_true_range(bars: Bars) -> dict[str, F64]:
    """Wilder's average true range in price and as a share of the close."""
    return {"atr_14": atr_14(bars), "atr_14_bp": BP * atr_14(bars) / bars.cut(bars.close)}


def momentum(bars: Bars) -> dict[str, F64]:
    """Price differences in price and in average true ranges, and rates of change."""
    close, atr = bars.cut(bars.close), atr_14(bars)
    out = {f"momentum_{n}": close - bars.cut(bars.close, n) for n in (5, 10, 20)}
    out |= {f"momentum_{n}_atr": out[f"momentum_{n}"] / atr for n in (5, 10, 20)}
    return out | {f"roc_{n}": BP * (close / bars.cut(bars.close, n) - 1.0) for n in (5, 10, 12)}


def stochastic(bars: Bars) -> dict[str, F64]:
    """Slow stochastic 14, 3, 3 and Williams %R 14, which is the fast %K minus 100."""
    bars = bars.recent
    lowest = talib.MIN(bars.low, 14)
    span = talib.MAX(bars.high, 14) - lowest
    fast = np.where(span == 0, 50.0, 100.0 * (bars.close - lowest) / span)
    k = [bars.cut(fast, ago) for ago in range(5)]
    slow = [(k[ago] + k[ago + 1] + k[ago + 2]) / 3.0 for ago in range(3)]
    return {"stoch_k": slow[0], "stoch_d": (slow[0] + slow[1] + slow[2]) / 3.0, "williams_r_14": k[0] - 100.0}


def commodity_channel(bars: Bars) -> dict[str, F64]:
    """Commodity channel index of 20 typical prices: distance to their mean over 0.015 mean absolute deviations."""
    bars = bars.recent
    price, average = bars.cut(bars.typical), Sums.of(bars, bars.typical).mean(20)
    deviations, one = np.zeros(len(price)), np.empty(len(price))
    for ago in range(20):
        np.abs(np.subtract(bars.cut(bars.typical, ago), average, out=one), out=one)
        deviations += one
    mean_deviation = deviations / 20.0
    # Of equal prices the mean differs by rounding; one rounding error over another is no index.
    return {"cci_20": np.where(mean_deviation <= 1e-12 * price, 0.0, (price - average) / (0.015 * mean_deviation))}


def directional(bars: Bars) -> dict[str, F64]:
    """Wilder's directional movement system, 14 bars."""
    long = bars.settled(14)
    hlc = (long.high, long.low, long.close)
    adx = np.clip(long.cut(talib.ADX(*hlc, 14)), 0.0, 100.0)
    spread = np.clip(long.cut(talib.PLUS_DI(*hlc, 14)) - long.cut(talib.MINUS_DI(*hlc, 14)), -100.0, 100.0)
    return {"adx_14": adx, "di_spread_14": spread, "rsi_14_x_adx_14": (_rsi(bars, 14) - 50.0) * adx / 100.0}


def money_flow(bars: Bars) -> dict[str, F64]:
    """Money flow index, 14 bars. TA-Lib's own answers 0 for flows under 1, so it is summed here."""
    bars = bars.recent
    if not bars.has_volume:
        return {"mfi_14": bars.nothing()}
    before = lag(bars.typical, 1)
    flow = bars.typical * bars.volume
    moved = flow * (bars.typical != before)
    rising, either = (Sums.of(bars, x, start=1).total(14) for x in (flow * (bars.typical > before), moved))
    return {"mfi_14": 100.0 * share(rising, either, any_positive(bars, "flow", moved, 14))}
