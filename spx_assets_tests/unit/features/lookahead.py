"""The proof that a kernel sees nothing of the future: prefix equality to the bit, and a poisoned future.

Belongs here: `leaks`, which names the outputs that depend on later rows. Does not: which kernels are asked.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from spx_assets.features.bars import BAR_COLUMNS, F64, Bars

Kernel = Callable[[Bars], Mapping[str, F64]]


def same_bits(left: npt.NDArray[Any], right: npt.NDArray[Any]) -> bool:
    """Equal to the bit, where any NaN equals any NaN."""
    unknown = np.isnan(left)
    if left.shape != right.shape or not np.array_equal(unknown, np.isnan(right)):
        return False
    return bool(np.array_equal(left[~unknown].view(f"u{left.itemsize}"), right[~unknown].view(f"u{right.itemsize}")))


def poisoned(bars: Bars, cut: int, *, seed: int) -> Iterable[Bars]:
    """Histories equal up to row `cut` and different from it on: changed, deleted, not a number."""
    rng = np.random.default_rng(seed)
    later = len(bars) - cut

    def with_future(make: Callable[[F64], F64]) -> Bars:
        columns = {name: getattr(bars, name).copy() for name in BAR_COLUMNS if name != "ts"}
        for values in columns.values():
            values[cut:] = make(values[cut:])
        return replace(bars.head(len(bars)), **columns)

    yield with_future(lambda x: x * rng.uniform(0.5, 2.0, later))
    yield with_future(lambda x: x[::-1])
    yield with_future(lambda x: np.full(later, np.nan))
    kept = np.r_[np.arange(cut), cut + np.flatnonzero(rng.random(later) < 0.5)]
    yield Bars(*(getattr(bars, name)[kept] for name in BAR_COLUMNS))
    yield replace(bars.head(len(bars)), ts=np.r_[bars.ts[:cut], bars.ts[cut:] + 7 * 60_000_000])


def leaks(kernel: Kernel, bars: Bars, *, cuts: Iterable[int], seed: int = 0) -> set[str]:
    """Names of the outputs whose value on some row changes with rows after it. Empty: proven on these cuts."""
    with np.errstate(all="ignore"):
        whole = {name: np.array(values) for name, values in kernel(bars).items()}
        found: set[str] = set()
        for cut in cuts:
            histories = [bars.head(cut), *poisoned(bars, cut, seed=seed + cut)]
            for history in histories:
                for name, values in kernel(history).items():
                    if not same_bits(np.array(values[:cut]), whole[name][:cut]):
                        found.add(name)
    return found
