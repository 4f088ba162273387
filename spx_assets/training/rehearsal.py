"""Fits of one family again and again with other parameters on the same rows.

Belongs here: the protocol, and the plain way that every family can go. Does not: how a family saves work between fits, which is
its own `rehearse`; trials.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from spx_assets.settings import ModelSettings
from spx_assets.training import cross_validation
from spx_assets.training.dataset import Dataset
from spx_assets.training.families.base import Family, Fitted
from spx_assets.training.splits import Rows, Segments

F64 = npt.NDArray[np.float64]

Watch = Callable[[float, float], None]
"""Told (how much has been learned so far, validation log loss of the direction head) while a fit goes on; may raise to end it.

What has been learned is counted so that trials can be compared: for boosting the rounds times the learning rate, since ten rounds
at 0.03 and three at 0.1 have come as far; for a network the epochs.
"""


class Rehearsal(Protocol):
    """Fits on rows given once."""

    def forecasts(self, settings: ModelSettings, asked: Rows, *, returns: bool, watch: Watch) -> tuple[Rows, F64, F64]:
        """(those of `asked` that can be forecast, their expected return in bp, their raw probability of up) after a fit.

        Unless `returns`, the expected returns may be NaN.
        """


@runtime_checkable
class Rehearsed(Protocol):
    """A family that need not begin anew with each fit."""

    def rehearse(self, data: Dataset, segments: Segments, weight: F64, settings: ModelSettings) -> Rehearsal:
        """A rehearsal on `segments`; of `settings` no fit of it will change what is not in the family's search space."""


@runtime_checkable
class Watched(Protocol):
    """A family that begins anew with each fit and can tell how far it has come."""

    def fit_watched(self, data: Dataset, segments: Segments, weight: F64, settings: ModelSettings, watch: Watch) -> Fitted:
        """`Family.fit`, which `watch` may end."""


@dataclass(frozen=True)
class Plain:
    """A whole fit each time, watched where the family can be."""

    family: Family
    data: Dataset
    segments: Segments
    weight: F64

    def forecasts(self, settings: ModelSettings, asked: Rows, *, returns: bool, watch: Watch) -> tuple[Rows, F64, F64]:
        """Both heads, whether the returns are asked for or not."""
        rows = self.data, self.segments, self.weight
        fitted = (
            self.family.fit_watched(*rows, settings, watch)
            if isinstance(self.family, Watched)
            else self.family.fit(*rows, settings)
        )
        return cross_validation.forecasts(fitted, self.data, asked)


def of(family: Family, data: Dataset, segments: Segments, weight: F64, settings: ModelSettings) -> Rehearsal:
    """The family's own rehearsal, or the plain one."""
    if isinstance(family, Rehearsed):
        return family.rehearse(data, segments, weight, settings)
    return Plain(family, data, segments, weight)
