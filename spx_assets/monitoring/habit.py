"""The middle of each day, and how it moves from one day to the next.

Belongs here: daily means of the middle values on a scale that hours do not move, what the training window's days tell of them,
p-values of a jump and of a level. Does not: distributions (`distance`), storing (`reference`).

Volatility doubled still lies within the range of a year, in which it doubled and halved slowly. What it never did is double
overnight: a day is set against what the day before foretells, and those surprises, unlike levels, are nearly independent.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from spx_assets.monitoring.counting import BLOCKS, EDGES, F32, F64, Looked
from spx_assets.monitoring.distance import FEWEST_SAMPLES, widened

MIDDLE, LOWER, UPPER = (EDGES - 1) // 2, (EDGES - 1) // 4, 3 * (EDGES - 1) // 4
LONGEST_MEMORY = 0.97
"""Greatest correlation of neighbouring days that is believed: a year cannot tell it from 1."""
DAY_SHARE = 0.25
"""Share of a usual day's rows below which a day is too short to have a middle."""
LEVEL = 0.2
"""Share of the allowance that a level has beside a jump. A jump alarms on one day, a level for all the weeks that it persists. In
400 simulated markets (120 days known, 60 quiet ones judged) an allowance of 0.01 gave 0.6 alarms, more than three in 1.2 % of the
markets, and missed 4 % of doublings and halvings for two days; half or twice of it have the sum of both higher."""
TRIMMED = 0.1
"""Share of a day's values that is left out at either end. Not half of them, as the median does: spreads are a few ticks, and
their median leaps from one to the next while nearly all of them stay as they were."""
LIMIT = 1.0
"""Standard errors by which a level may persist longer than the days told. A hundred days of a correlation of 0.9 often look like
0.8, under which a fortnight at a third of the usual volatility would be impossible."""
FEWEST_OF_LEVEL = 15
"""Days below which nothing is said of a level: of ten that carry 0.9 a fit sees 0.5, and called four times as many quiet days
another level as it was allowed."""
LEAST_MOVE = 0.2
"""Move of a day's middle, a fifth of itself or of the interquartile range, below which nothing happened, however steady the days
were: a spread of the same few ticks is another share of another price."""
FITTED = 3
"""What days lose as witnesses of their spread: the mean, the carry, and the first day, which none foretold."""
LEAST_SPREAD = 1e-9
"""Of a quantity that never moved."""


class Habit(NamedTuple):
    """Of each quantity, an autoregression of its daily middles; NaN where the days are too few."""

    mean: F64
    carry: F64
    """Share of a day's distance from the mean that the next day keeps."""
    spread: F64
    """Standard deviation of what the day before does not foretell."""
    moved: F64
    """Sum of the squares by which the days that foretold lay off the mean: how well `carry` is known."""
    farthest: F64
    """The greatest of these squares."""
    days: F64
    rows: F64
    """Known rows of a usual day."""


def middles(rows: Looked, limits: F32, among: npt.NDArray[np.intp]) -> tuple[F64, F64]:
    """Trimmed means of the days and their known rows, both [quantities, days], of the quantities `among` X and `limits`.

    A value is set beside the middle of its hours: as a logarithm where nearly all are positive (a ratio then is a difference, at
    any level), else in interquartile ranges of those hours. Where these are 0 there is no scale, and no middle.
    """
    n, order = len(rows.days), np.argsort(rows.day, kind="stable")
    day = rows.day[order]
    place = np.arange(len(day)) - np.searchsorted(day, day)
    table = np.empty((n, int(place.max(initial=-1)) + 1))
    places = np.arange(table.shape[1])
    found, known = np.full((len(among), n), np.nan), np.zeros((len(among), n))
    for at, k in enumerate(among):
        table.fill(np.nan)
        table[day, place] = _scaled(rows.X[k], limits[k], rows.block)[order]
        table.sort(axis=1)  # NaN come last
        count = (~np.isnan(table)).sum(axis=1)
        cut = (TRIMMED * count).astype(np.intp)
        inner = (places >= cut[:, None]) & (places < (count - cut)[:, None])
        with np.errstate(invalid="ignore"):
            found[at] = np.where(inner, table, 0.0).sum(axis=1) / inner.sum(axis=1)
        known[at] = count
    return found, known


def _scaled(x: F32, edges: F32, block: npt.NDArray[np.intp]) -> F64:
    """Values of one quantity with edges [BLOCKS, EDGES], free of the hours' middle and width."""
    middle, width = edges[:, MIDDLE].astype(np.float64), np.ones(BLOCKS)
    told = ~np.isnan(edges[:, 0])
    if (edges[told, 1] > 0).all():
        middle = np.log(middle)
        with np.errstate(divide="ignore"):
            values = np.where(np.isnan(x), np.nan, np.log(np.maximum(x, 0.0, dtype=np.float64)))
    else:
        width, values = (edges[:, UPPER] - edges[:, LOWER]).astype(np.float64), x.astype(np.float64)
    return np.where(width[block] > 0, (values - middle[block]) / np.where(width > 0, width, 1.0)[block], np.nan)


