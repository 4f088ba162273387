"""Forecasts from a model's graph: calibrated probabilities, conformal intervals, the golden check.

Belongs here: what every reader of a model calls, in training, walk-forward and serving. Does not: ONNX calls (`graphs`),
reading artifacts from disk (`artifact`), choosing which model (`current`), reading features.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from spx_assets.scoring import artifact as artifacts
from spx_assets.scoring import calibration, intervals
from spx_assets.scoring.artifact import Artifact
from spx_assets.scoring.errors import ArtifactAlteredError, ArtifactForeignError
from spx_assets.scoring.graphs import Graph, Mask, OnnxGraph, Voice, Vote
from spx_assets.scoring.manifest import GoldenRow, Manifest, golden_inputs
from spx_assets.scoring.sequences import F32, I64, Rows

F64 = npt.NDArray[np.float64]
GOLDEN_BP = 1e-3
GOLDEN_P = 1e-5
"""Golden tolerances: float32 sums differ between processors in the last digits (about 1e-6), a wrong graph in the first."""


@dataclass(frozen=True)
class Forecast:
    """Forecasts of n rows, float64[n] each; `probability_up` is calibrated, the interval is conformal.

    It is made to hold the share of outcomes that the manifest's level says, at which it is picked unless another is asked for.
    """

    return_bp: F64
    probability_up: F64
    interval_low_bp: F64
    interval_high_bp: F64

    @property
    def finite(self) -> Mask:
        """Rows in which all four are numbers: inputs far beyond the training rows can overflow a graph of 32 bits."""
        each = (self.return_bp, self.probability_up, self.interval_low_bp, self.interval_high_bp)
        return np.asarray(np.isfinite(each).all(axis=0))


class Forecaster:
    """A model ready to forecast: its manifest and its graph. Safe to call from several threads.

    A history X is float32 [m, f] in the order of the manifest's features, NaN for null; a model of several input rows takes
    the sequence that ends at the row it is asked for.
    """

    def __init__(self, manifest: Manifest, graph: Graph | bytes, *, threads: int = 1) -> None:
        self.manifest = manifest
        self.graph = OnnxGraph(manifest, graph, threads=threads) if isinstance(graph, bytes) else graph
        self.widths = intervals.Widths.of(manifest)
        self._required = np.array([manifest.features.index(name) for name in manifest.required], dtype=np.intp)

    @classmethod
    def load(cls, folder: Path, *, threads: int = 1) -> "Forecaster":
        """A forecaster of the artifact in `folder`, checksums and golden rows verified, those of its members too."""
        return cls.of(artifacts.load(folder), threads=threads)

    @classmethod
    def of(cls, artifact: Artifact, *, threads: int = 1) -> "Forecaster":
        """A forecaster of a verified artifact, golden rows verified."""
        manifest = artifact.manifest
        graph = vote(artifact, threads=threads) if manifest.members else artifact.model
        forecaster = cls(manifest, graph, threads=threads)
        forecaster.verify_golden()
        return forecaster

    def forecastable(self, X: F32, run: I64) -> Mask:
        """Rows of the history X that may be forecast: every required input is known, in each row of a full sequence.

        `run` is `sequences.runs` of the same rows. The same rule in training, in forecasts and online.
        """
        return self.graph.forecastable(self._columns(X), run)

    def heads_at(self, X: F32, rows: Rows) -> tuple[F64, F64]:
        """What the graph returns at `rows` of the history X, before calibration; each row must be forecastable."""
        return self.graph.heads_at(self._columns(X), rows)

    def at(self, X: F32, rows: Rows, *, asked: float | None = None) -> Forecast:
        """Forecasts at `rows` of the history X; each row must be forecastable. `asked`: the level of the intervals."""
        return self.told(*self.heads_at(X, rows), self.regime(X[rows]), asked=asked)

    def heads(self, X: F32) -> tuple[F64, F64]:
        """What the graph returns for X [n, f] or [n, input_rows, f], before calibration."""
        return self.graph.heads(self._shaped(X))

    def predict(self, X: F32, *, asked: float | None = None) -> Forecast:
        """Forecasts of X float32 [n, input_rows, f] (or [n, f] where input_rows is 1), NaN for null; `asked` as in `at`."""
        shaped = self._shaped(X)
        newest = shaped if shaped.ndim == 2 else shaped[:, -1]
        return self.told(*self.graph.heads(shaped), self.regime(newest), asked=asked)

    def regime(self, newest: F32) -> intervals.Regime:
        """Volatility regime of each row of `newest` [n, f], the rows' last bars."""
        return intervals.regime(self.manifest, newest)

    def told(self, return_bp: F64, raw: F64, regime: intervals.Regime, *, asked: F64 | float | None = None) -> Forecast:
        """Forecasts from what the graph returned for n rows and their regimes; `asked`: the level of all intervals or of each."""
        half = self.widths.at(regime, asked)
        return Forecast(return_bp, calibration.apply(self.manifest.calibration, raw), return_bp - half, return_bp + half)

    def complete(self, X: F32) -> Mask:
        """Rows of X [n, input_rows, f] in which every required input is known."""
        return np.asarray(~np.isnan(X[:, :, self._required]).any(axis=(1, 2)))

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

    def _columns(self, X: F32) -> F32:
        if X.ndim != 2 or X.shape[1] != len(self.manifest.features):
            raise ValueError(f"{self.manifest.version} takes rows of {len(self.manifest.features)} features, was given {X.shape}")
        return X

    def _shaped(self, X: F32) -> F32:
        f, rows = len(self.manifest.features), self.manifest.input_rows
        if X.shape[-1] != f or X.size != len(X) * rows * f:
            raise ValueError(f"{self.manifest.version} takes [n, {rows}, {f}], was given {list(X.shape)}")
        return np.ascontiguousarray(X, dtype=np.float32).reshape((-1, f) if rows == 1 else (-1, rows, f))


def vote(artifact: Artifact, *, threads: int = 1) -> Vote:
    """The vote of an ensemble's members, each verified; ArtifactForeignError if one is not the one it was judged with."""
    features = artifact.manifest.features
    voices = []
    for member in artifact.manifest.members:
        found = Forecaster.load(artifact.folder.parent / member.version, threads=threads)
        if found.manifest.digest != member.digest:
            raise ArtifactForeignError(
                f"{artifact.manifest.version} was judged with {member.version} of digest {member.digest}, found "
                f"{found.manifest.digest}; restore the artifact or train the ensemble again"
            )
        voices.append(Voice.among(features, found.graph, found.manifest, member.weight))
    return Vote(voices)
