"""Bars written out row by row, for values worked out by hand.

Belongs here: short histories and the last value of a feature. Does not: assertions.
"""

from datetime import UTC, datetime

import numpy as np

from spx_assets.features.bars import Bars, DailyBars
from spx_assets.features.compute import compute

START = datetime(2019, 5, 1, 21, tzinfo=UTC)  # Wednesday 17:00 New York: the trading day 2019-05-02 begins
NAN = float("nan")


def rows(
    rows: list[tuple[float, float, float, float]], *, volume: list[float] | None = None, minutes: list[int] | None = None
) -> Bars:
    o, h, low, c = (np.array(x, dtype=np.float64) for x in zip(*rows, strict=True))
    ts = round(START.timestamp()) * 1_000_000 + 60_000_000 * np.array(minutes if minutes is not None else range(len(rows)))
    v = np.array(volume, dtype=np.float64) if volume is not None else np.zeros(len(rows))
    return Bars(ts, o, h, low, c, v, np.full(len(rows), NAN))


def last(family: str, name: str, bars: Bars, days: DailyBars | None = None) -> float:
    return float(compute(family, bars, days)[name][-1])


def flat(n: int, *, price: float = 100.0) -> list[tuple[float, float, float, float]]:
    return [(price, price, price, price)] * n
