"""Levels of int8 that stand for weights and activations of a learned network.

Belongs here: scales of weights, scales and zeros of activations from what sample texts make of them. Does not: the graph.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from spx_assets.news.sentiment.training.network import Layer, Network

WEIGHT_LEVELS = 63
"""Weights use 7 bits: on processors without VNNI onnxruntime adds pairs of products in 16 bits, which 8 bits overflow."""


@dataclass(frozen=True)
class Levels:
    """An activation's 256 levels: value = (level - zero) * scale."""

    scale: float
    zero: int


def rounded(weight: NDArray[np.float32], axis: int) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """int8 levels and the scale along every other axis than `axis`: weight = levels * scale."""
    scale = np.maximum(np.abs(weight).max(axis=axis, keepdims=True), 1e-8) / WEIGHT_LEVELS
    return np.rint(weight / scale).astype(np.int8), scale.astype(np.float32)


@torch.inference_mode()
def learned(network: Network, ids: Sequence[list[int]]) -> dict[str, Levels]:
    """Levels of what enters each product, by name, from its least to its greatest value on the texts `ids`.

    None is cut off: without the outermost 1 in 1,000 a network lost a point of accuracy on headlines, five on report sentences.
    """
    network.eval()
    bounds: dict[str, tuple[float, float]] = {}

    def watch(name: str, _: object, inputs: tuple[Tensor, ...]) -> None:
        low, high = bounds.get(name, (0.0, 0.0))
        bounds[name] = (min(low, inputs[0].min().item()), max(high, inputs[0].max().item()))

    watches = []
    for at, layer in enumerate(cast(Sequence[Layer], network.layers)):
        of = f"layers.{at}"
        parts = {"x": layer, "seen": layer.out, "mid": layer.up, "active": layer.down}
        watches += [part.register_forward_pre_hook(partial(watch, f"{of}.{name}")) for name, part in parts.items()]
    for row in ids:
        network(torch.tensor([row]))
    for each in watches:
        each.remove()
    return {name: levels(low, high) for name, (low, high) in bounds.items()}


def levels(low: float, high: float) -> Levels:
    scale = max(high - low, 1e-6) / 255
    return Levels(scale, round(-low / scale))
