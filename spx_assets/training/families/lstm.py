"""LSTM: one recurrent layer over the last bars, two heads trained together.

Belongs here: the network, its training, its graph. Does not: which bars make a sequence (`scoring.sequences`), which rows are
learned from (`prepared`), targets (`targets`), evaluation. The only module that imports torch.

Inputs are standardised with the mean and deviation of the fit segment, cut at 5 deviations, and 0 where they are null; the
network and the graph hold all of it. Sequences overlap in all but one bar, so a fit draws rows evenly spread over the segment:
50,000 of 320,000 are one in six, and neighbours share 25 of the 30 minutes of their labels. They are cut out of the history
batch by batch, since all of them at once would take 460,000 x 60 x 125 floats = 14 GB.

The graph is written node by node: `torch.onnx.export` of torch 2.13 took 12 CPU s for this network, put the paths of stack
traces into it and gave other bytes each time.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper

from spx_assets.scoring import sequences
from spx_assets.settings import LstmSettings, ModelSettings
from spx_assets.training import export
from spx_assets.training.dataset import Dataset
from spx_assets.training.errors import MissingLibraryError
from spx_assets.training.families import targets
from spx_assets.training.families.prepared import full, scaling
from spx_assets.training.families.targets import Target
from spx_assets.training.rehearsal import Watch
from spx_assets.training.splits import Rows, Segments

try:
    import torch
    from torch import Tensor, nn
    from torch.nn import functional
except ImportError as error:
    raise MissingLibraryError(
        f"the family lstm needs torch ({error}); install the extra `torch` (`pip install -c constraints.txt -e '.[torch]'`) or "
        "leave lstm out of SPX_MODELS__FAMILIES"
    ) from error

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]

CUT = 5.0
"""Standard deviations an input is cut to: a news minute may be 30 away, and would drive every gate to its end."""
VALIDATION_SHARE = 4
"""The fit draws this many times the rows of validation, as a segment of 70 % and one of 10 % allow."""
GRADIENT_NORM = 1.0
CHUNK = 1024
"""Sequences in one call that learns nothing: 1,024 x 60 x 125 floats = 31 MB."""
GATES = (0, 3, 1, 2)
"""torch keeps the gates as input, forget, cell, output; ONNX as input, output, forget, cell."""


class Network(nn.Module):
    """X [n, L, f] -> return in deviations of the fit segment and log-odds of up, [n] each."""

    mean: Tensor
    inverse: Tensor

    def __init__(self, mean: F32, inverse: F32, chosen: LstmSettings) -> None:
        super().__init__()
        self.register_buffer("mean", torch.from_numpy(mean))
        self.register_buffer("inverse", torch.from_numpy(inverse))
        self.recurrent = nn.LSTM(len(mean), chosen.hidden, batch_first=True)
        self.dropout = nn.Dropout(chosen.dropout)
        self.heads = nn.Linear(chosen.hidden, 2)
        # Begins without an opinion: what noise there is at first would have to be unlearned.
        nn.init.zeros_(self.heads.weight)
        nn.init.zeros_(self.heads.bias)

    def forward(self, X: Tensor) -> tuple[Tensor, Tensor]:
        known = torch.where(torch.isnan(X), self.mean, X)
        cut = ((known - self.mean) * self.inverse).clamp(-CUT, CUT)
        _, (state, _) = self.recurrent(cut)
        sums = self.heads(self.dropout(state[0]))
        return sums[:, 0], sums[:, 1]


@dataclass(frozen=True)
class FittedLstm:
    """A network as it served the validation segment best."""

    network: Network
    deviation_bp: float
    """Standard deviation of the return in the fit segment: the unit of the return head."""
    input_rows: int
    parameters: Mapping[str, str | int | float | bool]

    def heads(self, X: F32) -> tuple[F64, F64]:
        """(return_bp, raw probability_up) of X [n, input_rows, f]."""
        with torch.inference_mode():
            told = [self.network(torch.from_numpy(np.ascontiguousarray(X[i : i + CHUNK]))) for i in range(0, len(X), CHUNK)]
            value, log_odds = (torch.cat([part[k] for part in told]) for k in (0, 1))
            answers = value * self.deviation_bp, torch.sigmoid(log_odds)
        return answers[0].numpy().astype(np.float64), answers[1].numpy().astype(np.float64)

    def export(self) -> onnx.ModelProto:
        """The network with its scaling as one graph."""
        part = {name: value.detach().numpy() for name, value in self.network.state_dict().items()}
        nodes = [
            helper.make_node("IsNaN", ["X"], ["null"]),
            helper.make_node("Where", ["null", "mean", "X"], ["known"]),
            helper.make_node("Sub", ["known", "mean"], ["centred"]),
            helper.make_node("Mul", ["centred", "inverse"], ["standardised"]),
            helper.make_node("Clip", ["standardised", "low", "high"], ["cut"]),
            helper.make_node("Transpose", ["cut"], ["bars"], perm=[1, 0, 2]),
            helper.make_node(
                "LSTM", ["bars", "inputs", "states", "biases"], ["", "last"], hidden_size=part["heads.weight"].shape[1]
            ),
            helper.make_node("Squeeze", ["last", "first_axis"], ["state"]),
            helper.make_node("Gemm", ["state", "heads", "intercepts"], ["sums"], transB=1),
            helper.make_node("Split", ["sums"], ["value", "log_odds"], axis=1),
            helper.make_node("Mul", ["value", "deviation_bp"], ["scaled"]),
            helper.make_node("Sigmoid", ["log_odds"], ["up"]),
            helper.make_node("Squeeze", ["scaled", "axis"], ["return_bp"]),
            helper.make_node("Squeeze", ["up", "axis"], ["probability_up"]),
        ]
        biases = [_as_onnx(part[f"recurrent.bias_{of}_l0"]) for of in ("ih", "hh")]
        constants: dict[str, export.Constant] = {
            "mean": part["mean"],
            "inverse": part["inverse"],
            "low": np.array(-CUT, dtype=np.float32),
            "high": np.array(CUT, dtype=np.float32),
            "inputs": _as_onnx(part["recurrent.weight_ih_l0"])[None],
            "states": _as_onnx(part["recurrent.weight_hh_l0"])[None],
            "biases": np.concatenate(biases)[None],
            "heads": part["heads.weight"],
            "intercepts": part["heads.bias"],
            "deviation_bp": np.array([self.deviation_bp], dtype=np.float32),
            "first_axis": np.array([0], dtype=np.int64),
            "axis": np.array([1], dtype=np.int64),
        }
        return export.model(nodes, features=len(part["mean"]), constants=constants, input_rows=self.input_rows)


class Lstm:
    name = "lstm"

    def fit(self, data: Dataset, segments: Segments, weight: F64, settings: ModelSettings) -> FittedLstm:
        """Both heads by one loss; NotEnoughRowsError if no row of a segment has a full sequence."""
        return self.fit_watched(data, segments, weight, settings, lambda learned, loss: None)

    def fit_watched(self, data: Dataset, segments: Segments, weight: F64, settings: ModelSettings, watch: Watch) -> FittedLstm:
        """The same, telling `watch` after each epoch."""
        chosen = settings.lstm
        deviation = float(np.std(data.return_bp[segments.fit])) or 1.0
        value = targets.returns(data, segments, weight, clip=chosen.target_clip)
        seen = _Seen(data.X, value, targets.direction(data, weight), deviation, chosen.sequence)
        fit = full(data, segments.fit, chosen, "fit", most=chosen.max_fit_rows)
        asked = full(data, segments.validation, chosen, "validation", most=max(1, chosen.max_fit_rows // VALIDATION_SHARE))
        with _same_bits(chosen):
            network = Network(*scaling(data.X, segments.fit), chosen)
            told = _train(network, seen, fit, asked, chosen, watch)
        return FittedLstm(network.eval(), deviation, chosen.sequence, {**chosen.model_dump(), "rows": len(fit), **told})


@dataclass(frozen=True)
class _Seen:
    """What the network learns from, cut out batch by batch."""

    X: F32
    value: Target
    direction: Target
    deviation: float
    input_rows: int

    def losses(self, network: Network, rows: Rows, size: int) -> Iterator[tuple[Tensor, Tensor, int]]:
        """(half the squared error in deviations, log loss, rows) of consecutive batches.

        A forecast of nothing costs about a half and 0.69: the heads weigh alike. Weights have a mean of 1 over all `rows`.
        """
        value, w_value = self.value.of(rows)
        up, w_up = self.direction.of(rows)
        arrays = value / self.deviation, w_value, up, w_up
        y, wy, u, wu = (torch.from_numpy(array.astype(np.float32)) for array in arrays)
        for i in range(0, len(rows), size):
            part = slice(i, i + size)
            X = sequences.gather(self.X, rows[part], input_rows=self.input_rows)
            expected, log_odds = network(torch.from_numpy(X.reshape(len(X), self.input_rows, -1)))
            squared = (wy[part] * (expected - y[part]).square()).mean() / 2.0
            logistic = (wu[part] * functional.binary_cross_entropy_with_logits(log_odds, u[part], reduction="none")).mean()
            yield squared, logistic, len(X)


def _train(network: Network, seen: _Seen, fit: Rows, asked: Rows, chosen: LstmSettings, watch: Watch) -> dict[str, int | float]:
    """Trains until the validation loss has not fallen for `patience` epochs; leaves the best epoch's weights in the network."""
    shuffled = np.random.default_rng(chosen.seed)
    optimiser = torch.optim.Adam(network.parameters(), lr=chosen.learning_rate)
    best, best_epoch, kept = np.inf, 0, _copied(network)
    epoch = 0
    while epoch < chosen.max_epochs and epoch - best_epoch < chosen.patience:
        epoch += 1
        network.train()
        for squared, logistic, _ in seen.losses(network, shuffled.permutation(fit), chosen.batch):
            optimiser.zero_grad()
            torch.autograd.backward(squared + logistic)
            nn.utils.clip_grad_norm_(network.parameters(), GRADIENT_NORM)
            optimiser.step()
        network.eval()
        with torch.no_grad():
            parts = [
                (float(squared + logistic) * told, float(logistic) * told)
                for squared, logistic, told in seen.losses(network, asked, CHUNK)
            ]
        reached, log_loss = (sum(part) / len(asked) for part in zip(*parts, strict=True))
        if reached < best:
            best, best_epoch, kept = reached, epoch, _copied(network)
        watch(epoch, log_loss)
    network.load_state_dict(kept)
    return {"epochs": epoch, "best_epoch": best_epoch, "validation_loss": best}


def _copied(network: Network) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in network.state_dict().items()}


def _as_onnx(gates: F32) -> F32:
    """Rows of four gates in the order of ONNX."""
    parts = np.split(gates, 4)
    return np.concatenate([parts[k] for k in GATES])


@contextmanager
def _same_bits(chosen: LstmSettings) -> Iterator[None]:
    """Deterministic kernels, a seed and a number of threads for one fit; what the process had before comes back."""
    threads, strict = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(chosen.seed)
        torch.set_num_threads(chosen.threads)
        torch.use_deterministic_algorithms(True)
        try:
            yield
        finally:
            torch.use_deterministic_algorithms(strict)
            torch.set_num_threads(threads)


FAMILY = Lstm()
