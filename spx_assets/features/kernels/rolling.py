"""Causal building blocks: lags, windows and ratios that several families share.

Belongs here: functions from arrays to arrays. Does not: anything a seed or a textbook calls an indicator.

The sum of a window is added from sums of shorter ones: 60 bars are 30 and 30, 15 are 10 and 5. Each costs one addition of
whole columns (1 ns a row), shared by all longer windows, and a value depends on its own window's rows and on nothing else: not
on where the history begins, nor on which rows are asked for. No rounding comes in from outside the window, so a window of
zeros sums to 0, and a sum of parts is never above the sum of their wholes. TA-Lib is left to what is recursive.
"""

from collections.abc import Mapping
from functools import cache, lru_cache
from types import EllipsisType

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


Index = tuple[EllipsisType, slice]


@lru_cache(maxsize=1024)
def _plan(window: int, rows: int) -> tuple[tuple[int, int, int, Index, Index], ...]:
    """(window, older part, newer part, and where these lie in their sums) for columns of so many rows."""
    return tuple(
        (length, old, new, (..., slice(rows + 1 - length)), (..., slice(old, None))) for length, new, old in _parts(window)
    )


class Totals:
    """Sums over the last bars of several columns at once, by name, on the rows asked for and some rows before them."""

    def __init__(self, reach: int, columns: Mapping[str, F64], *, by_row: bool = False) -> None:
        """Of columns that begin `reach` rows before the first row asked for; rows are the last axis of each.

        `by_row` puts the columns of a row side by side: one addition of few rows then runs through all of them at once.
        """
        self._reach, self._row = reach, {name: i for i, name in enumerate(columns)}
        # By window: element j of a row is the sum of the values j to j + window - 1.
        self._sums: dict[int, F64] = {1: np.array(tuple(columns.values()), order="F" if by_row else "C")}
        self._rows = self._sums[1].shape[-1]

    @classmethod
    def of(cls, bars: Bars, reach: int, columns: Mapping[str, F64], **how: bool) -> "Totals":
        """Of columns of `bars`, from `reach` rows before the first row asked for on; NaN stands before the history."""
        return cls(reach, {name: bars.reaching(reach, column) for name, column in columns.items()}, **how)

    def total(self, name: str, window: int, *, back: int = 0) -> F64:
        """Sums of the last `window` values on the rows asked for and `back` rows before; NaN until there are so many."""
        sums = self._sums.get(window)
        return (self._added(window) if sums is None else sums)[self._row[name], ..., self._first(window, back) :]

    def mean(self, name: str, window: int, *, back: int = 0) -> F64:
        """Means of the last `window` values; NaN until there are so many."""
        return self.total(name, window, back=back) / window

    def squared_deviations(self, name: str, window: int) -> F64:
        """Sums of squared deviations of the last `window` values from their mean; exactly 0 where they are equal.

        Chan, Golub and LeVeque (1979), of shorter windows put together: squares of prices of 2,700 would cost nine digits.
        """
        if window not in self._sums:
            self._added(window)
        row, sums, squares = self._row[name], self._sums, {1: np.zeros(self._rows)}
        for length, old, new, (_, early), (_, late) in _plan(window, self._rows):
            gap = sums[old][row, early] / old - sums[new][row, late] / new
            squares[length] = squares[old][early] + squares[new][late] + gap * gap * (old * new / length)
        return squares[window][self._first(window, 0) :]

    def _added(self, window: int) -> F64:
        """Sums of `window` values, made from those of shorter windows; all are kept."""
        sums = self._sums
        for length, old, new, early, late in _plan(window, self._rows):
            if length not in sums:
                sums[length] = sums[old][early] + sums[new][late]
        return sums[window]

    def _first(self, window: int, back: int) -> int:
        first = self._reach + 1 - window - back
        if first < 0:
            raise ValueError(f"a window of {window} rows, {back} rows back, reaches beyond the {self._reach} rows that are kept")
        return first


def variance(total: F64, squares: F64, window: int) -> F64:
    """Sample variance (n - 1) from the sums of values and of their squares, not below 0."""
    return np.asarray(np.maximum(squares - total * total / window, 0.0) / (window - 1.0))


def deviation(total: F64, squares: F64, window: int) -> F64:
    """Sample standard deviation from the sums of values and of their squares."""
    return np.asarray(np.sqrt(variance(total, squares, window)))


def views(values: F64, rows: int, *, count: int, step: int = 1) -> F64:
    """`count` parts of `rows` values, each `step` later than the one before; no copy."""
    return np.ndarray((count, rows), np.float64, values, strides=(8 * step, 8))


def lag(values: F64, bars: int) -> F64:
    """The value `bars` rows before, on all rows; NaN on the first `bars`."""
    return after(bars, values[:-bars]) if len(values) > bars else np.full(len(values), np.nan)


def within(ratio: F64, low: float, high: float) -> F64:
    """`ratio` held inside its bounds against rounding; NaN stays."""
    return np.asarray(np.minimum(np.maximum(ratio, low), high))


def only_where(known: npt.NDArray[np.bool_], values: F64) -> F64:
    """`values` with NaN where not `known`."""
    # Of one row its truth is known in a tenth of the time that `all` takes.
    return values if (known[0] if len(known) == 1 else known.all()) else np.where(known, values, np.nan)
