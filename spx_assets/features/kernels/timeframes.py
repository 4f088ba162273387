"""Kernels of the family `timeframes`: higher bars built inside the history, and days from `silver.daily_bars`.

Belongs here: aggregation to completed bars and indicators on them. Does not: indicators of the one-minute bars.

A higher bar counts from the first one-minute bar that ends at or after its end: its last minute, or, where that did not
trade, the next bar that did. A day counts from the day after.
"""

from dataclasses import dataclass
from threading import Lock

import numpy as np
import xxhash

from spx_assets.features.bars import F64, I64, Bars, DailyBars
from spx_assets.features.columns import after
from spx_assets.features.days import Day
from spx_assets.features.definitions.timeframes import DAILY_DAYS, INTRADAY
from spx_assets.features.kernels import indicators as ta
from spx_assets.features.kernels.rolling import BP, Totals

_SHORTEST = min(INTRADAY.values())
_REMEMBERED = 64
"""Histories, of as many instruments, whose completed higher bars are remembered: 0.5 KB each."""
_DAILY = ("return_1d", "return_5d", "rsi_14_1d", "sma_20", "sma_200", "atr_14_bp_1d", "high", "low")


@dataclass(frozen=True, eq=False)
class Higher:
    """Higher bars of a history, those in which something traded. A trading day begins and ends with an hour.

    `minutes` is their length, `base` the minute at which the first hour of the history begins, `number[k]` how many such
    stretches of time lie between it and bar k.
    """

    minutes: int
    base: int
    number: I64
    high: F64
    low: F64
    close: F64

    @classmethod
    def of(cls, bars: Bars) -> "dict[str, Higher]":
        """All of `INTRADAY`, each made from the shorter ones."""
        base = int(bars.minute[0]) // 60 * 60
        longer, made = cls(1, base, bars.minute - base, bars.high, bars.low, bars.close), {}
        for name, minutes in INTRADAY.items():
            longer = made[name] = longer.put_together(minutes)
        return made

    def put_together(self, minutes: int) -> "Higher":
        """Bars of a multiple of the length."""
        number = self.number // (minutes // self.minutes)
        ends = np.flatnonzero(number[1:] != number[:-1])
        first, last = np.concatenate(([0], ends + 1)), np.concatenate((ends, [len(number) - 1]))
        high, low = np.maximum.reduceat(self.high, first), np.minimum.reduceat(self.low, first)
        return Higher(minutes, self.base, number[first], high, low, self.close[last])

    def ended_by(self, minute: I64 | int) -> I64:
        """How many have ended when `minute` begins."""
        return np.asarray(np.searchsorted(self.number, (minute - self.base) // self.minutes))

    def of_day(self, bars: Bars, day: Day) -> slice:
        """Those of a day's history."""
        first, last = int(bars.minute[day.start]), int(bars.minute[day.stop - 1])
        return slice(int(self.ended_by(first)), int(self.ended_by(last + self.minutes)))


def intraday(bars: Bars) -> dict[str, F64]:
    """Indicators of 5 m, 15 m and 1 h bars."""
    close = bars.cut(bars.close)
    out: dict[str, F64] = {}
    for name, (change, rsi, atr, mean) in (_remembered(bars) if bars.asked == 1 else _completed(bars)).items():
        out |= {f"return_{name}": change, f"rsi_14_{name}": rsi, f"atr_14_bp_{name}": atr}
        out[f"sma_distance_20_{name}"] = BP * (close / mean - 1.0)
    return out


Indicators = tuple[F64, F64, F64, F64]
"""On the rows asked for: return, RSI, ATR in basis points, and mean of 20 closes of the higher bars completed by each."""
_kept: dict[bytes, dict[str, Indicators]] = {}
_keeping = Lock()


def _remembered(bars: Bars) -> dict[str, Indicators]:
    """`_completed` of one row, kept for the bars after it that complete no further higher bar: four of five.

    By what they are made of: a digest of every bar that had ended when the last higher bar was complete takes 20 us, the
    indicators 500.
    """
    complete = (int(bars.minute[-1]) + 1) // _SHORTEST * _SHORTEST
    rows = int(np.searchsorted(bars.minute, complete))
    digest = xxhash.xxh3_128(complete.to_bytes(8, "big"))
    for column in (bars.ts, bars.high, bars.low, bars.close):
        digest.update(column[:rows].data)
    key = digest.digest()
    with _keeping:
        made = _kept.get(key)
    if made is None:
        made = _completed(bars)
        with _keeping:
            _kept[key] = made
            while len(_kept) > _REMEMBERED:
                del _kept[next(iter(_kept))]
    return made


def _completed(bars: Bars) -> dict[str, Indicators]:
    made: dict[str, Indicators] = {}
    # A row ends a minute after its start. -1 where no higher bar is complete.
    end = bars.minute[bars.first :] + 1
    for name, higher in Higher.of(bars).items():
        last = higher.ended_by(end) - 1
        recursive = [_recursive(higher, higher.of_day(bars, day), last[bars.rows(day)]) for day in bars.days]
        # Windows of 20 need no more; an online row has thousands of higher bars and asks for one.
        begin = max(int(last[0]) - 20, 0)
        closes, here = after(20, higher.close[begin:]), last - begin
        change = _at(here, BP * (closes[20:] / closes[19:-1] - 1.0))
        rsi, atr = recursive[0] if len(recursive) == 1 else (np.concatenate(parts) for parts in zip(*recursive, strict=True))
        made[name] = (change, rsi, atr, _at(here, Totals(20, {"close": closes}).mean("close", 20)))
    return made


def _recursive(higher: Higher, own: slice, last: I64) -> tuple[F64, F64]:
    """RSI and ATR (in basis points of the close) of the higher bars of a day's history."""
    high, low, close = higher.high[own], higher.low[own], higher.close[own]
    here = last - own.start
    return _at(here, _rsi(close)), BP * _at(here, ta.ATR(high, low, close, 14)) / close[here]


def _at(last: I64, values: F64) -> F64:
    """Values of higher bars at `last`; NaN for -1."""
    found = values[last]
    if last[0] < 0:
        found[last < 0] = np.nan
    return found


def _rsi(close: F64) -> F64:
    """Wilder's RSI of 14; 50 while nothing has moved, where TA-Lib says 0."""
    values: F64 = np.minimum(ta.RSI(close, 14), 100.0)
    zero = values == 0.0
    if zero.any():
        values[zero & ~np.maximum.accumulate(close != close[0])] = 50.0
    return values


def daily(bars: Bars, days: DailyBars) -> dict[str, F64]:
    """Indicators of the 250 calendar trading days before each row's own day."""
    for day in bars.days:
        if day.date not in days.memo:
            days.memo[day.date] = _on(days.before(day.date, DAILY_DAYS))
    known, close = [days.memo[day.date] for day in bars.days], bars.cut(bars.close)
    at = {name: bars.per_day([values[name] for values in known]) for name in _DAILY}
    return {
        **{name: at[name] for name in ("return_1d", "return_5d", "rsi_14_1d", "atr_14_bp_1d")},
        "sma_distance_20_1d": BP * (close / at["sma_20"] - 1.0),
        "sma_distance_200_1d": BP * (close / at["sma_200"] - 1.0),
        "previous_high_distance_1d": BP * (at["high"] / close - 1.0),
        "previous_low_distance_1d": BP * (close / at["low"] - 1.0),
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
        BP * ta.ATR(past.high, past.low, close, 14)[-1] / close[-1] if known > 14 else np.nan,
        past.high[-1],
        past.low[-1],
    )
    return {key: float(value) for key, value in zip(_DAILY, values, strict=True)}
