"""LightGBM: gradient-boosted trees, one booster a head.

Belongs here: parameters, fitting, reading its trees. Does not: the graph (`trees`), targets (`targets`), evaluation.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
import onnx

from spx_assets.settings import LightGBMSettings, ModelSettings
from spx_assets.training import trees
from spx_assets.training.dataset import Dataset
from spx_assets.training.families import targets
from spx_assets.training.families.base import gain_shares
from spx_assets.training.families.targets import Target
from spx_assets.training.rehearsal import Watch
from spx_assets.training.splits import Rows, Segments
from spx_assets.training.trees import LEAF, Ensemble, Tree, floor32

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]

THRESHOLD = re.compile(r"^threshold=(.*)$", re.MULTILINE)
TREE_SIZES = re.compile(r"^tree_sizes=.*\n", re.MULTILINE)
TREE = re.compile(r"^Tree=\d+\n", re.MULTILINE)
ANY_LEAF = {"min_data_in_leaf": 1}
"""Bins that fit trees of any leaves: LightGBM leaves out the features that cannot fill two leaves of the size it bins for."""
FIELD = re.compile(r"^(\w+)=(.*)$", re.MULTILINE)

DEFAULT_LEFT, NULLS, NULLS_KNOWN = 0b10, 0b1100, 0b1000
"""Bits of a split's `decision_type` in LightGBM's text: where a null goes, and whether the feature had nulls while fitting."""


@dataclass(frozen=True)
class FittedLightGBM:
    """Two boosters, cut at the round that served the validation segment best."""

    returns: lgb.Booster
    direction: lgb.Booster
    parameters: Mapping[str, str | int | float | bool]
    input_rows: int = field(default=1, init=False)

    def heads(self, X: F32) -> tuple[F64, F64]:
        """(return_bp, raw probability_up) of X [n, f]."""
        return np.asarray(self.returns.predict(X), np.float64), np.asarray(self.direction.predict(X), np.float64)

    def gain(self) -> Mapping[int, float]:
        """Share of the gain by input."""
        return gain_shares(*(head.feature_importance("gain") for head in (self.returns, self.direction)))

    def export(self) -> onnx.ModelProto:
        """Both boosters as one graph."""
        return trees.model(_ensemble(self.returns), _ensemble(self.direction), features=self.returns.num_feature(), log_odds=True)


class LightGBM:
    name = "lightgbm"

    def fit(self, data: Dataset, segments: Segments, weight: F64, settings: ModelSettings) -> FittedLightGBM:
        """Both heads, on histogram bins made once."""
        chosen = settings.lightgbm
        binned = _bin(data.X, (segments.fit, segments.validation), chosen)
        value = targets.returns(data, segments, weight, clip=chosen.target_clip)
        returns = _boost("regression", "l2", binned, value, chosen)
        direction = _boost("binary", "binary_logloss", binned, targets.direction(data, weight), chosen)
        rounds = {"rounds_return": returns.num_trees(), "rounds_direction": direction.num_trees()}
        return FittedLightGBM(returns, direction, {**chosen.model_dump(), **rounds})

    def rehearse(self, data: Dataset, segments: Segments, weight: F64, settings: ModelSettings) -> "_Rehearsal":
        """Fits on histogram bins made once for all of them: bins of 460,000 rows take 7 CPU s, a head about 12."""
        chosen = settings.lightgbm
        binned = _bin(data.X, (segments.fit, segments.validation), chosen, **ANY_LEAF)
        value = targets.returns(data, segments, weight, clip=chosen.target_clip)
        return _Rehearsal(data.X, binned, value, targets.direction(data, weight))


@dataclass(frozen=True)
class _Binned:
    """Histogram bins of the fit and validation rows, made once for both heads: they take longer than a booster of 50 trees."""

    fit: lgb.Dataset
    validation: lgb.Dataset
    rows: tuple[Rows, Rows]

    def label(self, target: Target) -> None:
        """Gives both segments the target and weights of one head."""
        for part, rows in zip((self.fit, self.validation), self.rows, strict=True):
            values, weight = target.of(rows)
            part.set_label(values)
            part.set_weight(weight)


@dataclass(frozen=True)
class _Rehearsal:
    """Heads fitted on the same bins with other parameters."""

    X: F32
    binned: _Binned
    value: Target
    told: Target

    def forecasts(self, settings: ModelSettings, asked: Rows, *, returns: bool, watch: Watch) -> tuple[Rows, F64, F64]:
        """The direction first: a fit that its watch gives up needs no return."""
        chosen, X = settings.lightgbm, self.X[asked]

        def watched(env: Any) -> None:
            watch((env.iteration + 1) * chosen.learning_rate, env.evaluation_result_list[0][2])

        p = _train("binary", "binary_logloss", self.binned, self.told, chosen, watched).predict(X)
        if not returns:
            return asked, np.full(len(asked), np.nan), np.asarray(p, np.float64)
        value = _train("regression", "l2", self.binned, self.value, chosen).predict(X)
        return asked, np.asarray(value, np.float64), np.asarray(p, np.float64)


def _bin(X: F32, rows: tuple[Rows, Rows], chosen: LightGBMSettings, **more: Any) -> _Binned:
    parameters = {**_parameters(chosen), **more}
    fit = lgb.Dataset(X[rows[0]], np.zeros(len(rows[0])), params=parameters).construct()
    return _Binned(fit, fit.create_valid(X[rows[1]], np.zeros(len(rows[1])), params=parameters).construct(), rows)


def _parameters(chosen: LightGBMSettings) -> dict[str, Any]:
    return {
        "learning_rate": chosen.learning_rate,
        "num_leaves": chosen.num_leaves,
        "min_data_in_leaf": chosen.min_child_samples,
        "feature_fraction": chosen.feature_fraction,
        "bagging_fraction": chosen.bagging_fraction,
        "bagging_freq": 1,
        "lambda_l2": chosen.lambda_l2,
        "max_bin": chosen.max_bin,
        "seed": chosen.seed,
        "num_threads": chosen.threads,
        # The same bits on every run: no choice of layout by timing, no sums in an order that threads decide.
        "deterministic": True,
        "force_row_wise": True,
        "verbosity": -1,
    }


def _boost(objective: str, metric: str, binned: _Binned, target: Target, chosen: LightGBMSettings) -> lgb.Booster:
    """One booster, stopped early on the validation rows, its thresholds as float32 can compare them."""
    booster = _train(objective, metric, binned, target, chosen)
    return lgb.Booster(model_str=_as_float32(booster.model_to_string(num_iteration=booster.best_iteration)))


def _train(
    objective: str,
    metric: str,
    binned: _Binned,
    target: Target,
    chosen: LightGBMSettings,
    *callbacks: Callable[[Any], None],
) -> lgb.Booster:
    """One booster that forecasts with its best round, as LightGBM made it."""
    binned.label(target)
    return lgb.train(
        {**_parameters(chosen), "objective": objective, "metric": metric},
        binned.fit,
        num_boost_round=chosen.max_rounds,
        valid_sets=[binned.validation],
        callbacks=[lgb.early_stopping(chosen.early_stopping_rounds, verbose=False), *callbacks],
    )


def _as_float32(model: str) -> str:
    """The model with each split threshold moved down to the next float32, where the graph compares."""

    def floored(found: re.Match[str]) -> str:
        exact = np.array(found[1].split(), dtype=np.float64)
        return "threshold=" + " ".join(repr(float(value)) for value in floor32(exact))

    # The header's sizes of the trees' texts no longer fit; without them LightGBM reads tree after tree.
    return THRESHOLD.sub(floored, TREE_SIZES.sub("", model))


def _ensemble(booster: lgb.Booster) -> Ensemble:
    """The booster's trees from its text: a block of `field=values` lines a tree. The average is in the first tree's leaves."""
    _, *blocks = TREE.split(booster.model_to_string().split("end of trees")[0])
    return Ensemble(tuple(_tree(dict(FIELD.findall(block))) for block in blocks), base=0.0, passes="<=")


def _tree(told: Mapping[str, str]) -> Tree:
    """LightGBM numbers splits from 0 and leaves from -1 down; here leaves follow the splits."""
    splits = int(told["num_leaves"]) - 1

    def at_splits(name: str, kind: type[np.generic], *, at_leaves: int = 0) -> npt.NDArray[Any]:
        values = np.array(told[name].split() if splits else [], dtype=np.float64).astype(kind)
        return np.append(values, np.full(splits + 1, at_leaves, dtype=kind))

    def child(name: str) -> npt.NDArray[np.int64]:
        found = at_splits(name, np.int64, at_leaves=LEAF)
        found[:splits] = np.where(found[:splits] < 0, splits + ~found[:splits], found[:splits])
        return found

    threshold, how = at_splits("threshold", np.float32), at_splits("decision_type", np.int64)
    # A feature without nulls while fitting takes a null for 0.
    null_left = np.where(how & NULLS == NULLS_KNOWN, how & DEFAULT_LEFT > 0, threshold >= 0)
    value = np.append(np.zeros(splits), np.array(told["leaf_value"].split(), dtype=np.float64))
    return Tree(at_splits("split_feature", np.int64), threshold, child("left_child"), child("right_child"), null_left, value)


FAMILY = LightGBM()
