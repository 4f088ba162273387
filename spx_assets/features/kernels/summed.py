"""Columns whose windows kernels sum, by name, and the sums of them.

Belongs here: columns made of a bar and its neighbour, and which of them are summed together. Does not: adding (`rolling`), what
kernels make of the sums.

A batch asks for thousands of rows, and each group of columns is summed for its own kernels. Of one vector every call of numpy
costs more than its work, and all groups together as much as one: 25 columns x 61 rows are 12 KB. Sums are the same to the bit.
"""

from collections.abc import Callable, Mapping
from functools import cache

import numpy as np

from spx_assets.features.bars import F64, Bars
from spx_assets.features.kernels.rolling import BP, Totals, lag, only_where

HOUR, LONG = 60, 300
"""Rows before the first one asked for that the sums reach back to."""
FEW = 64
"""So many rows asked for are a vector, or those a sequence model takes."""


def _corwin_schultz(bars: Bars) -> F64:
    """Corwin and Schultz (2012), equations 14 and 18, of each bar with the one before, in basis points."""
    squared = bars.log_range_squared
    highest, lowest = np.maximum(bars.high, lag(bars.high, 1)), np.minimum(bars.low, lag(bars.low, 1))
    c = 3.0 - 2.0 * np.sqrt(2.0)
    alpha = ((np.sqrt(2.0) - 1.0) / c) * np.sqrt(squared + lag(squared, 1)) - (BP / np.sqrt(c)) * np.log(highest / lowest)
    # 2 (e^a - 1) / (e^a + 1) is a (1 - a^2 / 12) to 1e-9 of its value at the few basis points a minute has.
    return np.asarray(np.maximum(alpha * (1.0 - np.square(alpha / BP) / 12.0), 0.0))


def _wicks(bars: Bars) -> F64:
    """Lower less upper wick."""
    lower = np.minimum(bars.open, bars.close) - bars.low
    return np.asarray(lower - (bars.high - np.maximum(bars.open, bars.close)))


def _drift_free(bars: Bars) -> F64:
    """Rogers and Satchell's products."""
    up, down = BP * np.log(bars.high / bars.open), BP * np.log(bars.low / bars.open)
    return np.asarray(up * (up - _body(bars)) + down * (down - _body(bars)))


def _body(bars: Bars) -> F64:
    return bars.once("body", lambda: np.asarray(bars.log_close - bars.log_open))


def _jump(bars: Bars) -> F64:
    """From the close before to the open."""
    return bars.once("jump", lambda: np.asarray(bars.log_open - lag(bars.log_close, 1)))


def _direction(bars: Bars) -> F64:
    """The tick rule on bars."""
    return bars.once("direction", lambda: np.asarray(np.sign(bars.log_return)))


def _flow(bars: Bars) -> F64:
    return bars.once("flow", lambda: np.asarray(bars.typical * bars.volume))


def _turn(bars: Bars) -> F64:
    """The direction of the typical price."""
    return bars.once("turn", lambda: np.asarray(np.sign(bars.typical - lag(bars.typical, 1))))


def amihud(bars: Bars) -> F64:
    """Amihud (2002): absolute return over volume times price; NaN where nothing was traded."""
    return bars.once("amihud", lambda: np.asarray(bars.return_size / (only_where(bars.volume > 0, bars.volume) * bars.close)))


_COLUMNS: Mapping[str, Callable[[Bars], F64]] = {
    "close": lambda bars: bars.close,
    "typical": lambda bars: bars.typical,
    "r": lambda bars: bars.log_return,
    "square": lambda bars: np.square(bars.log_return),
    "product": lambda bars: bars.log_return * bars.return_before,
    "size": lambda bars: bars.return_size,
    "fall": lambda bars: np.square(np.minimum(bars.log_return, 0.0)),
    "bipower": lambda bars: bars.return_size * lag(bars.return_size, 1),
    "direction": _direction,
    "span": lambda bars: bars.span,
    "squared_range": lambda bars: bars.log_range_squared,
    "drift_free": _drift_free,
    "body": _body,
    "body_square": lambda bars: np.square(_body(bars)),
    "jump": _jump,
    "jump_square": lambda bars: np.square(_jump(bars)),
    "spread": _corwin_schultz,
    "above_low": lambda bars: bars.close - bars.low,
    "wicks": _wicks,
    "volume": lambda bars: bars.volume,
    "volume_square": lambda bars: np.square(bars.volume),
    "signed": lambda bars: _direction(bars) * bars.volume,
    "rising": lambda bars: _flow(bars) * np.maximum(_turn(bars), 0.0),
    "moved": lambda bars: _flow(bars) * np.abs(_turn(bars)),
}
_KNOWN: Mapping[str, Callable[[Bars], F64]] = {"amihud": amihud, "quoted": lambda bars: bars.spread}
"""Columns of which what is NaN counts as nothing: 0 in the sum, and 0 beside 1 in another, `<name>_known`."""
_OF_VOLUME = {"volume", "money", "amihud"}

_GROUPS: Mapping[int, Mapping[str, tuple[str, ...]]] = {
    HOUR: {
        "returns": ("r", "square", "product", "size"),
        "splits": ("fall", "bipower"),
        "ranges": ("span", "squared_range", "drift_free", "body", "body_square", "jump", "jump_square"),
        "pressure": ("r", "product", "spread", "direction", "span", "above_low", "wicks"),
        "typical": ("typical",),
        "volume": ("volume", "volume_square", "signed", "size"),
        "money": ("rising", "moved"),
        "quoted": ("quoted",),
    },
    LONG: {
        "closes": ("close",),
        "moves": ("r", "square"),
        "squared_ranges": ("squared_range",),
        "amihud": ("amihud",),
    },
}


def totals(bars: Bars, reach: int, group: str) -> Totals:
    """Sums of a group's columns over windows of up to `reach` + 1 rows."""
    near = bars.recent
    if near.asked > FEW:
        return near.once(f"totals_{group}", lambda: _made(near, reach, _GROUPS[reach][group]))
    return near.once(f"totals_{reach}", lambda: _made(near, reach, _all(reach, near.has_volume, near.has_spread)))


def means_of_known(bars: Bars, reach: int, name: str, windows: tuple[int, ...]) -> list[F64]:
    """On the rows asked for: means of what is not NaN among the last rows (fewer at the start); NaN where nothing is."""
    sums = totals(bars, reach, name)
    return [sums.total(name, window) / sums.total(f"{name}_known", window) for window in windows]


@cache
def _all(reach: int, volume: bool, spread: bool) -> tuple[str, ...]:
    """The columns of every group that has values."""
    absent = (set() if volume else _OF_VOLUME) | (set() if spread else {"quoted"})
    names = (name for group, names in _GROUPS[reach].items() if group not in absent for name in names)
    return tuple(dict.fromkeys(names))


def _made(bars: Bars, reach: int, names: tuple[str, ...]) -> Totals:
    columns: dict[str, F64] = {}
    for name in names:
        if name in _KNOWN:
            values = bars.reaching(reach, _KNOWN[name](bars))
            known = ~np.isnan(values)
            columns[name], columns[f"{name}_known"] = np.where(known, values, 0.0), known.astype(np.float64)
        else:
            columns[name] = bars.reaching(reach, _COLUMNS[name](bars))
    return Totals(reach, columns, by_row=bars.asked <= FEW)
