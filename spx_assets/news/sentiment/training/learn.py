"""One learning run: examples in, a network out.

Belongs here: batches by length, loss, schedule, averaging of weights, class probabilities of a network. Does not: which
examples, what becomes of the network.
"""

import copy
import logging
import math
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor

from spx_assets.news.sentiment import embedded
from spx_assets.news.sentiment.training.network import Network

log = logging.getLogger(__name__)
Targets = NDArray[np.float32]


@dataclass(frozen=True)
class Plan:
    batch: int = 32
    rate: float = 1e-4
    head_rate: float = 1e-3
    decay: float = 0.01
    warm: float = 0.1
    smoothing: float = 0.05
    average: float = 0.995
    """Share of the running mean of the weights that a step keeps: the mean of about 200 steps is what is judged and kept."""


@dataclass(frozen=True)
class Coded:
    """Texts as token numbers, the class probabilities wanted of them, and how much each counts."""

    ids: Sequence[list[int]]
    targets: Targets
    weight: NDArray[np.float32]


def learn(network: Network, epochs: Sequence[Coded], plan: Plan, seed: int, after: Callable[[Network], object]) -> Network:
    """The mean network of a run over `epochs`, each of them drawn anew by the caller; `after` sees it after each."""
    torch.manual_seed(seed)
    rng = random.Random(seed)
    head = list(network.head.parameters())
    body = [p for name, p in network.named_parameters() if not name.startswith("head.")]
    optimizer = torch.optim.AdamW(
        [{"params": body, "lr": plan.rate}, {"params": head, "lr": plan.head_rate}], weight_decay=plan.decay, fused=True
    )
    steps = sum(math.ceil(len(epoch.ids) / plan.batch) for epoch in epochs)
    warm = max(1, int(steps * plan.warm))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / warm, max(0.02, (steps - step) / (steps - warm)))
    )
    mean = copy.deepcopy(network).eval()
    network.train()
    step, began = 0, time.monotonic()
    for number, epoch in enumerate(epochs):
        lost = 0.0
        for ids, targets, weight in batches(epoch, plan.batch, rng):
            wanted = targets * (1 - plan.smoothing) + plan.smoothing / 3
            each = -(wanted * torch.log_softmax(network(ids), -1)).sum(-1)
            loss = (each * weight).sum() / weight.sum()
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            step += 1
            lost += loss.item()
            with torch.no_grad():
                keep = min(plan.average, step / (step + 9))
                for kept, now in zip(mean.parameters(), network.parameters(), strict=True):
                    kept.lerp_(now, 1 - keep)
        took = time.monotonic() - began
        log.info("epoch %d of %d: loss %.4f after %.0f s", number + 1, len(epochs), lost * plan.batch / len(epoch.ids), took)
        after(mean)
    return mean


def batches(coded: Coded, size: int, rng: random.Random) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Batches of like length in random order: lengths are blurred a little, so that batches differ between epochs."""
    order = sorted(range(len(coded.ids)), key=lambda i: len(coded.ids[i]) + rng.uniform(0, 3))
    cuts = [order[at : at + size] for at in range(0, len(order), size)]
    rng.shuffle(cuts)
    for rows in cuts:
        yield padded([coded.ids[i] for i in rows]), torch.from_numpy(coded.targets[rows]), torch.from_numpy(coded.weight[rows])


def padded(ids: Sequence[list[int]]) -> Tensor:
    longest = max(map(len, ids))
    return torch.tensor([[*row, *[0] * (longest - len(row))] for row in ids])


def code(tokenizer: Tokenizer, texts: Sequence[str]) -> list[list[int]]:
    return embedded.code(tokenizer, texts)


@torch.inference_mode()
def logits(network: Network, ids: Sequence[list[int]], size: int = 64) -> Targets:
    """Logits [n, 3] of every text, in order."""
    network.eval()
    order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
    made = np.empty((len(ids), 3), np.float32)
    for at in range(0, len(order), size):
        rows = order[at : at + size]
        made[rows] = network(padded([ids[i] for i in rows])).numpy()
    return made
