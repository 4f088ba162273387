"""Runs a model graph: from feature rows to forecasts. The one place where ONNX is called.

Belongs here: the graph's contract, sessions, calibration and intervals applied to what it returns, the golden check.
Does not: reading artifacts from disk (`artifact`), choosing which model (`current`), reading features.

Graph contract: input `X` float32 [n, f] (or [n, input_rows, f] where input_rows > 1), NaN for null; outputs `return_bp`
and `probability_up` (raw, before calibration), float [n] or [n, 1].
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime as ort
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors

from spx_assets.scoring import artifact as artifacts
from spx_assets.scoring import calibration
from spx_assets.scoring.artifact import Artifact
from spx_assets.scoring.errors import ArtifactAlteredError, ArtifactForeignError
from spx_assets.scoring.manifest import GoldenRow, Manifest, golden_inputs

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
BATCH = 65_536
"""Rows per call: 65,536 x 120 floats = 31 MB in flight, and larger calls are no faster."""
GOLDEN_BP = 1e-3
GOLDEN_P = 1e-5
"""Golden tolerances: float32 sums differ between processors in the last digits (about 1e-6), a wrong graph in the first."""
LOAD_ERRORS = (
    ort_errors.Fail,
    ort_errors.InvalidGraph,
    ort_errors.InvalidProtobuf,
    ort_errors.InvalidArgument,
    ort_errors.NotImplemented,
)


@dataclass(frozen=True)
class Forecast:
    """Forecasts of n rows, float64[n] each; `probability_up` is calibrated, the interval is conformal at the manifest's level."""

    return_bp: F64
    probability_up: F64
    interval_low_bp: F64
    interval_high_bp: F64


def session(model: bytes, *, threads: int = 1) -> ort.InferenceSession:
    """An inference session of a serialised graph; ArtifactForeignError if it is not a graph of this contract."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
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
    parts = [graph.run(["return_bp", "probability_up"], {"X": X[i : i + BATCH]}) for i in range(0, len(X), BATCH)]
    if not parts:
        return np.empty(0), np.empty(0)
    returns, probabilities = (np.concatenate([np.asarray(part[k]).reshape(-1) for part in parts]) for k in (0, 1))
    return returns.astype(np.float64), probabilities.astype(np.float64)


class Forecaster:
    """A model ready to forecast: its manifest and an open session. Safe to call from several threads."""

    def __init__(self, manifest: Manifest, model: bytes, *, threads: int = 1) -> None:
        self.manifest = manifest
        self._session = session(model, threads=threads)
        shape = self._session.get_inputs()[0].shape
        expected = len(manifest.features)
        if len(shape) != (2 if manifest.input_rows == 1 else 3) or (isinstance(shape[-1], int) and shape[-1] != expected):
            raise ArtifactForeignError(
                f"the graph of {manifest.version} takes X{shape}, its manifest names {expected} features "
                f"and {manifest.input_rows} rows; train the model again"
            )
        self._required = np.array([manifest.features.index(name) for name in manifest.required], dtype=np.intp)

    @classmethod
    def load(cls, folder: Path, *, threads: int = 1) -> "Forecaster":
        """A forecaster of the artifact in `folder`, checksums and golden rows verified."""
        return cls.of(artifacts.load(folder), threads=threads)

    @classmethod
    def of(cls, artifact: Artifact, *, threads: int = 1) -> "Forecaster":
        """A forecaster of a verified artifact, golden rows verified."""
        forecaster = cls(artifact.manifest, artifact.model, threads=threads)
        forecaster.verify_golden()
        return forecaster

    def heads(self, X: F32) -> tuple[F64, F64]:
        """What the graph returns for X [n, f] or [n, input_rows, f], before calibration."""
        return heads(self._session, self._shaped(X))

    def predict(self, X: F32) -> Forecast:
        """Forecasts of X float32 [n, input_rows, f] (or [n, f] where input_rows is 1), NaN for null."""
        return_bp, raw = self.heads(X)
        half = self.manifest.interval_half_width_bp
        return Forecast(return_bp, calibration.apply(self.manifest.calibration, raw), return_bp - half, return_bp + half)

    def known(self, X: F32) -> npt.NDArray[np.bool_]:
        """Which of the n rows have every required input: only those may be forecast, in training, in forecasts and online."""
        required = self._shaped(X)[..., self._required].reshape(len(X), -1)
        known: npt.NDArray[np.bool_] = np.logical_not(np.isnan(required).any(axis=1))
        return known

    def unknown(self, row: F32) -> list[str]:
        """Required inputs that are null in one row [input_rows, f] or [f]."""
        required = row.reshape(-1, len(self.manifest.features))[:, self._required]
        nulls = np.atleast_1d(np.isnan(required).any(axis=0))
        return [name for name, null in zip(self.manifest.required, nulls, strict=True) if null]

    def golden(self, X: F32) -> tuple[GoldenRow, ...]:
        """Golden rows for the manifest: the inputs X beside what this forecaster answers now."""
        answer = self.predict(X)
        rows = self._shaped(X).reshape(len(X), -1)
        return tuple(
            GoldenRow(
                inputs=tuple(None if np.isnan(value) else float(value) for value in rows[i]),
                return_bp=float(answer.return_bp[i]),
                probability_up=float(answer.probability_up[i]),
                interval_low_bp=float(answer.interval_low_bp[i]),
                interval_high_bp=float(answer.interval_high_bp[i]),
            )
            for i in range(len(X))
        )

    def verify_golden(self) -> None:
        """ArtifactAlteredError unless the graph answers the golden rows as it did when it was exported."""
        rows = self.manifest.golden
        if not rows:
            raise ArtifactForeignError(f"{self.manifest.version} has no golden rows to verify; train the model again")
        X = golden_inputs(rows, input_rows=self.manifest.input_rows, features=len(self.manifest.features))
        answer = self.predict(X)
        for head, tolerance in (("return_bp", GOLDEN_BP), ("probability_up", GOLDEN_P), ("interval_low_bp", GOLDEN_BP)):
            found, expected = getattr(answer, head), np.array([getattr(row, head) for row in rows])
            difference = float(np.max(np.abs(found - expected)))
            if not difference <= tolerance:  # NaN is a difference too
                raise ArtifactAlteredError(
                    f"{self.manifest.version} answers its golden rows with a {head} that is off by {difference:g} "
                    f"(allowed {tolerance:g}); restore the artifact or train the model again"
                )

    def _shaped(self, X: F32) -> F32:
        f, rows = len(self.manifest.features), self.manifest.input_rows
        if X.shape[-1] != f or X.size != len(X) * rows * f:
            raise ValueError(f"{self.manifest.version} takes [n, {rows}, {f}], was given {list(X.shape)}")
        return np.ascontiguousarray(X, dtype=np.float32).reshape((-1, f) if rows == 1 else (-1, rows, f))
