"""Intervals that follow their own coverage: adaptive conformal inference, one level a trading day.

Belongs here: the level asked for on a day, from what came of the days before it. Does not: half-widths at a level
(`intervals`), which bars and versions (`levels`).

Gibbs and Candes (2021): the miss rate asked for moves by a rate x (target - missed) with every outcome. A label of h minutes is
known h + 1 minutes after its bar and never outlives its trading day, so whatever a day has told is known when the next begins,
and the level moves from day to day. Labels overlap: a day counts as one outcome every h + 1 minutes.

The level of a day begins at the nominal one DAYS trading days before it. So it depends on those days alone, like a feature on
its anchor: weeks can be made in any order, forecasts of the past and of now have the same intervals, no state can be lost.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from spx_assets.scoring.intervals import F64, Regime, Widths

DAYS = 5
"""Trading days a level looks back on: 220 independent outcomes at 30 minutes, and never more than the week before."""
RATE = 0.01
"""Share of an independent outcome's miss that the next level makes up for: of a day's 44 about the half.

On the S&P 500 of 2018 and early 2019, a forecast of zero with half-widths of the 40 days before, fitted every four weeks, a day's
coverage lay 0.051 off 0.9 on average, and 0.078 at the nominal level; a tenth of the days was below 0.83, and below 0.78. The
intervals were 1.4 % wider. At half and at twice the rate it was 0.054 and 0.052.
"""


@dataclass(frozen=True)
class Day:
    """What came of the bars of one trading day whose outcome is known: realised less expected return, and their regimes."""

    residual_bp: F64
    regime: Regime


@dataclass(frozen=True)
class Level:
    """The level at which a day's intervals are picked, and what it was learned from."""

    asked: float
    outcomes: int
    """Bars of the days before whose outcome was known."""
    covered: float | None
    """Share of them inside the intervals that this rule gave them; None where there were none."""


def level(widths: Widths, days: Iterable[Day], *, life_min: int, rate: float = RATE) -> Level:
    """The level after `days` in order of time, nominal before the first; `life_min` is a label's life in minutes."""
    target = 1.0 - widths.nominal
    miss, outcomes, missed = target, 0, 0
    for day in days:
        count = len(day.residual_bp)
        if count:
            out = int(np.count_nonzero(np.abs(day.residual_bp) > widths.at(day.regime, 1.0 - miss)))
            miss += rate * (count * target - out) / life_min
            outcomes, missed = outcomes + count, missed + out
    asked = widths.nominal if miss == target else 1.0 - miss
    return Level(asked, outcomes, (outcomes - missed) / outcomes if outcomes else None)