def habit(found: F64, known: F64) -> Habit:
    """From `middles` of the training window's days. The correlation is corrected for being fitted about their own mean."""
    out = np.full((len(Habit._fields), len(found)), np.nan)
    for k, (of, count) in enumerate(zip(found, known, strict=True)):
        rows = float(np.median(count[count > 0])) if count.any() else np.nan
        x = of[(count >= DAY_SHARE * rows) & np.isfinite(of)]
        if (n := len(x)) < FEWEST_SAMPLES:
            continue
        centred = x - x.mean()
        before, after = centred[:-1], centred[1:]
        moved = max(float(before @ before), LEAST_SPREAD**2)
        carry = float(before @ after) / moved
        carry = min(max(carry + (1.0 + 3.0 * carry) / n, 0.0), LONGEST_MEMORY)
        surprise = after - carry * before
        spread = max(float(np.sqrt(surprise @ surprise / (n - FITTED))), LEAST_SPREAD)
        out[:, k] = x.mean(), carry, spread, moved, np.max(before**2), n, rows
    return Habit(*out)


def jump(found: F64, known: F64, usual: Habit) -> F64:
    """p-value of the newest day beside what the day before foretells; middles of [quantities, days] and their rows.

    Beside the surprises' own spread stands what the fit does not know of the mean and of the carry, as in the prediction interval
    of a regression; of the carry, from FEWEST_OF_LEVEL days on, no more than at the farthest day that was known: without this
    limit the Monday of February 2018's crash, thrice as far off, was none. Ten days that stayed in one corner know nothing of the
    rest: with the limit they called 4.4 % of quiet days another volatility where 1 % is allowed, without it 0.8 %, and 98 of 100
    times tell one five times as high on its first day. Fifteen, twenty and sixty days call 3.2, 2.6 and 1.0 % of quiet days
    another volatility, none another spread (46 simulated markets, up to 55 days after the known ones).
    """
    told = np.isfinite(found) & (known >= DAY_SHARE * usual.rows[:, None])
    out = np.full(len(found), np.nan)
    for k in range(len(found)):
        x = found[k, told[k]] - usual.mean[k]
        if len(x) > 1 and told[k, -1]:
            n = usual.days[k]
            farthest = usual.farthest[k] if n >= FEWEST_OF_LEVEL else np.inf
            unknown = 1.0 / (n - 1.0) + min(x[-2] ** 2, farthest) / usual.moved[k]
            out[k] = _p(x[-1] - usual.carry[k] * x[-2], usual.spread[k] * np.sqrt(1.0 + unknown), n - FITTED)
    return out


def level(found: F64, known: F64, usual: Habit) -> F64:
    """p-value of the mean of all days that are given; NaN beside fewer than FEWEST_OF_LEVEL.

    Its spread is that of the autoregression whose c is LIMIT standard errors higher; the independent days that told of squares
    and of the mean are n (1 - c^2)/(1 + c^2) and n (1 - c)/(1 + c).
    """
    told = np.isfinite(found) & (known >= DAY_SHARE * usual.rows[:, None])
    out = np.full(len(found), np.nan)
    for k, (carry, spread, n) in enumerate(zip(usual.carry, usual.spread, usual.days, strict=True)):
        x = found[k, told[k]] - usual.mean[k]
        if not len(x) or np.isnan(carry) or n < FEWEST_OF_LEVEL:
            continue
        carry = min(carry + LIMIT * np.sqrt((1.0 - carry**2) / n), LONGEST_MEMORY)
        apart = np.abs(np.subtract.outer(np.arange(len(x)), np.arange(len(x))))
        of_mean = spread * np.sqrt((carry**apart).mean() / (1.0 - carry**2)) * widened(n * (1.0 - carry) / (1.0 + carry))
        out[k] = _p(x.mean(), of_mean, max(n * (1.0 - carry**2) / (1.0 + carry**2) - 1.0, 2.0))
    return out


def _p(move: float, spread: float, freedom: float) -> float:
    """Two-sided p-value of Student's t; 1 for a move that is too small to matter."""
    # Here, not above: its import takes 0.2 s, which every process that opens the graph would pay.
    from scipy import special

    return 1.0 if abs(move) < LEAST_MOVE else float(2.0 * special.stdtr(freedom, -abs(move) / spread))
