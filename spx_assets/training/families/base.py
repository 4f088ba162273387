"""What a model family is: fit on a dataset, forecast both heads, export to ONNX.

Belongs here: the protocol. Does not: any family, calibration, evaluation.
"""

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
import onnx

from spx_assets.settings import ModelSettings
from spx_assets.training.dataset import Dataset
from spx_assets.training.splits import Rows, Segments

F64 = npt.NDArray[np.float64]


class Fitted(Protocol):
    """A fitted model of both heads."""

    @property
    def input_rows(self) -> int:
        """Bars one forecast takes, the newest last."""

    @property
    def parameters(self) -> Mapping[str, str | int | float | bool]:
        """What the manifest and MLflow keep of how it was fitted."""

    def heads(self, X: npt.NDArray[np.float32]) -> tuple[F64, F64]:
        """(return_bp, raw probability_up), float64[n] each, by the native library; X as the graph takes it, NaN for null:
        [n, f], or [n, input_rows, f] for a model of several rows.
        """

    def export(self) -> onnx.ModelProto:
        """The graph of `scoring.forecaster`'s contract: X -> return_bp, probability_up."""


@runtime_checkable
class HasGain(Protocol):
    """A fitted model that knows which inputs its trees gained by."""

    def gain(self) -> Mapping[int, float]:
        """Share of the gain by position of the input, the mean of both heads; inputs that no tree asks for may be left out."""


def gain_shares(returns: F64, direction: F64) -> dict[int, float]:
    """The mean of both heads' shares from the gain of each input; a head of no gain counts as none."""
    shares = [head / head.sum() for head in (returns, direction) if head.sum() > 0]
    return dict(enumerate(np.mean(shares, axis=0).tolist())) if shares else {}


class Family(Protocol):
    """A way to learn a forecaster."""

    name: str

    def fit(self, data: Dataset, segments: Segments, weight: F64, settings: ModelSettings) -> Fitted:
        """Fits both heads on `segments.fit`, stopping early on `segments.validation`; sees no other segment.

        `weight` is the uniqueness of each row of `data`, 0 where it has no label. Same data, same bits.
        """


def mean_one(weight: F64, rows: Rows) -> F64:
    """Weights of `rows` scaled to a mean of 1, so that regularisation means the same at every overlap."""
    part = weight[rows]
    scaled: F64 = part / part.mean()
    return scaled
