"""Learns one model on a dataset: splits, fit, export or vote, calibration, intervals, judgement. Writes nothing.

Belongs here: the order of the steps and which segment each may use. Does not: any step's arithmetic, the lake, the gate.

The exported graph makes every forecast that is calibrated or evaluated: the judged graph is the served graph, no refit.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import msgspec
import numpy as np
import numpy.typing as npt

from spx_assets.scoring import artifact, sequences
from spx_assets.scoring.artifact import Artifact
from spx_assets.scoring.forecaster import Forecaster
from spx_assets.scoring.graphs import Graph
from spx_assets.scoring.manifest import Manifest, Member, finite
from spx_assets.settings import ModelSettings, Settings
from spx_assets.training import (
    calibrate,
    certainty,
    ensemble,
    export,
    families,
    fitness,
    judgement,
    leaks,
    provenance,
    splits,
    uniqueness,
)
from spx_assets.training.dataset import Dataset
from spx_assets.training.families.base import HasGain
from spx_assets.training.judgement import Evidence
from spx_assets.training.splits import MINUTE_US, Rows, Segments

F64 = npt.NDArray[np.float64]

GOLDEN = 8
THREADS = 2


@dataclass(frozen=True)
class Built:
    """A fitted graph, ready to forecast: the ONNX file that holds it, or the members that vote."""

    graph: Graph | bytes
    input_rows: int
    parameters: Mapping[str, str | int | float | bool]
    files: Mapping[str, bytes] = field(default_factory=dict)
    members: tuple[Member, ...] = ()
    required: tuple[str, ...] | None = None
    """Inputs that members need; None where the fit segment tells which are required."""
    gain: Mapping[int, float] | None = None
    """Share of each input in what the trees gained; None for a model that is not made of trees."""
    remade: calibrate.Remade | None = None
    """An ensemble's vote as part of the calibration segment alone would have made it."""


@dataclass(frozen=True)
class Learned:
    """A judged model that is not written yet: its manifest, metrics included, and the files of its artifact."""

    manifest: Manifest
    files: Mapping[str, bytes]
    evidence: Evidence
    gain: Mapping[int, float] | None
    seconds: float
    """From the split to the judgement, wall time."""


def learn(
    data: Dataset,
    settings: Settings,
    *,
    name: str,
    family: str,
    week: date,
    run_id: str,
    trials: int = 0,
    voters: Sequence[Artifact] | None = None,
) -> Learned:
    """Fits on fit and validation, calibrates on calibration, judges on out-of-time.

    `voters` are the members of an ensemble, by default the week's newest version of each family that is to vote.
    """
    began = time.perf_counter()
    segments = split(data)
    leaks.check(data, segments.fit)
    if family == ensemble.NAME:
        members = ensemble.candidates(settings, name=name, week=week) if voters is None else voters
        built = elected(data, segments, settings.models, members)
    else:
        built = build(data, segments, settings.models, family)
    manifest = provenance.draft(
        data,
        settings,
        segments=segments,
        input_rows=built.input_rows,
        parameters=built.parameters,
        members=built.members,
        trials=trials,
        name=name,
        family=family,
        week=week,
        run_id=run_id,
        at=datetime.now(UTC),
    )
    if built.required is not None:
        manifest = msgspec.structs.replace(manifest, required=built.required)
    raw = Forecaster(manifest, built.graph, threads=THREADS)
    manifest = certainty.calibrated(raw, data, segments.calibration, remade=built.remade)
    ready = Forecaster(manifest, built.graph, threads=THREADS)
    evidence = judgement.judged(ready, data, segments)
    known = held(data, segments.out_of_time, input_rows=built.input_rows, most=GOLDEN)
    seconds = time.perf_counter() - began
    metrics = {
        **manifest.metrics,
        **evidence.metrics,
        "missing_share": fitness.missing_share(data, segments),
        "latency_ms": fitness.latency_ms(ready, known[:1]),
        "training_seconds": seconds,
    }
    golden = ready.golden(known)
    manifest = msgspec.structs.replace(manifest, metrics=finite(metrics), golden=golden)
    return Learned(manifest, built.files, evidence, built.gain, seconds)


def split(data: Dataset) -> Segments:
    """The four segments of the labelled rows, as row numbers of `data`, with an embargo of the horizon."""
    rows = data.labelled
    parts = splits.by_time(data.ts[rows], data.label_end[rows], embargo_us=data.horizon_minutes * MINUTE_US)
    return Segments(*(rows[part] for _, part in parts.items()))


def weights(data: Dataset) -> F64:
    """The uniqueness of every row of `data`, 0 where it has no label."""
    weight = np.zeros(len(data.ts))
    weight[data.labelled] = uniqueness.average(data.ts[data.labelled], data.label_end[data.labelled])
    return weight


def build(data: Dataset, segments: Segments, settings: ModelSettings, family: str) -> Built:
    """Fits `family` on fit and validation and exports it; ParityError if the graph answers otherwise than the native model."""
    fitted = families.get(family).fit(data, segments, weights(data), settings)
    model = fitted.export().SerializeToString()
    asked = held(data, segments.out_of_time, input_rows=fitted.input_rows, most=export.PARITY_ROWS)
    export.check_parity(fitted.heads, model, asked, tolerance=settings.gate.parity)
    gain = fitted.gain() if isinstance(fitted, HasGain) else None
    return Built(model, fitted.input_rows, fitted.parameters, files={artifact.MODEL: model}, gain=gain)


def elected(data: Dataset, segments: Segments, settings: ModelSettings, voters: Sequence[Artifact]) -> Built:
    """The vote of `voters`; each was compared with its native model when it was made."""
    chosen = ensemble.elect(data, segments, settings.ensemble, voters, threads=THREADS)
    vote = chosen.vote
    return Built(vote, vote.input_rows, chosen.parameters, members=chosen.members, required=chosen.required, remade=chosen.remade)


def held(data: Dataset, rows: Rows, *, input_rows: int, most: int) -> npt.NDArray[np.float32]:
    """Inputs of up to `most` of `rows`, evenly spread among those with a full sequence."""
    full = rows[data.run[rows] >= input_rows]
    picked = full[np.unique(np.linspace(0, max(len(full) - 1, 0), min(most, len(full))).astype(np.intp))]
    return sequences.gather(data.X, picked, input_rows=input_rows)
