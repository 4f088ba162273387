"""Kernels of the family `timeframes`: higher bars built inside the history, and days from `silver.daily_bars`.

Belongs here: aggregation to completed bars and indicators on them. Does not: indicators of the one-minute bars.

A higher bar counts from the first one-minute bar that ends at or after its end: its last minute, or, where that did not
trade, the next bar that did. A day counts from the day after.
"""

from dataclasses import dataclass

import numpy as np
import talib

from spx_assets.features.bars import F64, I64, Bars, DailyBars
from spx_assets.features.definitions.timeframes import DAILY_DAYS, INTRADAY
from spx_assets.features.kernels.rolling import BP, lag

_DAILY = ("return_1d", "return_5d", "rsi_14_1d", "sma_20", "sma_200", "atr_14_bp_1d", "high", "low")


@dataclass(frozen=True, eq=False)
class Higher:
    """Higher bars of a history: first row, first minute, high, low, close."""

    start: I64
    minute: F64
    high: F64
    low: F64
    close: F64

    @classmethod
    def of(cls, bars: Bars) -> "dict[str, Higher]":
        """All of `INTRADAY`, each made from the shorter ones."""
        made: dict[str, Higher] = {}
        lower = Higher(np.arange(len(bars)), bars.minute, bars.high, bars.low, bars.close)
        for name, minutes in INTRADAY.items():
            group = np.floor(lower.minute / minutes)
            new = np.empty(len(group), dtype=np.bool_)
            new[0] = True
            np.not_equal(group[1:], group[:-1], out=new[1:])
            starts = np.flatnonzero(new)
            lower = made[name] = Higher(
                lower.start[starts],
                minutes * group[starts],
                np.maximum.reduceat(lower.high, starts),
                np.minimum.reduceat(lower.low, starts),
                lower.close[np.append(starts[1:], len(group)) - 1],
            )
        return made

    def within(self, start: int, stop: int) -> "Higher | None":
        """Those of the rows [start, stop); None where one of them reaches over an edge."""
        a, b = np.searchsorted(self.start, (start, stop)).tolist()
        if a == len(self.start) or self.start[a] != start or (b < len(self.start) and self.start[b] != stop):
            return None
        part = slice(a, b)
        return Higher(self.start[part] - start, self.minute[part], self.high[part], self.low[part], self.close[part])

    def positions(self, first: int, stop: int) -> I64:
        """The higher bar that each of the rows [first, stop) stands in; `stop` ends the history."""
        a = int(np.searchsorted(self.start, first, side="right")) - 1
        edges = np.append(self.start[a:], stop)
        edges[0] = first
        return np.repeat(np.arange(a, len(self.start)), edges[1:] - edges[:-1])


def _higher(bars: Bars) -> dict[str, Higher]:
    """Made once for a range of days: a trading day begins and ends with an hour."""
    if bars.whole is not None:
        whole = bars.whole
        parts = {
            name: higher.within(bars.offset, bars.offset + len(bars))
            for name, higher in whole.once("higher", lambda: Higher.of(whole)).items()
        }
        inside = {name: part for name, part in parts.items() if part is not None}
        if len(inside) == len(parts):
            return inside
    return Higher.of(bars)


def intraday(bars: Bars) -> dict[str, F64]:
    """Indicators of 5 m, 15 m and 1 h bars."""
    out: dict[str, F64] = {}
    ended = bars.cut(bars.minute) + 1
    for name, higher in _higher(bars).items():
        position = higher.positions(bars.first, len(bars))
        # A row ends a minute after its start; the higher bar it stands in is complete if that is the bar's end.
        open_ = ended < higher.minute[position] + INTRADAY[name]
        out |= _indicators(bars, name, higher.high, higher.low, higher.close, position - open_)
    return out


def _indicators(bars: Bars, name: str, high: F64, low: F64, close: F64, last: I64) -> dict[str, F64]:
    """Indicators of higher bars at the last complete one of each row asked for; -1 for none."""

    unknown = last < 0 if last[0] < 0 else None

    def at_rows(values: F64) -> F64:
        found = values[last]
        if unknown is not None:
            found[unknown] = np.nan
        return found

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
    if bars.day not in days.memo:
        days.memo[bars.day] = _on(days.before(bars.day, DAILY_DAYS))
    known, close = days.memo[bars.day], bars.cut(bars.close)
    return {
        **{name: bars.always(known[name]) for name in ("return_1d", "return_5d", "rsi_14_1d", "atr_14_bp_1d")},
        "sma_distance_20_1d": BP * (close / known["sma_20"] - 1.0),
        "sma_distance_200_1d": BP * (close / known["sma_200"] - 1.0),
        "previous_high_distance_1d": BP * (known["high"] / close - 1.0),
        "previous_low_distance_1d": BP * (close / known["low"] - 1.0),
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
