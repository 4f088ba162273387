"""Kernels of the family `calendar`: where in the market's day and week a bar stands.

Belongs here: functions of the bar's time. Does not: holidays, or anything of price.
"""

import numpy as np

from spx_assets.features.bars import F64, I64, Bars
from spx_assets.features.market_time import MINUTE_US, MINUTES_A_DAY, open_of

# Look-up tables by minutes since 17:00 New York: a sine costs 20 times an index, and a minute has the same sine on every day.
_MINUTES = np.arange(MINUTES_A_DAY)
_OF_DAY = (_MINUTES + 17 * 60) % MINUTES_A_DAY
_TURN = 2.0 * np.pi / MINUTES_A_DAY * _OF_DAY
_WEEK = 2.0 * np.pi / 5.0 * np.arange(5)
_THREE, _HALF_PAST_NINE, _SIXTEEN, _SEVENTEEN = 3 * 60, 9 * 60 + 30, 16 * 60, 17 * 60
_TABLES = {
    name: np.asarray(values, dtype=np.float64)
    for name, values in {
        "minute_of_day": _OF_DAY,
        "time_of_day_sin": np.sin(_TURN),
        "time_of_day_cos": np.cos(_TURN),
        "session_asia": (_OF_DAY >= _SEVENTEEN) | (_OF_DAY < _THREE),
        "session_europe": (_OF_DAY >= _THREE) & (_OF_DAY < _HALF_PAST_NINE),
        "session_us": (_OF_DAY >= _HALF_PAST_NINE) & (_OF_DAY < _SIXTEEN),
        "minutes_to_day_end": MINUTES_A_DAY - _MINUTES,
    }.items()
}


def _minute(bars: Bars) -> I64:
    """Minutes since 17:00 New York. No clock change falls inside a trading day, so no row needs the time zone."""

    def make() -> I64:
        opened = bars.per_day([open_of(day.date) // MINUTE_US for day in bars.days])
        return np.minimum(bars.minute[bars.first :] - opened.astype(np.int64), MINUTES_A_DAY - 1)

    return bars.once("minute_of_trading_day", make)


def _look_up(bars: Bars, *names: str) -> dict[str, F64]:
    minute = _minute(bars)
    return {name: _TABLES[name][minute] for name in names}


def clock(bars: Bars) -> dict[str, F64]:
    """Minute of the New York day and weekday of the trading day."""
    return _look_up(bars, "minute_of_day") | {"day_of_week": bars.per_day([day.date.weekday() for day in bars.days])}


def cycles(bars: Bars) -> dict[str, F64]:
    """Time of day and weekday on circles, so that 23:59 lies beside 00:00."""
    turns = [_WEEK[day.date.weekday()] for day in bars.days]
    week = {
        "day_of_week_sin": bars.per_day([np.sin(x) for x in turns]),
        "day_of_week_cos": bars.per_day([np.cos(x) for x in turns]),
    }
    return _look_up(bars, "time_of_day_sin", "time_of_day_cos") | week


def sessions(bars: Bars) -> dict[str, F64]:
    """Flags of the three sessions, and the time left in the trading day."""
    return _look_up(bars, "session_asia", "session_europe", "session_us", "minutes_to_day_end")
