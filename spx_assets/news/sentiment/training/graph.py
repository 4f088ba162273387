"""The learned network as an ONNX graph of texts of one length, weights and activations in int8.

Belongs here: the graph's nodes and the order of its arithmetic. Does not: learning, which levels stand for what (`levels`),
sessions (`embedded`).

A text's numbers must not depend on the texts it is scored with. Scales of activations are therefore constants, learned from
sample texts, and not those of the rows at hand; texts of one batch have one length, so nothing is padded; products are of whole
numbers, which no order of summing changes; and the two sums over floats whose order onnxruntime chooses by the number of texts
(the mean over tokens, the head) are written so that it has no choice.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from spx_assets.news.sentiment.training.levels import Levels, rounded
from spx_assets.news.sentiment.training.network import EPS, GELU_SLOPE, HEADS, WIDTH, Network

FUSED = "com.microsoft"
OPSETS = {"": 17, FUSED: 1}
Array = NDArray[np.float32]
Rows = tuple[str, str, str]
"""Names of a tensor in levels, of its scale and of its zero."""


class Graph:
    """Nodes and constants as they are added; every method gives the name of its output."""

    def __init__(self, state: dict[str, Array], levels: dict[str, Levels]) -> None:
        self.state = state
        self.levels = levels
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, name: str, value: NDArray[np.generic]) -> str:
        self.constants.append(numpy_helper.from_array(np.asarray(value, order="C"), name))
        return name

    def node(self, kind: str, inputs: list[str], output: str, *, fused: bool = False, **attributes: Any) -> str:
        domain = FUSED if fused else ""
        self.nodes.append(helper.make_node(kind, inputs, [output], name=output, domain=domain, **attributes))
        return output

    def rounded(self, x: str, name: str) -> Rows:
        """x as uint8 by the levels learned for `name`."""
        scale = self.constant(f"{name}.scale", np.array(self.levels[name].scale, np.float32))
        zero = self.constant(f"{name}.zero", np.array(self.levels[name].zero, np.uint8))
        return self.node("QuantizeLinear", [x, scale, zero], f"{name}.levels"), scale, zero

    def product(self, x: Rows, name: str, rows: slice = slice(None)) -> str:
        """x @ weight.T + bias of the state's `name`, or of some `rows` of it: float32, weight rounded with a scale per output."""
        output = name if rows == slice(None) else f"{name}.{rows.start or 0}"
        weight, scale = rounded(self.state[f"{name}.weight"][rows].T, axis=0)
        inputs = [x[0], self.constant(f"{output}.weight", weight), x[1], self.constant(f"{output}.weight_scale", scale.ravel())]
        bias = self.constant(f"{output}.bias", self.state[f"{name}.bias"][rows])
        return self.node("MatMulIntegerToFloat", [*inputs, x[2], "", bias], output, fused=True)

    def norm(self, x: str, name: str) -> str:
        inputs = [x, *(self.constant(f"{name}.{kind}", self.state[f"{name}.{kind}"]) for kind in ("weight", "bias"))]
        return self.node("LayerNormalization", inputs, name, epsilon=EPS)


def sloped(state: dict[str, Array], levels: dict[str, Levels], layers: list[str]) -> tuple[dict[str, Array], dict[str, Levels]]:
    """The same network with x * sigmoid(x) in place of GELU: the slope goes into the products before and after.

    onnxruntime takes half the time for slope one.
    """
    state, levels = {**state}, {**levels}
    for of in layers:
        for name in (f"{of}.up.weight", f"{of}.up.bias"):
            state[name] = state[name] * np.float32(GELU_SLOPE)
        state[f"{of}.down.weight"] = state[f"{of}.down.weight"] / np.float32(GELU_SLOPE)
        active = levels[f"{of}.active"]
        levels[f"{of}.active"] = replace(active, scale=active.scale * GELU_SLOPE)
    return state, levels


def build(network: Network, levels: dict[str, Levels]) -> onnx.ModelProto:
    """Inputs: ids int64 [n, t]. Output: probabilities float32 [n, 3] of negative, neutral, positive."""
    *whole, last = names = [f"layers.{at}" for at in range(len(network.layers))]
    graph = Graph(*sloped({name: value.detach().numpy() for name, value in network.state_dict().items()}, levels, names))
    x = embedding(graph)
    for of in whole:
        x = after_attention(graph, of, x, attention(graph, of, rows := graph.rounded(x, f"{of}.x"), rows))
    rows = graph.rounded(x, f"{last}.x")
    head(graph, rows, last_layer(graph, last, x, rows), levels[f"{last}.x"])
    made = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "sentiment",
            [helper.make_tensor_value_info("ids", TensorProto.INT64, ["n", "t"])],
            [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", 3])],
            graph.constants,
        ),
        opset_imports=[helper.make_opsetid(domain, version) for domain, version in OPSETS.items()],
        ir_version=8,
        producer_name="spx-assets",
    )
    onnx.checker.check_model(made)
    return made


