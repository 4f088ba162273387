"""What is missing out of time of what the fit segment knew."""

import numpy as np
import pytest

from spx_assets.training import fitness
from spx_assets.training.dataset import Dataset
from spx_assets.training.splits import Segments

ROWS = 100
SEGMENTS = Segments(np.arange(60), np.arange(60, 70), np.arange(70, 80), np.arange(80, 100))


def share(*columns: tuple[float, float]) -> float:
    """Of inputs that are null in the given shares of the fit and of the out-of-time segment."""
    X = np.ones((ROWS, len(columns)), dtype=np.float32)
    for k, (fit, today) in enumerate(columns):
        X[: round(60 * fit), k] = np.nan
        X[80 : 80 + round(20 * today), k] = np.nan
    ts, ones = np.arange(ROWS, dtype=np.int64), np.ones(ROWS)
    names = tuple(f"f{k}" for k in range(len(columns)))
    data = Dataset(names, ("X",), 30, X, np.zeros(ROWS, np.int32), ts, ts, ones, ones, 0, "", 5)
    return fitness.missing_share(data, SEGMENTS)


@pytest.mark.parametrize(
    ("columns", "lost"),
    [
        ([(0.0, 0.0)], 0.0),
        ([(0.0, 0.25)], 0.25),
        ([(0.0, 1.0), (0.0, 0.0)], 0.5),
        ([(1.0, 1.0), (0.0, 0.0)], 0.0),  # never known: a feed without volume
        ([(0.8, 0.8)], 0.0),  # known where there are articles
        ([(0.8, 0.9)], 0.5),
        ([(0.8, 0.1)], 0.0),
        ([(0.8, 1.0), (0.0, 0.0)], 0.5),  # the articles have stopped
        ([(1.0, 1.0)], 1.0),
    ],
)
def test_what_was_rarely_known_counts_by_how_much_of_it_was_lost(columns: list[tuple[float, float]], lost: float) -> None:
    assert share(*columns) == pytest.approx(lost)
