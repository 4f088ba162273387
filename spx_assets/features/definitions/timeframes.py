"""Declarations of the family `timeframes`: 5 m, 15 m, 1 h and daily bars, completed ones only."""

from spx_assets.features.feature import BP, Feature, declare

_f = declare("timeframes")

INTRADAY = {"5m": 5, "15m": 15, "1h": 60}
DAILY_DAYS = 250


def _intraday(tf: str, minutes: int) -> tuple[Feature, ...]:
    def last(bar: int) -> int:
        return minutes * (bar + 1) - 1  # row that completes the higher bar `bar`, from 0

    return (
        _f(f"return_{tf}", "intraday", "close", last(1), BP, -1e4, None, f"Close to close return of the last completed {tf} bar"),
        _f(f"rsi_14_{tf}", "intraday", "close", last(14), "", 0, 100, f"rsi_14 of completed {tf} bars"),
        _f(f"sma_distance_20_{tf}", "intraday", "close", last(19), BP, None, None,
           f"Close against the mean of 20 completed {tf} closes"),
        _f(f"atr_14_bp_{tf}", "intraday", "high low close", last(14), BP, 0, None, f"atr_14_bp of completed {tf} bars"),
    )


_DAILY = "daily_bars.close"
_DAILY_HLC = "daily_bars.high daily_bars.low daily_bars.close"

FEATURES = (
    *(feature for tf, minutes in INTRADAY.items() for feature in _intraday(tf, minutes)),
    _f("return_1d", "daily", _DAILY, 0, BP, -1e4, None, "Close to close return of the last completed day"),
    _f("return_5d", "daily", _DAILY, 0, BP, -1e4, None, "Return of the last 5 completed days"),
    _f("rsi_14_1d", "daily", _DAILY, 0, "", 0, 100, "rsi_14 of completed days, from 250 calendar trading days"),
    _f("sma_distance_20_1d", "daily", f"close {_DAILY}", 0, BP, None, None, "Close against the mean of 20 completed days"),
    _f("sma_distance_200_1d", "daily", f"close {_DAILY}", 0, BP, None, None, "Close against the mean of 200 completed days"),
    _f("atr_14_bp_1d", "daily", _DAILY_HLC, 0, BP, 0, None, "atr_14_bp of completed days, from 250 calendar trading days"),
    _f("previous_high_distance_1d", "daily", "close daily_bars.high", 0, BP, None, None,
       "High of the last completed day against the close"),
    _f("previous_low_distance_1d", "daily", "close daily_bars.low", 0, BP, None, None,
       "Close against the low of the last completed day"),
)
