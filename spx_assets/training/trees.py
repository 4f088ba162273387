"""Decision trees as arrays, and as a node of an ONNX graph.

Belongs here: the one description of a summed set of trees that a family's own format is turned into, its graph. Does not:
reading a library's format (`families`), the graph's contract (`export`).

Written node by node instead of through a converter, so that thresholds keep the library's bits, a null goes where the library
sends it, and the same model is the same bytes.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper

from spx_assets.training import export

I64 = npt.NDArray[np.int64]
F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]

LEAF = -1
"""`left` of a node that asks nothing."""


@dataclass(frozen=True)
class Tree:
    """One tree; arrays of one entry a node, the root first."""

    feature: I64
    threshold: F32
    left: I64
    """Number of the node for rows that pass; LEAF for a leaf."""
    right: I64
    null_left: npt.NDArray[np.bool_]
    """Whether a null passes."""
    value: F64
    """What a leaf adds to the sum; of no meaning in other nodes."""


@dataclass(frozen=True)
class Ensemble:
    """base + the sum over trees of the leaf a row falls into; a row passes a node if x < threshold (or <=)."""

    trees: tuple[Tree, ...]
    base: float
    passes: Literal["<", "<="]


def floor32(exact: F64) -> F32:
    """The largest float32 not above each value.

    Inputs are float32, so x <= threshold and x <= floor32(threshold) are the same: answers do not change, and rounding to
    nearest, which would send a value equal to the rounded threshold the other way, cannot happen.
    """
    limits = np.finfo(np.float32)
    near = np.clip(exact, limits.min, limits.max).astype(np.float32)
    with np.errstate(over="ignore"):
        floored: F32 = np.where(near <= exact, near, np.nextafter(near, np.float32(-np.inf)))
    return floored


def model(returns: Ensemble, direction: Ensemble, *, features: int, log_odds: bool) -> onnx.ModelProto:
    """The graph of both heads; `log_odds` if the direction's sum is the logit of the probability and not the probability."""
    axis = {"axis": np.array([1], dtype=np.int64)}
    last = [helper.make_node("Sigmoid", ["sum"], ["up"])] if log_odds else [helper.make_node("Identity", ["sum"], ["up"])]
    nodes = [
        _node(returns, output="value"),
        _node(direction, output="sum"),
        *last,
        helper.make_node("Squeeze", ["value", "axis"], ["return_bp"]),
        helper.make_node("Squeeze", ["up", "axis"], ["probability_up"]),
    ]
    return export.model(nodes, features=features, constants=axis)


def _node(ensemble: Ensemble, *, output: str) -> onnx.NodeProto:
    """X [n, f] -> sums [n, 1]."""
    trees = ensemble.trees
    sizes = [len(tree.left) for tree in trees]
    leaf = np.concatenate([tree.left for tree in trees]) == LEAF
    tree_ids = np.repeat(np.arange(len(trees)), sizes)
    node_ids = np.concatenate([np.arange(size) for size in sizes])
    asks = "BRANCH_LT" if ensemble.passes == "<" else "BRANCH_LEQ"

    def inner(parts: Iterable[npt.NDArray[np.generic]]) -> npt.NDArray[np.generic]:
        return np.where(leaf, 0, np.concatenate(list(parts)))

    return helper.make_node(
        "TreeEnsembleRegressor",
        ["X"],
        [output],
        domain="ai.onnx.ml",
        n_targets=1,
        post_transform="NONE",
        base_values=[ensemble.base],
        nodes_treeids=tree_ids.tolist(),
        nodes_nodeids=node_ids.tolist(),
        nodes_modes=["LEAF" if at_end else asks for at_end in leaf.tolist()],
        nodes_featureids=inner(tree.feature for tree in trees).tolist(),
        nodes_values=inner(tree.threshold for tree in trees).astype(np.float32).tolist(),
        nodes_truenodeids=inner(tree.left for tree in trees).tolist(),
        nodes_falsenodeids=inner(tree.right for tree in trees).tolist(),
        nodes_missing_value_tracks_true=inner(tree.null_left for tree in trees).astype(np.int64).tolist(),
        target_treeids=tree_ids[leaf].tolist(),
        target_nodeids=node_ids[leaf].tolist(),
        target_ids=[0] * int(leaf.sum()),
        target_weights=np.concatenate([tree.value for tree in trees])[leaf].tolist(),
    )
