"""The manifest of a model artifact: everything a reader must know to use the model, and all that can be checked about it.

Belongs here: the structs, their JSON form and the digest over it. Does not: files and folders (`artifact`), ONNX calls
(`forecaster`), who is served (`current`).

The digest is the sha256 of the manifest's own bytes with the digest itself left empty. The manifest names the sha256 of
every other file, so one digest stands for the whole artifact. The gate judges an artifact that is already written, so its
verdict stands in `verdict.json` beside the manifest, outside the digest, and names the digest it judged.
"""

import hashlib
import math
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np
import numpy.typing as npt

from spx_assets.scoring.errors import ArtifactAlteredError, ArtifactForeignError

ARTIFACT_SCHEMA = 2
Verdict = Literal["promoted", "kept_champion", "no_edge", "not_entered", "manual"]


class Calibration(msgspec.Struct, frozen=True):
    """From raw to calibrated probability.

    `platt`: logistic(a * logit(p) + b); `isotonic` and `venn_abers`: linear between the points (x, y).
    """

    kind: Literal["identity", "platt", "isotonic", "venn_abers"] = "identity"
    a: float = 1.0
    b: float = 0.0
    x: tuple[float, ...] = ()
    y: tuple[float, ...] = ()


class Segment(msgspec.Struct, frozen=True):
    """Rows of one segment of the training window: first and last bar, and how many rows had a label."""

    start: datetime
    end: datetime
    rows: int


class Regimes(msgspec.Struct, frozen=True):
    """Volatility regimes: below the first of `edges` of the input `feature`, between them, above the last."""

    feature: str
    edges: tuple[float, ...]


class Member(msgspec.Struct, frozen=True):
    """A version of the same forecaster that votes in an ensemble."""

    version: str
    digest: str
    weight: float


class GoldenRow(msgspec.Struct, frozen=True):
    """One known answer: inputs as the graph takes them (row-major, `input_rows` x features, null for NaN) and all outputs."""

    inputs: tuple[float | None, ...]
    return_bp: float
    probability_up: float
    interval_low_bp: float
    interval_high_bp: float


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What `manifest.json` holds. Metrics are named as the columns of `models.versions`, each baseline beside its metric."""

    schema: int = ARTIFACT_SCHEMA
    name: str
    version: str
    family: str
    asset_key: str
    partition: date
    run_id: str
    created_at: datetime
    instruments: tuple[str, ...]
    horizon_minutes: int
    tolerance_min: int
    lookback_days: int
    input_rows: int = 1
    features: tuple[str, ...]
    feature_set_hash: str
    sentiment_model: str | None = None
    """What scored the articles, files and precision included (`news.model_version`); None for a model without inputs of news."""
    required: tuple[str, ...] = ()
    """Inputs that are null in at most 1 % of the fit rows. Where one is null the model makes no forecast."""
    medians: tuple[float | None, ...] = ()
    """Of each input over the rows of the fit segment, in the order of `features`; null for one that was never known there.

    What a forecast's inputs are set against to say what moved it; empty for versions older than this field.
    """
    target: str
    calibration: Calibration
    interval_level: float
    conformal_quantiles: dict[str, tuple[float, ...]]
    """Level as text ('0.9') to half-widths in basis points, one a regime; `interval_level` is the one that is served."""
    regimes: Regimes | None = None
    """What tells the half-widths apart; None where there is one a level."""
    metrics: dict[str, float | None]
    training_start: datetime
    training_cutoff: datetime
    segments: dict[str, Segment]
    """fit, validation, calibration, out_of_time."""
    parent_version: str | None = None
    lake_snapshot: int
    feeds: dict[str, str] = {}
    """By instrument the feed it learned from (`Feed.binding`); empty for versions older than this field."""
    training_hash: str
    git_commit: str
    libraries: dict[str, str]
    parameters: dict[str, str | int | float | bool | None] = {}
    members: tuple[Member, ...] = ()
    """Who votes in an ensemble, which has no graph of its own; empty for every other family."""
    trials: int = 0
    """Trials of the tuning that chose the parameters; 0 where they are those of the settings."""
    golden: tuple[GoldenRow, ...] = ()
    files: dict[str, str] = {}
    """File name to sha256, for every file of the artifact but the manifest and the verdict."""
    digest: str = ""


class GateVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """What the gate said of the artifact with this digest. `return_ok` false marks the return head as without an edge."""

    digest: str
    verdict: Verdict
    reason: str
    direction_ok: bool
    return_ok: bool
    decided_at: datetime


class _Schema(msgspec.Struct):
    schema: int


def level_key(level: float) -> str:
    """The key of an interval level in `conformal_quantiles`: 0.90 -> '0.9'."""
    return f"{level:g}"


def finite(metrics: Mapping[str, float | None]) -> dict[str, float | None]:
    """Metrics with NaN and infinity as null, which is how JSON can say them."""
    return {name: None if value is None or not math.isfinite(value) else float(value) for name, value in metrics.items()}


def encode(manifest: Manifest) -> bytes:
    """JSON with its digest filled in."""
    empty = msgspec.json.format(msgspec.json.encode(msgspec.structs.replace(manifest, digest="")), indent=1)
    return empty.replace(b'"digest": ""', f'"digest": "{hashlib.sha256(empty).hexdigest()}"'.encode())


def decode(raw: bytes, *, where: Path) -> Manifest:
    """The manifest in file `where`, its digest verified; an ArtifactError subclass says what does not fit."""
    try:
        schema = msgspec.json.decode(raw, type=_Schema).schema
        if schema != ARTIFACT_SCHEMA:
            raise ArtifactForeignError(
                f"{where} has schema {schema}, this version reads {ARTIFACT_SCHEMA}; train the model again"
            )
        manifest = msgspec.json.decode(raw, type=Manifest)
    except msgspec.DecodeError as error:
        raise ArtifactAlteredError(
            f"{where} is not a readable manifest ({error}); restore it or train the model again"
        ) from error
    digest = hashlib.sha256(raw.replace(f'"digest": "{manifest.digest}"'.encode(), b'"digest": ""')).hexdigest()
    if digest != manifest.digest:
        raise ArtifactAlteredError(
            f"{where} was altered: digest {digest}, not {manifest.digest}; restore it or train the model again"
        )
    return manifest


def golden_inputs(rows: Iterable[GoldenRow], *, input_rows: int, features: int) -> npt.NDArray[np.float32]:
    """Golden inputs as float32[n, input_rows, features], null as NaN."""
    table = [[math.nan if value is None else value for value in row.inputs] for row in rows]
    return np.array(table, dtype=np.float32).reshape(len(table), input_rows, features)
