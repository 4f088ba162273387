"""Columns derived from a bar and its neighbour, made once for a history.

Belongs here: what depends on at most one row before. Does not: windows (`kernels.rolling`), indicators.
"""

from functools import cached_property

import numpy as np
import numpy.typing as npt

from spx_assets.features.market_time import MINUTE_US

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]


def after(bars_back: int, values: F64) -> F64:
    """`values` of all rows but the first `bars_back`, which are NaN."""
    out = np.empty(len(values) + bars_back)
    out[:bars_back] = np.nan
    out[bars_back:] = values
    return out


def log_returns(close: F64) -> F64:
    """1e4 * ln(close / close of the bar before); the first is NaN."""
    log_close = 1e4 * np.log(close)
    return after(1, log_close[1:] - log_close[:-1])


class Columns:
    """The columns a history has besides its own. Log prices are in basis points: TA-Lib takes variances under 1e-14 for 0."""

    ts: I64
    open: F64
    high: F64
    low: F64
    close: F64

    def __len__(self) -> int:
        return len(self.ts)

    @cached_property
    def minute(self) -> I64:
        """Minutes since 1970."""
        return self.ts // MINUTE_US

    @cached_property
    def log_close(self) -> F64:
        """1e4 * ln(close)."""
        return np.asarray(1e4 * np.log(self.close))

    @cached_property
    def log_open(self) -> F64:
        """1e4 * ln(open)."""
        return np.asarray(1e4 * np.log(self.open))

    @cached_property
    def log_range_squared(self) -> F64:
        """The square of 1e4 * ln(high / low)."""
        return np.square(1e4 * np.log(self.high / self.low))

    @cached_property
    def span(self) -> F64:
        """high - low."""
        return self.high - self.low

    @cached_property
    def typical(self) -> F64:
        """(high + low + close) / 3."""
        return np.asarray((self.high + self.low + self.close) / 3.0)

    @cached_property
    def log_return(self) -> F64:
        """1e4 * ln(close / close of the bar before)."""
        return after(1, self.log_close[1:] - self.log_close[:-1])

    @cached_property
    def return_size(self) -> F64:
        """Log return without its sign."""
        return np.abs(self.log_return)

    @cached_property
    def return_before(self) -> F64:
        """Log return of the bar before."""
        return after(1, self.log_return[:-1])
