"""TA-Lib's functions for arrays of float64, as its C extension has them.

Belongs here: the functions the kernels use. Does not: arithmetic.

`talib.RSI` looks at every argument for a series of polars or pandas first. That takes 5 us; the indicator itself takes 6 for a
day of bars.
"""

from collections.abc import Callable
from inspect import unwrap
from typing import Any

import talib

Indicator = Callable[..., Any]

ADX: Indicator = unwrap(talib.ADX)
ATR: Indicator = unwrap(talib.ATR)
EMA: Indicator = unwrap(talib.EMA)
MACD: Indicator = unwrap(talib.MACD)
MAX: Indicator = unwrap(talib.MAX)
MIN: Indicator = unwrap(talib.MIN)
MINUS_DI: Indicator = unwrap(talib.MINUS_DI)
PLUS_DI: Indicator = unwrap(talib.PLUS_DI)
RSI: Indicator = unwrap(talib.RSI)
WMA: Indicator = unwrap(talib.WMA)
