"""Causal building blocks: lags, windows and ratios that several families share.

Belongs here: functions from arrays to arrays. Does not: anything a seed or a textbook calls an indicator.

Windows are differences of one running sum a column: it is added once for all window lengths, at 1 ns a row, and TA-Lib
(6 ns a row and window) is left to what is recursive. A difference keeps the rounding of the whole sum, about 1e-16 of it,
so "nothing in this window" is asked of counts, which are exact.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spx_assets.features.bars import F64, Bars
from spx_assets.features.columns import after

BP = 1e4
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Sums:
    """The running sum of one column of a history. `start` rows at its beginning are NaN and no other."""

    running: F64
    start: int
    first: int

    @classmethod
    def of(cls, bars: Bars, values: F64 | Flags, *, start: int = 0) -> "Sums":
        running = np.empty(len(values) + 1)
        running[: start + 1] = 0.0
        np.add.accumulate(values[start:], out=running[start + 1 :], dtype=np.float64)
        return cls(running, start, bars.first)

    def total(self, window: int, *, first: int | None = None) -> F64:
        """Sum of the last `window` values on the rows asked for (or from `first` on); NaN until there are so many."""
        first = self.first if first is None else first
        before, rows = first + 1 - window, len(self.running) - 1
        if before >= self.start:
            return np.asarray(self.running[first + 1 :] - self.running[before : rows + 1 - window])
        out = np.full(rows - first, np.nan)
        known = max(self.start + window - 1 - first, 0)
        if known < len(out):
            out[known:] = self.running[self.start + window :] - self.running[self.start : rows + 1 - window]
        return out

    def mean(self, window: int, *, first: int | None = None) -> F64:
        """Mean of the last `window` values; NaN until there are so many."""
        return self.total(window, first=first) / window


@dataclass(frozen=True, eq=False)
class Moments:
    """Running sums of a column and of its squares."""

    values: Sums
    squares: Sums

    @classmethod
    def of(cls, bars: Bars, values: F64, *, start: int = 0) -> "Moments":
        return cls(Sums.of(bars, values, start=start), Sums.of(bars, np.square(values), start=start))

    def variance(self, window: int, *, first: int | None = None) -> F64:
        """Sample variance (n - 1) of the last `window` values, not below 0."""
        total = self.values.total(window, first=first)
        spread = self.squares.total(window, first=first) - total * total / window
        return np.asarray(np.maximum(spread, 0.0) / (window - 1.0))

    def deviation(self, window: int, *, first: int | None = None) -> F64:
        """Sample standard deviation of the last `window` values."""
        return np.asarray(np.sqrt(self.variance(window, first=first)))


def return_moments(bars: Bars) -> Moments:
    """Of the bars' log returns in basis points."""
    return bars.once("return_moments", lambda: Moments.of(bars, bars.log_return, start=1))


def lag(values: F64, bars: int) -> F64:
    """The value `bars` rows before, on all rows; NaN on the first `bars`."""
    return after(bars, values[:-bars]) if len(values) > bars else np.full(len(values), np.nan)


def any_positive(bars: Bars, name: str, values: F64, window: int) -> Flags:
    """On the rows asked for: is one of the last `window` values above 0? `name` keeps the count for other windows."""
    counts = bars.once(f"positive_{name}", lambda: Sums.of(bars, values > 0))
    return np.asarray(counts.total(window) > 0)


def share(part: F64, whole: F64, defined: Flags, *, low: float = 0.0) -> F64:
    """part / whole held inside [low, 1] against the rounding of running sums; NaN where not `defined`."""
    ratio = part / whole
    np.clip(ratio, low, 1.0, out=ratio)
    if not defined.all():
        ratio[~defined] = np.nan
    return ratio


def known_mean(bars: Bars, values: F64, windows: tuple[int, ...]) -> list[F64]:
    """On the rows asked for: means of what is not NaN among the last rows (fewer at the start); NaN where nothing is."""
    known = ~np.isnan(values)
    sums, counts = Sums.of(bars, np.where(known, values, 0.0)).running, Sums.of(bars, known).running
    out = []
    for window in windows:
        before = np.maximum(np.arange(bars.first + 1, len(sums)) - window, 0) if bars.first + 1 < window else None
        old = slice(bars.first + 1 - window, len(sums) - window) if before is None else before
        total, count = sums[bars.first + 1 :] - sums[old], counts[bars.first + 1 :] - counts[old]
        total /= count  # 0 / 0 is NaN; without a known value the total of a running sum may be its rounding
        total[count == 0] = np.nan
        out.append(total)
    return out
