"""The panels of the model: its card, and what its report says of the out-of-time segment.

Belongs here: metrics paired with their baselines, reading `report.json` of the served version. Does not: computing a metric
(`spx_assets.training.evaluation` wrote them when the version was trained).
"""

import hashlib
from pathlib import Path
from typing import NamedTuple

import msgspec

from serving.dashboard.contracts import Card, Evaluation, Metric, Verdict
from serving.served import ServedModel
from spx_assets.scoring import artifact
from spx_assets.scoring.manifest import GateVerdict
from spx_assets.settings import Settings

REPORT = "report.json"
TOP = 20


class _Pair(NamedTuple):
    name: str
    metric: str
    baseline: str | float
    baseline_name: str
    unit: str = ""
    larger: bool = True


PAIRS = (
    _Pair("Area under the ROC curve", "auc", 0.5, "coin toss"),
    _Pair("Log loss", "log_loss", "log_loss_base", "base rate", larger=False),
    _Pair("Brier score", "brier", "brier_base", "base rate", larger=False),
    _Pair("Directions right", "accuracy", "accuracy_base", "base rate", "%"),
    _Pair("Calibration error", "ece", "ece_band", "chance, at most", larger=False),
    _Pair("RMSE of the return", "rmse_bp", "rmse_zero_bp", "zero", "bp", larger=False),
    _Pair("RMSE of the return", "rmse_bp", "rmse_ar1_bp", "AR(1)", "bp", larger=False),
)


def of(settings: Settings, model: ServedModel) -> Card:
    """The card of the model that answers; reads its folder."""
    manifest = model.manifest
    folder = artifact.folder(settings.artifacts, manifest.name, manifest.version)
    evaluation, lacking = _evaluation(model, folder / REPORT)
    return Card(
        info=model.info,
        partition=manifest.partition,
        trained_at=manifest.created_at,
        training_start=manifest.training_start,
        rows={name: segment.rows for name, segment in manifest.segments.items()},
        verdict=_verdict(folder / artifact.VERDICT, manifest.digest),
        metrics=[metric for pair in PAIRS if (metric := _metric(pair, manifest.metrics)) is not None],
        evaluation=evaluation,
        lacking=lacking,
    )


def decode(report: bytes) -> Evaluation:
    """What is drawn of a `report.json`."""
    found = msgspec.json.decode(report, type=Evaluation)
    return msgspec.structs.replace(found, importance=found.importance[:TOP])


def _metric(pair: _Pair, metrics: dict[str, float | None]) -> Metric | None:
    value = metrics.get(pair.metric)
    baseline = metrics.get(pair.baseline) if isinstance(pair.baseline, str) else pair.baseline
    if value is None:
        return None
    better = None if baseline is None else (value > baseline if pair.larger else value < baseline)
    return Metric(name=pair.name, unit=pair.unit, value=value, baseline=baseline, baseline_name=pair.baseline_name, better=better)


def _evaluation(model: ServedModel, path: Path) -> tuple[Evaluation | None, str | None]:
    """What the report says, if it is the one that the manifest names."""
    manifest = model.manifest
    again = f"train {manifest.name} again with `spx train`"
    if REPORT not in manifest.files:
        return None, f"{manifest.version} was written without {REPORT}; {again}"
    try:
        content = path.read_bytes()
    except OSError as error:
        return None, f"{REPORT} of {manifest.version} cannot be read ({error.strerror}); restore it or {again}"
    if hashlib.sha256(content).hexdigest() != manifest.files[REPORT]:
        return None, f"{REPORT} of {manifest.version} was altered since it was written; restore it or {again}"
    try:
        return decode(content), None
    except msgspec.MsgspecError as error:
        return None, f"{REPORT} of {manifest.version} is not readable ({error}); {again}"


def _verdict(path: Path, digest: str) -> Verdict | None:
    """The gate's words: the served model remembers the verdict alone."""
    try:
        found = msgspec.json.decode(path.read_bytes(), type=GateVerdict)
    except (OSError, msgspec.MsgspecError):
        return None
    if found.digest != digest:
        return None
    return Verdict(
        verdict=found.verdict,
        reason=found.reason,
        direction_ok=found.direction_ok,
        return_ok=found.return_ok,
        decided_at=found.decided_at,
    )
