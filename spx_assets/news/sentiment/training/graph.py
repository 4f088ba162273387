"""The learned network as an ONNX graph of one text with int8 weights.

Belongs here: rounding to int8, the graph's nodes. Does not: learning, sessions (`embedded`).

A text is scored alone, without padding: int8 matrix products choose their scale by all the rows they see, so a text in a batch
would score by its neighbours. Alone costs 15 % more time than in batches of 32 and gives each text one answer.
"""

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from spx_assets.news.sentiment.training.network import EPS, HEADS, Network

FUSED = "com.microsoft"
OPSETS = {"": 17, FUSED: 1}
LEVELS = 63
"""Weights use 7 bits: on processors without VNNI onnxruntime adds pairs of products in 16 bits, which 8 bits overflow."""
Array = NDArray[np.float32]


class Graph:
    """Nodes and constants as they are added; every method gives the name of its output."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, name: str, value: NDArray[np.generic]) -> str:
        self.constants.append(numpy_helper.from_array(np.asarray(value, order="C"), name))
        return name

    def node(self, kind: str, inputs: list[str], output: str, *, fused: bool = False, **attributes: Any) -> str:
        domain = FUSED if fused else ""
        self.nodes.append(helper.make_node(kind, inputs, [output], name=output, domain=domain, **attributes))
        return output

    def product(self, x: str, name: str, weight: Array, bias: Array | None = None) -> str:
        """x @ weight.T + bias, weight [out, in] rounded to int8 with a scale per output."""
        levels, scale = rounded(weight.T, axis=0)
        inputs = [x, self.constant(f"{name}.weight", levels), self.constant(f"{name}.scale", scale.ravel()), ""]
        added = [self.constant(f"{name}.bias", bias)] if bias is not None else []
        return self.node("DynamicQuantizeMatMul", inputs + added, name, fused=True)

    def norm(self, x: str, name: str, state: dict[str, Array]) -> str:
        inputs = [x, *(self.constant(f"{name}.{kind}", state[f"{name}.{kind}"]) for kind in ("weight", "bias"))]
        return self.node("LayerNormalization", inputs, name, epsilon=EPS)


def rounded(weight: Array, axis: int) -> tuple[NDArray[np.int8], Array]:
    """int8 levels and the scale along every other axis than `axis`: weight = levels * scale."""
    scale = np.maximum(np.abs(weight).max(axis=axis, keepdims=True), 1e-8) / LEVELS
    return np.rint(weight / scale).astype(np.int8), scale.astype(np.float32)


def build(network: Network) -> onnx.ModelProto:
    """Inputs: ids int64 [1, t]. Output: probabilities float32 [1, 3] of negative, neutral, positive."""
    state: dict[str, Array] = {name: value.detach().numpy() for name, value in network.state_dict().items()}
    graph = Graph()
    x = embedding(graph, state)
    for at in range(len(network.layers)):
        x = layer(graph, state, f"layers.{at}", x)
    mean = graph.node("ReduceMean", [x], "mean", axes=[1], keepdims=0)
    first = graph.node("Gather", [x, graph.constant("zero", np.array(0, np.int64))], "first", axis=1)
    both = graph.node("Concat", [mean, first], "both", axis=1)
    head = [graph.constant("head.weight", state["head.weight"].T), graph.constant("head.bias", state["head.bias"])]
    logits = graph.node("Gemm", [both, *head], "logits")
    graph.node("Softmax", [logits], "probabilities", axis=-1)
    made = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "sentiment",
            [helper.make_tensor_value_info("ids", TensorProto.INT64, [1, "t"])],
            [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [1, 3])],
            graph.constants,
        ),
        opset_imports=[helper.make_opsetid(domain, version) for domain, version in OPSETS.items()],
        ir_version=8,
        producer_name="spx-assets",
    )
    onnx.checker.check_model(made)
    return made


def embedding(graph: Graph, state: dict[str, Array]) -> str:
    levels, scale = rounded(state["tokens.weight"], axis=1)
    rows = graph.node("Gather", [graph.constant("tokens", levels), "ids"], "token_levels")
    scales = graph.node("Gather", [graph.constant("tokens.scale", scale), "ids"], "token_scales")
    tokens = graph.node("Mul", [graph.node("Cast", [rows], "token_floats", to=TensorProto.FLOAT), scales], "token_values")
    length = graph.node("Shape", ["ids"], "length", start=1)
    starts = graph.constant("starts", np.array([0], np.int64))
    positions = graph.constant("positions", state["positions.weight"].astype(np.float16))
    used = graph.node("Slice", [positions, starts, length, starts], "position_halves")
    summed = graph.node("Add", [tokens, graph.node("Cast", [used], "position_values", to=TensorProto.FLOAT)], "embedded")
    return graph.norm(summed, "norm", state)


def layer(graph: Graph, state: dict[str, Array], of: str, x: str) -> str:
    joint = graph.product(x, f"{of}.qkv", state[f"{of}.qkv.weight"], state[f"{of}.qkv.bias"])
    parts = [f"{of}.q", f"{of}.k", f"{of}.v"]
    graph.nodes.append(helper.make_node("Split", [joint], parts, name=f"{of}.split", axis=2))
    seen = graph.node("MultiHeadAttention", parts, f"{of}.attention", fused=True, num_heads=HEADS)
    out = graph.product(seen, f"{of}.out", state[f"{of}.out.weight"], state[f"{of}.out.bias"])
    # Sum and norm apart: onnxruntime's fused kernel of both took 100 us for 25 rows, these two 35.
    x = graph.norm(graph.node("Add", [x, out], f"{of}.seen"), f"{of}.attention_norm", state)
    up = graph.product(x, f"{of}.up", state[f"{of}.up.weight"])
    active = graph.node("BiasGelu", [up, graph.constant(f"{of}.up.bias", state[f"{of}.up.bias"])], f"{of}.gelu", fused=True)
    down = graph.product(active, f"{of}.down", state[f"{of}.down.weight"], state[f"{of}.down.bias"])
    return graph.norm(graph.node("Add", [x, down], f"{of}.sum"), f"{of}.norm", state)
