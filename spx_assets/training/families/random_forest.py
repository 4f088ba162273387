"""Random forest (Breiman 2001) by scikit-learn, one forest a head.

Belongs here: parameters, fitting, reading its trees. Does not: the graph (`trees`), targets (`targets`), evaluation.

Both heads are regression forests: for a target of 0 and 1 the variance that a split reduces is half the Gini impurity, so the
trees are those of a classification forest, and a leaf's mean is its share of ups. Nulls go where the split sends them, which
each tree learns; a feature without nulls while fitting sends them to the larger side.

A trial of a tuning is never given up within a fit: trees are grown side by side, not one on the other, so the loss of the first
ten is that of a smaller forest with more noise, and ranks parameters by how much their trees differ. Folds, where they are the
objective, are told one by one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from sklearn.ensemble import RandomForestRegressor

from spx_assets.settings import ModelSettings, RandomForestSettings
from spx_assets.training import trees
from spx_assets.training.dataset import Dataset
from spx_assets.training.families import targets
from spx_assets.training.families.base import gain_shares
from spx_assets.training.splits import Segments
from spx_assets.training.trees import Ensemble, Tree

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]


@dataclass(frozen=True)
class FittedRandomForest:
    """Two forests."""

    returns: RandomForestRegressor
    direction: RandomForestRegressor
    parameters: Mapping[str, str | int | float | bool]
    input_rows: int = field(default=1, init=False)

    def heads(self, X: F32) -> tuple[F64, F64]:
        """(return_bp, raw probability_up) of X [n, f]."""
        return np.asarray(self.returns.predict(X), np.float64), np.asarray(self.direction.predict(X), np.float64)

    def gain(self) -> Mapping[int, float]:
        """Share of the decrease in squared error by input."""
        return gain_shares(self.returns.feature_importances_, self.direction.feature_importances_)

    def export(self) -> onnx.ModelProto:
        """Both forests as one graph."""
        features = self.returns.n_features_in_
        return trees.model(_ensemble(self.returns), _ensemble(self.direction), features=features, log_odds=False)


class RandomForest:
    name = "random_forest"

    def fit(self, data: Dataset, segments: Segments, weight: F64, settings: ModelSettings) -> FittedRandomForest:
        """Both heads on the fit segment; a forest has no rounds to stop, so the validation segment is not looked at."""
        chosen = settings.random_forest
        X = data.X[segments.fit]
        value, told = (
            _grow(X, *target.of(segments.fit), chosen)
            for target in (
                targets.returns(data, segments, weight, clip=chosen.target_clip),
                targets.direction(data, weight),
            )
        )
        return FittedRandomForest(value, told, chosen.model_dump())


def _grow(X: F32, target: F64, weight: F64, chosen: RandomForestSettings) -> RandomForestRegressor:
    forest = RandomForestRegressor(
        n_estimators=chosen.n_estimators,
        max_depth=chosen.max_depth,
        min_weight_fraction_leaf=chosen.min_leaf_share,
        max_features=chosen.max_features,
        max_samples=min(chosen.max_samples, len(X)),
        random_state=chosen.seed,
        n_jobs=chosen.threads,
    ).fit(X, target, sample_weight=weight)
    # Several threads would add up the trees in the order in which they end, with other last bits on every call.
    return forest.set_params(n_jobs=1)


def _ensemble(forest: RandomForestRegressor) -> Ensemble:
    """The forest's trees, each leaf with its part of the mean."""
    parts = (_tree(grown.tree_, share=1.0 / len(forest.estimators_)) for grown in forest.estimators_)
    return Ensemble(tuple(parts), base=0.0, passes="<=")


def _tree(grown: Any, *, share: float) -> Tree:
    """scikit-learn marks a leaf by -1, our LEAF, and compares float32 inputs with float64 thresholds."""
    return Tree(
        feature=grown.feature,
        threshold=trees.floor32(grown.threshold),
        left=grown.children_left,
        right=grown.children_right,
        null_left=grown.missing_go_to_left.astype(np.bool_),
        value=share * grown.value[:, 0, 0],
    )


FAMILY = RandomForest()
