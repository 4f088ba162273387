"""Columns derived from a bar and its neighbour, made once for a whole range of days.

Belongs here: what depends on at most one row before. Does not: windows (`kernels.rolling`), indicators.
"""

from collections.abc import Callable
from functools import cached_property

import numpy as np
import numpy.typing as npt

from spx_assets.features.market_time import MINUTE_US

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]


def derived(*, bars_back: int = 0) -> Callable[[Callable[["Columns"], F64]], "cached_property[F64]"]:
    """A column whose row i depends on rows i - bars_back .. i only; the first `bars_back` rows are NaN.

    A window of a longer history takes its part of that one's column, so a batch makes it once and not once a day.
    """

    def decorate(make: Callable[["Columns"], F64]) -> "cached_property[F64]":
        def values(bars: "Columns") -> F64:
            if bars._source is None:
                return make(bars)
            whole: F64 = getattr(bars._source, make.__name__)
            part = whole[bars.offset : bars.offset + len(bars)]
            if bars_back:
                part = part.copy()
                part[:bars_back] = np.nan
            return part

        return cached_property(values)

    return decorate


def after(bars_back: int, values: F64) -> F64:
    """`values` of all rows but the first `bars_back`, which are NaN."""
    out = np.empty(len(values) + bars_back)
    out[:bars_back] = np.nan
    out[bars_back:] = values
    return out


class Columns:
    """The columns a history has besides its own. Log prices are in basis points: TA-Lib takes variances under 1e-14 for 0."""

    ts: I64
    open: F64
    high: F64
    low: F64
    close: F64
    offset: int

    @property
    def _source(self) -> "Columns | None":
        """The longer history this one is a window of."""
        raise NotImplementedError

    def __len__(self) -> int:
        return len(self.ts)

    @derived()
    def minute(self) -> F64:
        """Minutes since 1970; whole numbers."""
        return np.asarray(self.ts / MINUTE_US)

    @derived()
    def log_close(self) -> F64:
        """1e4 * ln(close)."""
        return np.asarray(1e4 * np.log(self.close))

    @derived()
    def log_range(self) -> F64:
        """1e4 * ln(high / low)."""
        return np.asarray(1e4 * np.log(self.high / self.low))

    @derived()
    def span(self) -> F64:
        """high - low."""
        return self.high - self.low

    @derived()
    def log_open(self) -> F64:
        """1e4 * ln(open)."""
        return np.asarray(1e4 * np.log(self.open))

    @derived()
    def up(self) -> F64:
        """1e4 * ln(high / open)."""
        return np.asarray(1e4 * np.log(self.high / self.open))

    @derived()
    def down(self) -> F64:
        """1e4 * ln(low / open)."""
        return np.asarray(1e4 * np.log(self.low / self.open))

    @derived()
    def above_low(self) -> F64:
        """close - low."""
        return self.close - self.low

    @derived()
    def wicks(self) -> F64:
        """Lower wick minus upper wick."""
        lower, upper = np.minimum(self.open, self.close) - self.low, self.high - np.maximum(self.open, self.close)
        return np.asarray(lower - upper)

    @derived()
    def typical(self) -> F64:
        """(high + low + close) / 3."""
        return np.asarray((self.high + self.low + self.close) / 3.0)

    @derived(bars_back=1)
    def log_return(self) -> F64:
        """1e4 * ln(close / close of the bar before)."""
        return after(1, self.log_close[1:] - self.log_close[:-1])

    @derived(bars_back=1)
    def log_jump(self) -> F64:
        """1e4 * ln(open / close of the bar before)."""
        return after(1, self.log_open[1:] - self.log_close[:-1])

    @derived(bars_back=1)
    def log_range_of_two(self) -> F64:
        """1e4 * ln(highest / lowest) of the bar and the one before."""
        highest, lowest = np.maximum(self.high[1:], self.high[:-1]), np.minimum(self.low[1:], self.low[:-1])
        return after(1, 1e4 * np.log(highest / lowest))
