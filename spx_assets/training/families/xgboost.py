"""XGBoost: gradient-boosted trees by histogram, one booster a head, grown level by level.

Belongs here: parameters, fitting, reading its trees. Does not: the graph (`trees`), targets (`targets`), evaluation.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import xgboost as xgb

from spx_assets.settings import ModelSettings, XGBoostSettings
from spx_assets.training import trees
from spx_assets.training.dataset import Dataset
from spx_assets.training.families import targets
from spx_assets.training.families.base import gain_shares
from spx_assets.training.families.targets import Target
from spx_assets.training.rehearsal import Watch
from spx_assets.training.splits import Rows, Segments
from spx_assets.training.trees import Ensemble, Tree

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]

HESSIAN = {"reg:squarederror": 1.0, "binary:logistic": 0.25}
"""What a row of weight 1 adds to `min_child_weight`, which XGBoost counts in second derivatives: p (1 - p) is near a quarter."""


@dataclass(frozen=True)
class FittedXGBoost:
    """Two boosters, cut at the round that served the validation segment best."""

    returns: xgb.Booster
    direction: xgb.Booster
    parameters: Mapping[str, str | int | float | bool]
    input_rows: int = field(default=1, init=False)

    def heads(self, X: F32) -> tuple[F64, F64]:
        """(return_bp, raw probability_up) of X [n, f]."""
        value, p = (np.asarray(head.inplace_predict(X), np.float64) for head in (self.returns, self.direction))
        return value, p

    def gain(self) -> Mapping[int, float]:
        """Share of the gain by input."""
        return gain_shares(*(_gain(head) for head in (self.returns, self.direction)))

    def export(self) -> onnx.ModelProto:
        """Both boosters as one graph."""
        return trees.model(
            _ensemble(self.returns), _ensemble(self.direction), features=self.returns.num_features(), log_odds=True
        )


def _gain(booster: xgb.Booster) -> F64:
    """Gain of every input; XGBoost names those its trees ask for f0, f1, ..."""
    told = booster.get_score(importance_type="total_gain")
    return np.array([told.get(f"f{k}", 0.0) for k in range(booster.num_features())], dtype=np.float64)


class XGBoost:
    name = "xgboost"

    def fit(self, data: Dataset, segments: Segments, weight: F64, settings: ModelSettings) -> FittedXGBoost:
        """Both heads, on histogram bins made once."""
        chosen = settings.xgboost
        binned = _bin(data.X, (segments.fit, segments.validation), chosen)
        value = targets.returns(data, segments, weight, clip=chosen.target_clip)
        returns = _boost("reg:squarederror", "rmse", binned, value, chosen)
        direction = _boost("binary:logistic", "logloss", binned, targets.direction(data, weight), chosen)
        rounds = {"rounds_return": returns.num_boosted_rounds(), "rounds_direction": direction.num_boosted_rounds()}
        return FittedXGBoost(returns, direction, {**chosen.model_dump(), **rounds})

    def rehearse(self, data: Dataset, segments: Segments, weight: F64, settings: ModelSettings) -> "_Rehearsal":
        """Fits on histogram bins made once for all of them."""
        chosen = settings.xgboost
        binned = _bin(data.X, (segments.fit, segments.validation), chosen)
        value = targets.returns(data, segments, weight, clip=chosen.target_clip)
        return _Rehearsal(data.X, binned, value, targets.direction(data, weight))


@dataclass(frozen=True)
class _Binned:
    """Histogram bins of the fit and validation rows: a byte a value, where X has four."""

    fit: xgb.QuantileDMatrix
    validation: xgb.QuantileDMatrix
    rows: tuple[Rows, Rows]

    def label(self, target: Target) -> None:
        """Gives both segments the target and weights of one head."""
        for part, rows in zip((self.fit, self.validation), self.rows, strict=True):
            values, weight = target.of(rows)
            part.set_info(label=values, weight=weight)


@dataclass(frozen=True)
class _Rehearsal:
    """Heads fitted on the same bins with other parameters."""

    X: F32
    binned: _Binned
    value: Target
    told: Target

    def forecasts(self, settings: ModelSettings, asked: Rows, *, returns: bool, watch: Watch) -> tuple[Rows, F64, F64]:
        """The direction first: a fit that its watch gives up needs no return."""
        chosen, X = settings.xgboost, self.X[asked]
        watched = _Watched(watch, chosen.learning_rate)
        p = _boost("binary:logistic", "logloss", self.binned, self.told, chosen, watched).inplace_predict(X)
        if not returns:
            return asked, np.full(len(asked), np.nan), np.asarray(p, np.float64)
        value = _boost("reg:squarederror", "rmse", self.binned, self.value, chosen).inplace_predict(X)
        return asked, np.asarray(value, np.float64), np.asarray(p, np.float64)


class _Watched(xgb.callback.TrainingCallback):
    """Tells the newest validation loss after each round."""

    def __init__(self, watch: Watch, learning_rate: float) -> None:
        super().__init__()
        self._watch = watch
        self._learning_rate = learning_rate

    def after_iteration(self, model: Any, epoch: int, evals_log: Mapping[str, Mapping[str, Any]]) -> bool:
        (losses,) = evals_log["validation"].values()
        self._watch((epoch + 1) * self._learning_rate, losses[-1])
        return False


def _bin(X: F32, rows: tuple[Rows, Rows], chosen: XGBoostSettings) -> _Binned:
    fit = xgb.QuantileDMatrix(X[rows[0]], max_bin=chosen.max_bin, nthread=chosen.threads)
    validation = xgb.QuantileDMatrix(X[rows[1]], max_bin=chosen.max_bin, nthread=chosen.threads, ref=fit)
    return _Binned(fit, validation, rows)


def _boost(
    objective: str,
    metric: str,
    binned: _Binned,
    target: Target,
    chosen: XGBoostSettings,
    *callbacks: xgb.callback.TrainingCallback,
) -> xgb.Booster:
    """One booster, stopped early on the validation rows."""
    binned.label(target)
    booster = xgb.train(
        {
            "objective": objective,
            "eval_metric": metric,
            "tree_method": "hist",
            "learning_rate": chosen.learning_rate,
            "max_depth": chosen.max_depth,
            "min_child_weight": chosen.min_child_rows * HESSIAN[objective],
            "subsample": chosen.subsample,
            "colsample_bytree": chosen.colsample_bytree,
            "reg_lambda": chosen.reg_lambda,
            "max_bin": chosen.max_bin,
            "seed": chosen.seed,
            "nthread": chosen.threads,
            "verbosity": 1,
        },
        binned.fit,
        num_boost_round=chosen.max_rounds,
        evals=[(binned.validation, "validation")],
        early_stopping_rounds=chosen.early_stopping_rounds,
        verbose_eval=False,
        callbacks=list(callbacks),
    )
    return booster[: booster.best_iteration + 1]


def _ensemble(booster: xgb.Booster) -> Ensemble:
    """The booster's trees; its JSON gives each float32 in digits that read back to the same bits."""
    learner = json.loads(booster.save_raw("json"))["learner"]
    (base,) = json.loads(learner["learner_model_param"]["base_score"])
    logistic = learner["objective"]["name"] == "binary:logistic"
    return Ensemble(
        tuple(_tree(tree) for tree in learner["gradient_booster"]["model"]["trees"]),
        base=float(np.log(base / (1.0 - base))) if logistic else float(base),
        passes="<",
    )


def _tree(tree: Mapping[str, Any]) -> Tree:
    """In a leaf XGBoost keeps the value where another node has its threshold, and -1, our LEAF, as its children."""
    condition = np.asarray(tree["split_conditions"], dtype=np.float32)
    return Tree(
        feature=np.asarray(tree["split_indices"], dtype=np.int64),
        threshold=condition,
        left=np.asarray(tree["left_children"], dtype=np.int64),
        right=np.asarray(tree["right_children"], dtype=np.int64),
        null_left=np.asarray(tree["default_left"], dtype=np.bool_),
        value=condition.astype(np.float64),
    )


FAMILY = XGBoost()
