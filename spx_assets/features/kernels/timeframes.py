"""Kernels of the family `timeframes`: higher bars built inside the history, and days from `silver.daily_bars`.

Belongs here: aggregation to completed bars and indicators on them. Does not: indicators of the one-minute bars.

A higher bar counts from the first one-minute bar that ends at or after its end: its last minute, or, where that did not
trade, the next bar that did. A day counts from the day after.
"""

import numpy as np
import talib

from spx_assets.features.bars import F64, I64, Bars, DailyBars
from spx_assets.features.definitions.timeframes import DAILY_DAYS, INTRADAY
from spx_assets.features.kernels.rolling import BP, lag

_DAILY = ("return_1d", "return_5d", "rsi_14_1d", "sma_20", "sma_200", "atr_14_bp_1d", "high", "low")


def intraday(bars: Bars) -> dict[str, F64]:
    """Indicators of 5 m, 15 m and 1 h bars, each made from the shorter ones."""
    out: dict[str, F64] = {}
    minute, high, low, close = bars.minute, bars.high, bars.low, bars.close
    position = np.arange(bars.first, len(bars))  # of each row asked for among the bars below
    for name, minutes in INTRADAY.items():
        group = np.floor(minute / minutes)
        new = np.empty(len(group), dtype=np.bool_)
        new[0] = True
        np.not_equal(group[1:], group[:-1], out=new[1:])
        starts = np.flatnonzero(new)
        high, low = np.maximum.reduceat(high, starts), np.minimum.reduceat(low, starts)
        close = close[np.append(starts[1:], len(close)) - 1]
        minute = minutes * group[starts]
        position = (np.cumsum(new) - 1)[position]
        # A row ends a minute after its start; the higher bar it stands in is complete if that is the bar's end.
        open_ = bars.cut(bars.minute) + 1 < minute[position] + minutes
        out |= _indicators(bars, name, high, low, close, position - open_)
    return out


def _indicators(bars: Bars, name: str, high: F64, low: F64, close: F64, last: I64) -> dict[str, F64]:
    """Indicators of higher bars at the last complete one of each row asked for; -1 for none."""

    def at_rows(values: F64) -> F64:
        return np.append(values, np.nan)[last]

    return {
        f"return_{name}": at_rows(BP * (close / lag(close, 1) - 1.0)),
        f"rsi_14_{name}": at_rows(_rsi(close)),
        f"sma_distance_20_{name}": BP * (bars.cut(bars.close) / at_rows(talib.SMA(close, 20)) - 1.0),
        f"atr_14_bp_{name}": at_rows(BP * talib.ATR(high, low, close, 14) / close),
    }


def _rsi(close: F64) -> F64:
    """Wilder's RSI of 14; 50 while nothing has moved, where TA-Lib says 0."""
    values = np.minimum(talib.RSI(close, 14), 100.0)
    return np.where(np.maximum.accumulate(close != close[0]) | np.isnan(values), values, 50.0)


def daily(bars: Bars, days: DailyBars) -> dict[str, F64]:
    """Indicators of the 250 calendar trading days before each row's own day."""
    rows = {key: bars.nothing() for key in _DAILY}
    for day, a, b in bars.days:
        if b <= bars.first:
            continue
        if day not in days.memo:
            days.memo[day] = _on(days.before(day, DAILY_DAYS))
        for key, value in days.memo[day].items():
            rows[key][max(a - bars.first, 0) : b - bars.first] = value
    close = bars.cut(bars.close)
    return {
        **{name: rows[name] for name in ("return_1d", "return_5d", "rsi_14_1d", "atr_14_bp_1d")},
        "sma_distance_20_1d": BP * (close / rows["sma_20"] - 1.0),
        "sma_distance_200_1d": BP * (close / rows["sma_200"] - 1.0),
        "previous_high_distance_1d": BP * (rows["high"] / close - 1.0),
        "previous_low_distance_1d": BP * (close / rows["low"] - 1.0),
    }


def _on(past: DailyBars) -> dict[str, float]:
    close, known = past.close, len(past.close)
    if known == 0:
        return dict.fromkeys(_DAILY, np.nan)
    values = (
        BP * (close[-1] / close[-2] - 1.0) if known > 1 else np.nan,
        BP * (close[-1] / close[-6] - 1.0) if known > 5 else np.nan,
        _rsi(close)[-1] if known > 14 else np.nan,
        close[-20:].sum() / 20 if known >= 20 else np.nan,
        close[-200:].sum() / 200 if known >= 200 else np.nan,
        BP * talib.ATR(past.high, past.low, close, 14)[-1] / close[-1] if known > 14 else np.nan,
        past.high[-1],
        past.low[-1],
    )
    return {key: float(value) for key, value in zip(_DAILY, values, strict=True)}