def embedding(graph: Graph) -> str:
    levels, scale = rounded(graph.state["tokens.weight"], axis=1)
    rows = graph.node("Gather", [graph.constant("tokens", levels), "ids"], "token_levels")
    scales = graph.node("Gather", [graph.constant("tokens.scale", scale), "ids"], "token_scales")
    tokens = graph.node("Mul", [graph.node("Cast", [rows], "token_floats", to=TensorProto.FLOAT), scales], "token_values")
    length = graph.node("Shape", ["ids"], "length", start=1)
    starts = graph.constant("starts", np.array([0], np.int64))
    positions = graph.constant("positions", graph.state["positions.weight"].astype(np.float16))
    used = graph.node("Slice", [positions, starts, length, starts], "position_halves")
    summed = graph.node("Add", [tokens, graph.node("Cast", [used], "position_values", to=TensorProto.FLOAT)], "embedded")
    return graph.norm(summed, "norm")


def last_layer(graph: Graph, of: str, x: str, rows: Rows) -> str:
    """The layer of the first token alone, [n, 1, width]; `rows` are x in levels."""
    bounds = [graph.constant(f"{of}.{name}", np.array([at], np.int64)) for name, at in (("from", 0), ("to", 1), ("axis", 1))]
    first = (graph.node("Slice", [rows[0], *bounds], f"{of}.first_levels"), *rows[1:])
    return after_attention(graph, of, graph.node("Slice", [x, *bounds], f"{of}.first"), attention(graph, of, first, rows))


def attention(graph: Graph, of: str, asking: Rows, rows: Rows) -> str:
    """What the tokens `asking` see of the tokens `rows`."""
    # Three products, not one that is split: three fewer copies. QAttention, which does all of it, multiplies head by head, in
    # matrices of 32 columns: its four nodes took 12 to 14 ms for 20 texts of 25 tokens, these 10 to 12.
    query = graph.product(asking, f"{of}.qkv", slice(WIDTH))
    others = [graph.product(rows, f"{of}.qkv", slice(at * WIDTH, (at + 1) * WIDTH)) for at in (1, 2)]
    return graph.node("MultiHeadAttention", [query, *others], f"{of}.attention", fused=True, num_heads=HEADS)


def after_attention(graph: Graph, of: str, x: str, seen: str) -> str:
    # Sum and norm apart: onnxruntime's fused kernel of both took 100 us for 25 rows, these two 35.
    out = graph.product(graph.rounded(seen, f"{of}.seen"), f"{of}.out")
    x = graph.norm(graph.node("Add", [x, out], f"{of}.seen_sum"), f"{of}.attention_norm")
    up = graph.product(graph.rounded(x, f"{of}.mid"), f"{of}.up")
    active = graph.node("QuickGelu", [up], f"{of}.gelu", fused=True, alpha=1.0)
    down = graph.product(graph.rounded(active, f"{of}.active"), f"{of}.down")
    return graph.norm(graph.node("Add", [x, down], f"{of}.sum"), f"{of}.norm")


def head(graph: Graph, rows: Rows, first: str, levels: Levels) -> None:
    """Classes from the mean over all tokens and the first one."""
    weight, bias = graph.state["head.weight"], graph.state["head.bias"]
    # The mean is of levels, whose sum is exact in any order; their scale and zero go into the weights.
    sums = graph.node("Cast", [rows[0]], "level_floats", to=TensorProto.FLOAT)
    mean = graph.node("ReduceMean", [sums], "mean", axes=[1], keepdims=1)
    both = graph.node("Concat", [mean, first], "both", axis=2)
    of_mean = weight[:, :WIDTH] * np.float32(levels.scale)
    offset = bias - np.float32(levels.zero) * of_mean.sum(axis=1)
    # As a product of matrices a single text would be summed in another order than one of many.
    each = graph.node("Mul", [both, graph.constant("head.weight", np.hstack([of_mean, weight[:, WIDTH:]]))], "head.each")
    summed = graph.node("ReduceSum", [each, graph.constant("head.axis", np.array([2], np.int64))], "head.sum", keepdims=0)
    logits = graph.node("Add", [summed, graph.constant("head.bias", offset)], "logits")
    graph.node("Softmax", [logits], "probabilities", axis=-1)
