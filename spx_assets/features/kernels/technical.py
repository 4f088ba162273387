"""Kernels of the family `technical`: TA-Lib's indicators with their degenerate cases made honest.

Belongs here: textbook indicators and their stationary forms. Does not: volatility estimators, volume beyond the MFI.

TA-Lib answers 0 where nothing moved: RSI 0 reads as oversold, %R 0 as the high. Here a flat range is the middle.
"""

import numpy as np

from spx_assets.features.bars import F64, Bars
from spx_assets.features.definitions.technical import EMA_DISTANCES, PERIODS, SMA_DISTANCES
from spx_assets.features.kernels import indicators as ta
from spx_assets.features.kernels.rolling import BP, only_where, views
from spx_assets.features.kernels.summed import HOUR, LONG, totals

NO_MEMORY = 1.0  # of a window whose running sum begins anew each day


def sma(bars: Bars, period: int) -> F64:
    """Simple moving average of closes on the rows asked for."""
    return bars.once(f"sma_{period}", lambda: totals(bars, LONG, "closes").mean("close", period))


def ema(bars: Bars, period: int) -> F64:
    """Exponential moving average of closes, seeded with the simple one, on the rows asked for."""

    def make() -> F64:
        return bars.recursive((period + 1) / 2, lambda close: ta.EMA(close, period), bars.close)

    return bars.once(f"ema_{period}", make)


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
    weighted = bars.recursive(NO_MEMORY, lambda close: ta.WMA(close, 60), bars.close)
    out["trend_slope_60"] = BP * 6.0 / 59.0 * (weighted - sma(bars, 60)) / close
    return out


def _rsi(bars: Bars, period: int) -> F64:
    def make() -> F64:
        values = np.minimum(bars.recursive(period, lambda close: ta.RSI(close, period), bars.close), 100.0)
        zero = values == 0.0
        if zero.any():
            moved = totals(bars, HOUR, "returns").total("size", period)
            values[zero & ~(moved > 0)] = 50.0
        return values

    return bars.once(f"rsi_{period}", make)


def rsi(bars: Bars) -> dict[str, F64]:
    """Wilder's relative strength index; 50 where nothing moved."""
    return {f"rsi_{n}": _rsi(bars, n) for n in (14, 20, 30)}


def macd(bars: Bars) -> dict[str, F64]:
    """MACD 12, 26, 9 in price and as a share of the close."""
    prices = bars.recursive(13.5, lambda close: ta.MACD(close, 12, 26, 9), bars.close)
    shares = prices * (BP / bars.cut(bars.close))
    names = ("macd", "macd_signal", "macd_histogram")
    return dict(zip(names, prices, strict=True)) | {f"{name}_bp": values for name, values in zip(names, shares, strict=True)}


def bollinger(bars: Bars) -> dict[str, F64]:
    """Bands of two population standard deviations around the mean of 20 closes."""
    middle, close = sma(bars, 20), bars.cut(bars.close)
    sigma = np.sqrt(totals(bars, LONG, "closes").squared_deviations("close", 20) / 20.0)
    return {
        "bb_upper": middle + 2.0 * sigma,
        "bb_middle": middle,
        "bb_lower": middle - 2.0 * sigma,
        "bb_width": BP * 4.0 * sigma / middle,
        "bb_position": only_where(sigma > 0, 0.5 + (close - middle) / (4.0 * sigma)),
    }


def atr_14(bars: Bars) -> F64:
    """Wilder's average true range of 14 bars on the rows asked for."""

    def make() -> F64:
        return bars.recursive(14.0, lambda *hlc: ta.ATR(*hlc, 14), bars.high, bars.low, bars.close)

    return bars.once("atr_14", make)


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
    lowest = ta.MIN(bars.low, 14)
    span = ta.MAX(bars.high, 14) - lowest
    fast = 100.0 * (bars.close - lowest) / span
    fast[span == 0] = 50.0
    slow = _mean_of_three(bars.reaching(4, fast))
    return {"stoch_k": slow[2:], "stoch_d": _mean_of_three(slow), "williams_r_14": bars.cut(fast) - 100.0}


def _mean_of_three(values: F64) -> F64:
    """From the third value on."""
    return np.asarray((values[:-2] + (values[1:-1] + values[2:])) / 3.0)


def commodity_channel(bars: Bars) -> dict[str, F64]:
    """Commodity channel index of 20 typical prices: distance to their mean over 0.015 mean absolute deviations."""
    bars = bars.recent
    price, average = bars.cut(bars.typical), totals(bars, HOUR, "typical").mean("typical", 20)
    past = views(bars.reaching(19, bars.typical), bars.asked, count=20)
    # Five columns at a time: numpy would add the rows of one column in another order than those of many.
    a, b, c, d = (np.abs(past[at : at + 5] - average) for at in range(0, 20, 5))
    fives = (a + b) + (c + d)
    mean_deviation = (fives[0] + fives[1] + fives[2] + fives[3] + fives[4]) / 20.0
    # Of equal prices the mean differs by rounding; one rounding error over another is no index.
    index = (price - average) / (0.015 * mean_deviation)
    index[mean_deviation <= 1e-12 * price] = 0.0
    return {"cci_20": index}


def directional(bars: Bars) -> dict[str, F64]:
    """Wilder's directional movement system, 14 bars."""

    def system(*hlc: F64) -> tuple[F64, F64, F64]:
        return ta.ADX(*hlc, 14), ta.PLUS_DI(*hlc, 14), ta.MINUS_DI(*hlc, 14)

    index, plus, minus = bars.recursive(14.0, system, bars.high, bars.low, bars.close)
    adx = np.minimum(np.maximum(index, 0.0), 100.0)
    spread = np.minimum(np.maximum(plus - minus, -100.0), 100.0)
    return {"adx_14": adx, "di_spread_14": spread, "rsi_14_x_adx_14": (_rsi(bars, 14) - 50.0) * adx / 100.0}


def money_flow(bars: Bars) -> dict[str, F64]:
    """Money flow index, 14 bars; null where no volume moved the price. TA-Lib's answers 0 for flows under 1."""
    bars = bars.recent
    if not bars.has_volume:
        return {"mfi_14": bars.always(np.nan)}
    sums = totals(bars, HOUR, "money")
    return {"mfi_14": 100.0 * (sums.total("rising", 14) / sums.total("moved", 14))}
