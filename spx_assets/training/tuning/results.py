"""What is told of a trial that has ended.

Belongs here: the record that trackers, logs and progress bars are given. Does not: Optuna, running trials (`trials`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from spx_assets.training.cross_validation import Losses
from spx_assets.training.tuning.spaces import Value


@dataclass(frozen=True)
class TrialResult:
    """One trial that has ended. `loss` is None unless it is complete; `losses` are those of its folds."""

    model: str
    """Forecaster and family, e.g. spx500_h30/lightgbm."""
    stage: str
    number: int
    """In its stage, from 0; a trial run again has a new one."""
    finished: int
    """Finished trials of the stage, this one included."""
    wanted: int
    state: Literal["complete", "pruned", "failed"]
    parameters: Mapping[str, Value]
    loss: float | None
    losses: tuple[Losses, ...]
    began: datetime
    ended: datetime

    @property
    def words(self) -> str:
        """One line for a log."""
        told = self.state if self.loss is None else f"loss {self.loss:.6f}"
        chosen = ", ".join(f"{name} {value:.4g}" for name, value in self.parameters.items())
        return f"{self.model} {self.stage} trial {self.finished} of {self.wanted}: {told} at {chosen}"


OnTrial = Callable[[TrialResult], None]
