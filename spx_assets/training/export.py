"""One ONNX graph with both heads, and the proof that it answers as the native model does.

Belongs here: nodes put into `scoring.graphs`'s contract, parity. Does not: a family's nodes (`families`, `trees`), writing
artifacts (`scoring.artifact`).
"""

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from spx_assets.scoring import graphs
from spx_assets.training.errors import NotEnoughRowsError, ParityError

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
Constant = npt.NDArray[np.int64] | npt.NDArray[np.float32] | F64

PARITY_ROWS = 10_000
NULL_ROWS = 1_000
IR_VERSION = 8
OPSETS = {"": 15, "ai.onnx.ml": 1}
"""What onnxruntime reads since 1.12; the nodes of all families (tree ensembles, sums, Where, Sigmoid) mean the same in all."""


def model(
    nodes: list[onnx.NodeProto], *, features: int, constants: Mapping[str, Constant], input_rows: int = 1
) -> onnx.ModelProto:
    """A model of nodes that lead from X float32 [n, features] to return_bp [n] and probability_up [n].

    X is [n, input_rows, features] for a model of several rows. The same nodes are the same bytes.
    """
    for k, node in enumerate(nodes):
        node.name = f"{node.op_type}_{k}"
    X: list[str | int] = ["n", features] if input_rows == 1 else ["n", input_rows, features]
    graph = helper.make_graph(
        nodes,
        "heads",
        [helper.make_tensor_value_info("X", TensorProto.FLOAT, X)],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n"]) for name in ("return_bp", "probability_up")],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
        doc_string="return_bp and probability_up of X",
    )
    opsets = [helper.make_opsetid(domain, version) for domain, version in OPSETS.items()]
    made = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION)
    onnx.checker.check_model(made)
    return made


def check_parity(native: Callable[[F32], tuple[F64, F64]], model: bytes, X: F32, *, tolerance: float, seed: int = 7) -> float:
    """The largest difference between the native heads and the graph on rows of X, and on rows with nulls put in.

    Up to 10,000 rows evenly spread, and 1,000 of them again with a random half of their inputs null, the last one wholly.
    Differences are relative to 1 or the value, whichever is larger. ParityError past `tolerance`, NotEnoughRowsError where X
    has no row to compare on.
    """
    if not len(X):
        raise NotEnoughRowsError(
            "no out-of-time row has as many bars behind it, without a gap, as the model looks at: its graph cannot be compared "
            "with the native model. Backfill more weeks, or look at fewer bars (SPX_MODELS__LSTM__SEQUENCE)"
        )
    rows = X[np.unique(np.linspace(0, len(X) - 1, PARITY_ROWS).astype(np.intp))]
    nulls = rows[:: max(1, len(rows) // NULL_ROWS)].copy()
    nulls[np.random.default_rng(seed).random(nulls.shape) < 0.5] = np.nan
    nulls[-1] = np.nan
    asked = np.concatenate([rows, nulls])
    answers = zip(native(asked), graphs.heads(graphs.session(model), asked), strict=True)
    worst = max(float(np.max(np.abs(a - b) / np.maximum(1.0, np.abs(a)))) for a, b in answers)
    if not worst <= tolerance:
        raise ParityError(
            f"the exported graph differs from the native model by {worst:.2g} on held rows (allowed {tolerance:g}); "
            "nothing was written. Retrain with fewer rounds, or raise SPX_MODELS__GATE__PARITY if that is acceptable"
        )
    return worst
