"""What may be tuned: one table a family, and how a space is narrowed around a point.

Belongs here: ranges and their reasons. Does not: defaults (`settings`), sampling.

Systems that this platform follows searched where signals are strong: depth 6, a learning rate of 0.1 over 100 to 200 rounds,
two rows a leaf, and reported a validation error that chose itself. Here the inputs explain a few tenths of a percent and a label
shares 30 minutes with its neighbours: such a model memorises noise, so those points lie at the loose end of these ranges or
beyond it. The ranges reach from a model that can hardly say anything but the base rate to one that overfits for certain, so
the best point is inside. Not tuned: what early stopping decides (rounds), what only costs time (trees of a forest, bins), what
a family chooses on the validation segment by itself (penalties of `linear`), the cut of the return head's target, and the
length of a sequence, as trials of different lengths would be judged on different rows.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from spx_assets.training.errors import UnknownModelError

Value = int | float


@dataclass(frozen=True)
class Real:
    """Numbers from `low` to `high`, spaced by ratio if `log`."""

    name: str
    low: float
    high: float
    log: bool = False

    def narrowed(self, best: Value, share: float) -> "Real":
        """The range around `best` that is `share` as wide, shifted to lie inside this one."""
        low, high = _around(self._at(self.low), self._at(self.high), self._at(best), share)
        return replace(self, low=max(self._back(low), self.low), high=min(self._back(high), self.high))

    def holds(self, value: Value) -> bool:
        return self.low <= value <= self.high

    def _at(self, value: float) -> float:
        return math.log(value) if self.log else value

    def _back(self, position: float) -> float:
        return math.exp(position) if self.log else position


@dataclass(frozen=True)
class Whole:
    """Whole numbers from `low` to `high`, both included, spaced by ratio if `log`."""

    name: str
    low: int
    high: int
    log: bool = False

    def narrowed(self, best: Value, share: float) -> "Whole":
        """The range around `best` that is `share` as wide, rounded inwards but never without `best`."""
        inner = Real(self.name, self.low, self.high, self.log).narrowed(best, share)
        # A whole number comes back from its logarithm with the last digits changed.
        low, high = math.ceil(inner.low * (1.0 - 1e-9)), math.floor(inner.high * (1.0 + 1e-9))
        return replace(self, low=min(low, int(best)), high=max(high, int(best)))

    def holds(self, value: Value) -> bool:
        return self.low <= value <= self.high


Range = Real | Whole
Space = tuple[Range, ...]

SPACES: Mapping[str, Space] = {
    "lightgbm": (
        Real("learning_rate", 0.03, 0.3, log=True),  # below, 400 rounds do not suffice; above, a round overshoots the signal
        Whole("num_leaves", 3, 31, log=True),  # 2 would be additive; 31, the library's default, five-way interactions
        Whole("min_child_samples", 500, 20_000, log=True),  # 16 to 650 independent labels at 30 minutes
        Real("feature_fraction", 0.2, 1.0),
        Real("bagging_fraction", 0.2, 1.0),
        Real("lambda_l2", 0.1, 1_000.0, log=True),  # beside a leaf's sum of second derivatives, which is 125 to 5,000
    ),
    "xgboost": (
        Real("learning_rate", 0.03, 0.3, log=True),
        Whole("max_depth", 2, 6),
        Whole("min_child_rows", 500, 20_000, log=True),
        Real("subsample", 0.2, 1.0),
        Real("colsample_bytree", 0.2, 1.0),
        Real("reg_lambda", 0.1, 1_000.0, log=True),
    ),
    "random_forest": (
        Whole("max_depth", 3, 12),
        Real("min_leaf_share", 0.001, 0.05, log=True),  # 27 to 1,350 of 27,000 independent labels
        Real("max_features", 0.05, 1.0, log=True),
        Whole("max_samples", 10_000, 200_000, log=True),  # fewer rows a tree: trees differ more, and cost less
    ),
    "linear": (
        Real("winsor", 0.0005, 0.05, log=True),  # how much of an input's tails may count
    ),
    "lstm": (
        Whole("hidden", 8, 64, log=True),  # 5,000 to 50,000 weights
        Real("dropout", 0.0, 0.5),
        Real("learning_rate", 0.0001, 0.01, log=True),
    ),
    "ensemble": (),  # its weights come from the calibration segment
}


def of(family: str) -> Space:
    """The space of `family`, empty if it has nothing to tune; UnknownModelError if it has no table."""
    if family not in SPACES:
        raise UnknownModelError(f"no search space for the family {family!r}; there are {', '.join(SPACES)}")
    return SPACES[family]


def narrowed(space: Space, best: Mapping[str, Value], *, share: float) -> Space:
    """Each range around its value in `best`, `share` as wide."""
    return tuple(part.narrowed(best[part.name], share) for part in space)


def _around(low: float, high: float, best: float, share: float) -> tuple[float, float]:
    """(low, high) of the interval around `best` that is `share` as wide as low..high, shifted to lie inside it."""
    width = share * (high - low)
    start = min(max(best - width / 2, low), high - width)
    return start, start + width
