"""Trees as arrays become a graph that asks as they do."""

import numpy as np
import pytest

from spx_assets.scoring import graphs
from spx_assets.training import trees
from spx_assets.training.trees import LEAF, Ensemble, Tree


def stump(threshold: float, *, feature: int = 0, null_left: bool = False, left: float = 1.0, right: float = 2.0) -> Tree:
    """x < threshold (or <=) -> left, else right."""
    return Tree(
        feature=np.array([feature, 0, 0]),
        threshold=np.array([threshold, 0, 0], dtype=np.float32),
        left=np.array([1, LEAF, LEAF]),
        right=np.array([2, LEAF, LEAF]),
        null_left=np.array([null_left, False, False]),
        value=np.array([99.0, left, right]),
    )


def answers(returns: Ensemble, direction: Ensemble, X: list[list[float]], *, log_odds: bool = True) -> list[list[float]]:
    graph = trees.model(returns, direction, features=len(X[0]), log_odds=log_odds)
    heads = graphs.heads(graphs.session(graph.SerializeToString()), np.array(X, dtype=np.float32))
    return [head.tolist() for head in heads]


def test_a_row_passes_by_less_or_by_less_or_equal():
    less, at_most = (Ensemble((stump(0.5),), base=0.0, passes=passes) for passes in ("<", "<="))
    assert answers(less, at_most, [[0.4], [0.5], [0.6]], log_odds=False) == [[1, 2, 2], [1, 1, 2]]


def test_a_null_goes_where_the_tree_sends_it():
    left, right = (Ensemble((stump(0.5, null_left=goes),), base=0.0, passes="<=") for goes in (True, False))
    assert answers(left, right, [[np.nan]], log_odds=False) == [[1], [2]]


def test_leaves_are_added_to_the_base():
    three = (stump(0.0), stump(1.0, feature=1, left=10, right=20), stump(0.0, left=0.25, right=0.5))
    both = Ensemble(three, base=-4.0, passes="<")
    value, p = answers(both, both, [[-1, 0], [1, 2]])
    assert value == [7.25, 18.5]
    assert p == pytest.approx([1 / (1 + np.exp(-7.25)), 1 / (1 + np.exp(-18.5))], rel=1e-6)


def test_a_tree_of_one_leaf_answers_everything():
    leaf = Tree(
        *(np.zeros(1, dtype=kind) for kind in (np.int64, np.float32)), *(np.full(1, LEAF),) * 2, np.zeros(1, bool), np.ones(1)
    )
    one = Ensemble((leaf,), base=0.5, passes="<")
    assert answers(one, one, [[np.nan], [3.0]], log_odds=False) == [[1.5, 1.5], [1.5, 1.5]]


def test_a_threshold_is_floored_to_the_float32_below():
    exact = np.array([0.1, 0.5, -0.1, 1e300, -1e300])
    floored = trees.floor32(exact)
    assert floored.dtype == np.float32
    assert (floored[:3] <= exact[:3]).all()
    assert (np.nextafter(floored[:3], np.float32(np.inf)) > exact[:3]).all()
    assert floored[1] == 0.5
    assert floored[3:].tolist() == [np.finfo(np.float32).max, -np.inf]
