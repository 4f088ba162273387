"""What turns inputs into raw heads: an ONNX graph, or a vote of members. The one place where ONNX is called.

Belongs here: the graph's contract, sessions, batches, votes. Does not: reading artifacts from disk (`artifact`), calibrating
the result or putting intervals around it (`forecaster`).

Graph contract: input `X` float32 [n, f] (or [n, input_rows, f] where input_rows > 1), NaN for null; outputs `return_bp`
and `probability_up` (raw, before calibration), float [n] or [n, 1].
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
import numpy.typing as npt
import onnxruntime as ort
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors

from spx_assets.scoring import calibration, sequences
from spx_assets.scoring.errors import ArtifactForeignError
from spx_assets.scoring.manifest import Manifest
from spx_assets.scoring.sequences import F32, I64, Rows

F64 = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
BATCH = 65_536
"""Rows per call: 65,536 x 120 floats = 31 MB in flight, and larger calls are no faster."""
LOAD_ERRORS = (
    ort_errors.Fail,
    ort_errors.InvalidGraph,
    ort_errors.InvalidProtobuf,
    ort_errors.InvalidArgument,
    ort_errors.NotImplemented,
)


class Graph(Protocol):
    """Raw heads from rows, and which rows can be asked for. Safe to call from several threads."""

    input_rows: int

    def heads(self, X: F32) -> tuple[F64, F64]:
        """(return_bp, probability_up) of X [n, f] or [n, input_rows, f], float64[n] each."""

    def heads_at(self, X: F32, rows: Rows) -> tuple[F64, F64]:
        """The same for the sequences that end at `rows` of the history X [m, f]; each must be complete."""

    def forecastable(self, X: F32, run: I64) -> Mask:
        """Rows of the history X [m, f] that have all the graph needs; `run` is `sequences.runs` of the same rows."""


def session(model: bytes, *, threads: int = 1) -> ort.InferenceSession:
    """An inference session of a serialised graph; ArtifactForeignError if it is not a graph of this contract."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # A waiting thread that spins takes a core from whatever else runs: under load two threads were slower than one.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        opened = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except LOAD_ERRORS as error:
        raise ArtifactForeignError(f"the model file is not a readable ONNX graph ({error}); train the model again") from error
    inputs, outputs = [i.name for i in opened.get_inputs()], [o.name for o in opened.get_outputs()]
    if inputs != ["X"] or not {"return_bp", "probability_up"} <= set(outputs):
        raise ArtifactForeignError(
            f"the graph has inputs {inputs} and outputs {outputs}; expected X -> return_bp, probability_up; export it again"
        )
    return opened


def heads(graph: ort.InferenceSession, X: F32) -> tuple[F64, F64]:
    """(return_bp, raw probability_up) of X [n, f] or [n, input_rows, f], float64[n] each, in batches."""
    step = max(1, BATCH // (X.shape[1] if X.ndim == 3 else 1))
    parts = [graph.run(["return_bp", "probability_up"], {"X": X[i : i + step]}) for i in range(0, len(X), step)]
    if not parts:
        return np.empty(0), np.empty(0)
    returns, probabilities = (np.concatenate([np.asarray(part[k]).reshape(-1) for part in parts]) for k in (0, 1))
    return returns.astype(np.float64), probabilities.astype(np.float64)


class OnnxGraph:
    """One ONNX graph, its shape checked against the manifest that describes it."""

    def __init__(self, manifest: Manifest, model: bytes, *, threads: int = 1) -> None:
        self.input_rows = manifest.input_rows
        self._session = session(model, threads=threads)
        shape, expected = self._session.get_inputs()[0].shape, len(manifest.features)
        if len(shape) != (2 if manifest.input_rows == 1 else 3) or (isinstance(shape[-1], int) and shape[-1] != expected):
            raise ArtifactForeignError(
                f"the graph of {manifest.version} takes X{shape}, its manifest names {expected} features "
                f"and {manifest.input_rows} rows; train the model again"
            )
        self._required = np.array([manifest.features.index(name) for name in manifest.required], dtype=np.intp)

    def heads(self, X: F32) -> tuple[F64, F64]:
        return heads(self._session, np.ascontiguousarray(X, dtype=np.float32))

    def heads_at(self, X: F32, rows: Rows) -> tuple[F64, F64]:
        # A sequence copies each row `input_rows` times: only as many at once as one call takes.
        step = BATCH // self.input_rows
        parts = [
            self.heads(sequences.gather(X, rows[i : i + step], input_rows=self.input_rows)) for i in range(0, len(rows), step)
        ]
        if not parts:
            return np.empty(0), np.empty(0)
        return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])

    def forecastable(self, X: F32, run: I64) -> Mask:
        unknown = np.asarray(np.isnan(X[:, self._required]).any(axis=1))
        return sequences.complete(unknown, run, input_rows=self.input_rows) if self.input_rows > 1 else ~unknown


@dataclass(frozen=True)
class Voice:
    """A member of a vote: its graph and manifest, its weight, and where its inputs lie among the ensemble's."""

    graph: Graph
    manifest: Manifest
    weight: float
    columns: Rows

    @classmethod
    def among(cls, features: Sequence[str], graph: Graph, manifest: Manifest, weight: float) -> "Voice":
        """The voice of a member in an ensemble of the inputs `features`."""
        columns = np.array([features.index(name) for name in manifest.features], dtype=np.intp)
        return cls(graph, manifest, weight, columns)

    def own(self, X: F32) -> F32:
        """The member's columns of X [..., f]; no copy of a whole history where they are all of them in the same order."""
        return X if self._in_order and len(self.columns) == X.shape[-1] else X[..., self.columns]

    @cached_property
    def _in_order(self) -> bool:
        return bool(np.all(np.diff(self.columns) == 1))

    def told(self, answer: tuple[F64, F64]) -> tuple[F64, F64]:
        """The graph's answer with its probability calibrated."""
        return answer[0], calibration.apply(self.manifest.calibration, answer[1])


class Vote:
    """A weighted mean of members: of their expected returns, and of their calibrated probabilities."""

    def __init__(self, voices: Sequence[Voice]) -> None:
        self.voices = tuple(voices)
        self.input_rows = max(voice.graph.input_rows for voice in voices)

    def heads(self, X: F32) -> tuple[F64, F64]:
        def newest(voice: Voice) -> F32:
            own, rows = voice.own(X), voice.graph.input_rows
            if self.input_rows == 1:
                return own
            return own[:, -1] if rows == 1 else own[:, -rows:]

        return self._mean([voice.told(voice.graph.heads(newest(voice))) for voice in self.voices])

    def heads_at(self, X: F32, rows: Rows) -> tuple[F64, F64]:
        return self._mean([voice.told(voice.graph.heads_at(voice.own(X), rows)) for voice in self.voices])

    def forecastable(self, X: F32, run: I64) -> Mask:
        able = np.ones(len(X), dtype=bool)
        for voice in self.voices:
            able &= voice.graph.forecastable(voice.own(X), run)
        return able

    def _mean(self, answers: Sequence[tuple[F64, F64]]) -> tuple[F64, F64]:
        # Written out: for one row np.average takes 100 us, as long as two of the graphs.
        total = sum(voice.weight for voice in self.voices)
        returns, probabilities = np.zeros_like(answers[0][0]), np.zeros_like(answers[0][1])
        for voice, (value, up) in zip(self.voices, answers, strict=True):
            returns += voice.weight * value
            probabilities += voice.weight * up
        return returns / total, probabilities / total
