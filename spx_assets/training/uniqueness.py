"""How much of a label is its own: weights for overlapping labels and the effective sample size.

Belongs here: average uniqueness. Does not: statistics that use it.
"""

import numpy as np
import numpy.typing as npt

I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]

MINUTE_US = 60_000_000


def average(ts: I64, label_end: I64) -> F64:
    """Average uniqueness of each label: the mean over the minutes of its life of 1 / (labels alive in that minute).

    Lopez de Prado (2018), Advances in Financial Machine Learning, 4.4. Labels of all instruments are counted together:
    index labels of one minute tell nearly the same story. The sum is the effective sample size; a complete run of
    one-minute rows with a life of 31 minutes has 1/31 an inner row.
    """
    if not len(ts):
        return np.empty(0)
    first = ts.min()
    opened = (ts - first) // MINUTE_US
    closed = np.maximum(-(-(label_end - first) // MINUTE_US), opened + 1)
    change = np.zeros(int(closed.max()) + 1, dtype=np.int64)
    np.add.at(change, opened, 1)
    np.subtract.at(change, closed, 1)
    alive = np.cumsum(change[:-1])
    share = np.divide(1.0, alive, out=np.zeros(len(alive)), where=alive > 0)
    total = np.concatenate([[0.0], np.cumsum(share)])
    uniqueness: F64 = (total[closed] - total[opened]) / (closed - opened)
    return uniqueness


def effective(ts: I64, label_end: I64) -> float:
    """Effective number of independent labels: the sum of their average uniqueness."""
    return float(average(ts, label_end).sum())
