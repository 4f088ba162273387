"""Kernels of the family `calendar`: where in the market's day and week a bar stands.

Belongs here: functions of the bar's time. Does not: holidays, or anything of price.
"""

import numpy as np

from spx_assets.features.bars import F64, I64, Bars
from spx_assets.features.market_time import MINUTE_US, MINUTES_A_DAY, open_of

_OPEN = 17 * 60
# Look-up tables: a sine costs 20 times an index, and a minute has the same sine on every day.
_TURN = 2.0 * np.pi / MINUTES_A_DAY * np.arange(MINUTES_A_DAY)
_SIN, _COS = np.sin(_TURN), np.cos(_TURN)
_WEEK = 2.0 * np.pi / 5.0 * np.arange(5)

_THREE, _HALF_PAST_NINE, _SIXTEEN = 3 * 60, 9 * 60 + 30, 16 * 60
_MINUTES = np.arange(MINUTES_A_DAY)
_ASIA = ((_MINUTES >= _OPEN) | (_MINUTES < _THREE)).astype(np.float64)
_EUROPE = ((_MINUTES >= _THREE) & (_MINUTES < _HALF_PAST_NINE)).astype(np.float64)
_US = ((_MINUTES >= _HALF_PAST_NINE) & (_MINUTES < _SIXTEEN)).astype(np.float64)


def _minute_of_trading_day(bars: Bars) -> F64:
    """Minutes since 17:00 New York. No clock change falls inside a trading day, so no row needs the time zone."""
    opened = open_of(bars.day) / MINUTE_US
    return bars.once("minute_of_trading_day", lambda: np.minimum(bars.cut(bars.minute) - opened, MINUTES_A_DAY - 1))


def _minute(bars: Bars) -> I64:
    return bars.once("minute_of_day", lambda: ((_minute_of_trading_day(bars) + _OPEN) % MINUTES_A_DAY).astype(np.int64))


def clock(bars: Bars) -> dict[str, F64]:
    """Minute of the New York day and weekday of the trading day."""
    return {"minute_of_day": _minute(bars).astype(np.float64), "day_of_week": bars.always(float(bars.day.weekday()))}


def cycles(bars: Bars) -> dict[str, F64]:
    """Time of day and weekday on circles, so that 23:59 lies beside 00:00."""
    minute, turn = _minute(bars), _WEEK[bars.day.weekday()]
    return {
        "time_of_day_sin": _SIN[minute],
        "time_of_day_cos": _COS[minute],
        "day_of_week_sin": bars.always(float(np.sin(turn))),
        "day_of_week_cos": bars.always(float(np.cos(turn))),
    }


def sessions(bars: Bars) -> dict[str, F64]:
    """Flags of the three sessions, and the time left in the trading day."""
    minute = _minute(bars)
    return {
        "session_asia": _ASIA[minute],
        "session_europe": _EUROPE[minute],
        "session_us": _US[minute],
        "minutes_to_day_end": MINUTES_A_DAY - _minute_of_trading_day(bars),
    }
