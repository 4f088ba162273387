"""How well classes are told apart on a set.

Belongs here: accuracy, F1 by class, their mean. Does not: which sets, thresholds of acceptance.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spx_assets.news.sentiment.training.corpus import CLASSES


@dataclass(frozen=True)
class Judgement:
    rows: int
    accuracy: float
    f1: tuple[float, ...]
    """Of negative, neutral, positive."""
    shares: tuple[float, ...]
    """Of the classes in the set."""

    @property
    def macro_f1(self) -> float:
        return float(np.mean(self.f1))

    def __str__(self) -> str:
        each = ", ".join(f"{name} {value:.3f}" for name, value in zip(CLASSES, self.f1, strict=True))
        return f"{self.rows} rows: accuracy {self.accuracy:.3f}, macro-F1 {self.macro_f1:.3f} ({each})"


def judge(probabilities: NDArray[np.floating], labels: Sequence[int]) -> Judgement:
    said, true = np.argmax(probabilities, axis=1), np.asarray(labels)
    hits = [int(((said == k) & (true == k)).sum()) for k in range(len(CLASSES))]
    f1 = tuple(2 * hit / max(1, int((said == k).sum() + (true == k).sum())) for k, hit in enumerate(hits))
    shares = tuple(float((true == k).mean()) for k in range(len(CLASSES)))
    return Judgement(len(true), float((said == true).mean()), f1, shares)
