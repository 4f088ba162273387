"""One ONNX graph with both heads, and the proof that it answers as the native model does.

Belongs here: nodes and graphs put into `scoring.graphs`'s contract, parity. Does not: converting a family's model (`families`,
`trees`), writing artifacts (`scoring.artifact`).
"""

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, compose, helper, numpy_helper

from spx_assets.scoring import graphs
from spx_assets.training.errors import ParityError

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
Constant = npt.NDArray[np.int64] | npt.NDArray[np.float32]

PARITY_ROWS = 10_000
NULL_ROWS = 1_000
IR_VERSION = 8
OPSETS = {"": 15, "ai.onnx.ml": 1}
"""What onnxruntime reads since 1.12; the nodes of all families (tree ensembles, sums, Where, Sigmoid) mean the same in all."""


def model(
    nodes: list[onnx.NodeProto], *, features: int, constants: Mapping[str, Constant], input_rows: int = 1
) -> onnx.ModelProto:
    """A model of nodes that lead from X float32 [n, features] to return_bp [n] and probability_up [n].

    X is [n, input_rows, features] for a model of several rows.
    """
    made = _model(
        nodes,
        inputs={"X": ["n", features] if input_rows == 1 else ["n", input_rows, features]},
        outputs={"return_bp": ["n"], "probability_up": ["n"]},
        constants=constants,
    )
    return _finished(made)


def merge(returns: onnx.ModelProto, direction: onnx.ModelProto, *, features: int) -> onnx.ModelProto:
    """One model from a regressor and a classifier of the same X float32 [n, features].

    Of the classifier only the probability of class 1 is kept. The graph's outputs are return_bp [n] and probability_up [n].
    """
    parts = [compose.add_prefix(_modern(part), prefix) for part, prefix in ((returns, "return_"), (direction, "direction_"))]
    # A graph has each input once, so X is handed to the two parts under names of their own.
    both = _model(
        [helper.make_node("Identity", ["X"], [f"X_{k}"]) for k in range(2)],
        inputs={"X": ["n", features]},
        outputs={f"X_{k}": ["n", features] for k in range(2)},
    )
    for k, part in enumerate(parts):
        both = compose.merge_models(both, part, io_map=[(f"X_{k}", part.graph.input[0].name)])
    value, probabilities = (part.graph.output[-1].name for part in parts)
    ends = _model(
        [
            helper.make_node("Squeeze", ["value", "axis"], ["return_bp"]),
            helper.make_node("Gather", ["probabilities", "up"], ["probability_up"], axis=1),
        ],
        inputs={"value": ["n", 1], "probabilities": ["n", 2]},
        outputs={"return_bp": ["n"], "probability_up": ["n"]},
        constants={"axis": np.array([1]), "up": np.array(1)},
    )
    merged = compose.merge_models(both, ends, io_map=[(value, "value"), (probabilities, "probabilities")])
    kept = [output for output in merged.graph.output if output.name in ("return_bp", "probability_up")]
    del merged.graph.output[:]
    merged.graph.output.extend(kept)
    return _finished(merged)


def check_parity(native: Callable[[F32], tuple[F64, F64]], model: bytes, X: F32, *, tolerance: float, seed: int = 7) -> float:
    """The largest difference between the native heads and the graph on rows of X, and on rows with nulls put in.

    Up to 10,000 rows evenly spread, and 1,000 of them again with a random half of their inputs null, the last one wholly.
    Differences are relative to 1 or the value, whichever is larger. ParityError past `tolerance`.
    """
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


def _finished(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model checked and renamed: converters name graphs and nodes at random, and the same model is to be the same bytes."""
    model.graph.name, model.graph.doc_string = "heads", "return_bp and probability_up of X"
    for k, node in enumerate(model.graph.node):
        node.name = f"{node.op_type}_{k}"
    onnx.checker.check_model(model)
    return model


def _modern(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same nodes under the opsets and IR version that all parts share."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    copy.ir_version = IR_VERSION
    del copy.opset_import[:]
    copy.opset_import.extend(helper.make_opsetid(domain, version) for domain, version in OPSETS.items())
    return copy


def _model(
    nodes: list[onnx.NodeProto],
    *,
    inputs: dict[str, list[str | int]],
    outputs: dict[str, list[str | int]],
    constants: Mapping[str, Constant] | None = None,
) -> onnx.ModelProto:
    graph = helper.make_graph(
        nodes,
        "heads",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in inputs.items()],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in outputs.items()],
        [numpy_helper.from_array(value, name) for name, value in (constants or {}).items()],
    )
    opsets = [helper.make_opsetid(domain, version) for domain, version in OPSETS.items()]
    return helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION)
