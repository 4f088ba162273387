"""Causal building blocks: lags, windows and ratios that several families share.

Belongs here: functions from arrays to arrays. Does not: anything a seed or a textbook calls an indicator.

The sum of a window is added from sums of shorter ones: 60 bars are 30 and 30, 15 are 10 and 5. Each costs one addition of
whole columns (1 ns a row), shared by all longer windows, and a value depends on its own window's rows and on nothing else: not
on where the history begins, nor on which rows are asked for. No rounding comes in from outside the window, so a window of
zeros sums to 0, and a sum of parts is never above the sum of their wholes. TA-Lib is left to what is recursive.
"""

from functools import cache

import numpy as np
import numpy.typing as npt

from spx_assets.features.bars import F64, Bars
from spx_assets.features.columns import after

BP = 1e4


@cache
def _parts(window: int) -> tuple[tuple[int, int, int], ...]:
    """(window, newer part, older part) of it and of all its parts, the shortest first; lengths in use share their parts."""
    if window == 1:
        return ()
    new = window // 2
    if window % 2:
        new = window - 5 if window % 5 == 0 and window > 5 else window - 1
    return tuple(dict.fromkeys((*_parts(new), *_parts(window - new), (window, new, window - new))))


class Totals:
    """Sums over the last bars of one column or of several (rows in the last axis), on the rows asked for."""

    def __init__(self, values: F64, first: int) -> None:
        self._first = first
        self._rows = int(values.shape[-1])
        # By window: element j is the sum of the rows j to j + window - 1.
        self._sums = {1: values}

    @classmethod
    def of(cls, bars: Bars, *columns: F64, reach: int) -> "Totals":
        """Of columns of `bars`, for windows that reach back at most `reach` rows in all. Several give one row each."""
        start = max(bars.first - reach, 0)
        values = columns[0][start:] if len(columns) == 1 else np.array([column[start:] for column in columns])
        return cls(values, bars.first - start)

    def total(self, window: int, *, back: int = 0) -> F64:
        """Sums of the last `window` values on the rows asked for and `back` rows before; NaN until there are so many."""
        return self._asked(self._of(window), window, back)

    def mean(self, window: int, *, back: int = 0) -> F64:
        """Means of the last `window` values; NaN until there are so many."""
        return self.total(window, back=back) / window

    def squared_deviations(self, window: int) -> F64:
        """Sums of squared deviations of the last `window` values from their mean; exactly 0 where they are equal.

        Chan, Golub and LeVeque (1979), of shorter windows put together: squares of prices of 2,700 would cost nine digits.
        """
        sums, squares = self._sums, {1: np.zeros(self._rows)}
        self._of(window)
        for length, late, early in _parts(window):
            old, new = slice(self._whole(length)), slice(early, early + self._whole(length))
            gap = sums[early][old] / early - sums[late][new] / late
            squares[length] = squares[early][old] + squares[late][new] + gap * gap * (early * late / length)
        return self._asked(squares[window], window, 0)

    def _of(self, window: int) -> F64:
        sums = self._sums
        if window not in sums:
            for length, late, early in _parts(window):
                if length not in sums:
                    rows = self._whole(length)
                    sums[length] = sums[early][..., :rows] + sums[late][..., early : early + rows]
        return sums[window]

    def _whole(self, window: int) -> int:
        """How many whole windows there are."""
        return max(self._rows - window + 1, 0)

    def _asked(self, values: F64, window: int, back: int) -> F64:
        """`values` of all whole windows on the rows asked for and `back` before; NaN where there is no whole one."""
        start = self._first - back - window + 1
        if start >= 0:
            return values[..., start:]
        missing = np.full((*values.shape[:-1], min(-start, self._rows - self._first + back)), np.nan)
        return np.concatenate((missing, values), axis=-1)


def variance(totals: F64, window: int) -> F64:
    """Sample variance (n - 1) from the sums of values and of their squares, not below 0."""
    total, squares = totals
    return np.asarray(np.maximum(squares - total * total / window, 0.0) / (window - 1.0))


def deviation(totals: F64, window: int) -> F64:
    """Sample standard deviation from the sums of values and of their squares."""
    return np.asarray(np.sqrt(variance(totals, window)))


def return_totals(bars: Bars) -> Totals:
    """Of the log returns in basis points and of their squares."""
    return bars.once("return_totals", lambda: Totals.of(bars, bars.log_return, np.square(bars.log_return), reach=200))


def lag(values: F64, bars: int) -> F64:
    """The value `bars` rows before, on all rows; NaN on the first `bars`."""
    return after(bars, values[:-bars]) if len(values) > bars else np.full(len(values), np.nan)


def shifted(values: F64, first: int, back: int) -> F64:
    """On the rows from `first` on: the values `back` rows before, ..., one row before and now; NaN before the history."""
    padded = values[first - back :] if first >= back else np.concatenate((np.full(back - first, np.nan), values))
    return np.lib.stride_tricks.sliding_window_view(padded, len(values) - first)


def within(ratio: F64, low: float, high: float) -> F64:
    """`ratio` held inside its bounds against rounding; NaN stays."""
    return np.asarray(np.minimum(np.maximum(ratio, low), high))


def only_where(known: npt.NDArray[np.bool_], values: F64) -> F64:
    """`values` with NaN where not `known`."""
    return values if known.all() else np.where(known, values, np.nan)


def known_means(bars: Bars, values: F64, windows: tuple[int, ...]) -> list[F64]:
    """On the rows asked for: means of what is not NaN among the last rows (fewer at the start); NaN where nothing is."""
    known = ~np.isnan(values)
    missing = max(max(windows) - 1 - bars.first, 0)
    panel = np.zeros((2, missing + len(values)))
    np.copyto(panel[0, missing:], values, where=known)
    panel[1, missing:] = known
    totals = Totals(panel, missing + bars.first)
    return [np.divide(*totals.total(window)) for window in windows]
