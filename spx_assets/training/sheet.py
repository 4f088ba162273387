"""What one version says of itself: its facts, and every metric with its interval beside what it is measured against.

Belongs here: arranging a manifest for a person. Does not: computing metrics (`evaluation`), several versions (`catalogue`).
"""

from collections.abc import Mapping

import polars as pl

from spx_assets.lake import Lake
from spx_assets.lake.tables import FEATURE_IMPORTANCE
from spx_assets.scoring.artifact import Artifact
from spx_assets.scoring.manifest import Manifest
from spx_assets.settings import GateSettings

BASELINES = ("zero", "mean", "ar1")
"""What a forecaster of the return is measured against: nothing moves, it moves as it did on average, it goes on."""
SUFFIXES = ("_base", "_low", "_high", "_band", *(f"_{name}_bp" for name in BASELINES))
SCHEMA = {
    "metric": pl.String,
    "value": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "beside": pl.String,
    "baseline": pl.Float64,
}
TOP = 10


def facts(found: Artifact, *, status: str) -> pl.DataFrame:
    """(fact, value): where the version comes from, what it sees, what the gate said of it and why."""
    manifest, verdict = found.manifest, found.verdict
    told: dict[str, object] = {
        "version": manifest.version,
        "model_name": manifest.name,
        "family": manifest.family,
        "week": manifest.partition,
        "status": status,
        "verdict": verdict.verdict if verdict else None,
        "reason": verdict.reason if verdict else None,
        "decided_at": verdict.decided_at if verdict else None,
        "direction_ok": verdict.direction_ok if verdict else None,
        "return_ok": verdict.return_ok if verdict else None,
        "parent_version": manifest.parent_version,
        "instruments": ",".join(manifest.instruments),
        "target": manifest.target,
        "features": len(manifest.features),
        "feature_set_hash": manifest.feature_set_hash,
        "input_rows": manifest.input_rows,
        "calibration": manifest.calibration.kind,
        "interval_level": manifest.interval_level,
        "training_start": manifest.training_start,
        "training_cutoff": manifest.training_cutoff,
        **{f"{part}_rows": segment.rows for part, segment in manifest.segments.items()},
        **{f"member_{k}": f"{m.version} x {m.weight:.3f}" for k, m in enumerate(manifest.members, start=1)},
        **manifest.parameters,
        "trials": manifest.trials,
        "created_at": manifest.created_at,
        "run_id": manifest.run_id,
        "lake_snapshot": manifest.lake_snapshot,
        "training_hash": manifest.training_hash,
        "git_commit": manifest.git_commit,
        "digest": manifest.digest,
    }
    return pl.DataFrame({"fact": list(told), "value": [None if value is None else str(value) for value in told.values()]})


def metrics(manifest: Manifest, gate: GateSettings) -> pl.DataFrame:
    """(metric, value, low, high, beside, baseline): one row a metric and baseline; `beside` names the baseline or the limit."""
    told = manifest.metrics
    rows = []
    for name in told:
        if name.endswith(SUFFIXES):
            continue
        value, low, high = told[name], told.get(f"{name}_low"), told.get(f"{name}_high")
        for beside, baseline in _beside(name, manifest, gate).items() or [("", None)]:
            rows.append((name, value, low, high, beside, baseline))
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def importance(lake: Lake, version: str) -> pl.DataFrame:
    """The ten inputs it owes most to, by permutation."""
    rows = lake.read(FEATURE_IMPORTANCE.name).filter(pl.col("version") == version, pl.col("rank") <= TOP)
    return rows.sort("rank").select("rank", "feature", "permutation", "gain")


def _beside(name: str, manifest: Manifest, gate: GateSettings) -> Mapping[str, float | None]:
    """Baselines of a metric on the same rows, chance, or the limit that the gate sets it."""
    told = manifest.metrics
    fixed = {
        "auc": ("chance", 0.5),
        "auc_fit": ("chance", 0.5),
        "r2_zero": ("zero", 0.0),
        "ic": ("chance", 0.0),
        "coverage_interval": ("level", manifest.interval_level),
        "p_direction": ("gate, below", gate.alpha),
        "p_return": ("gate, below", gate.alpha),
        "effective_obs": ("gate, at least", gate.min_effective_obs),
        "coverage": ("gate, at least", gate.min_coverage),
        "missing_share": ("gate, at most", gate.max_missing_share),
        "training_seconds": ("gate, at most", gate.max_training_s),
        "latency_ms": ("gate, at most", gate.max_latency_ms),
    }
    found: dict[str, float | None] = {}
    if name in fixed:
        found[fixed[name][0]] = fixed[name][1]
    if name in ("precision", "recall", "f1") and (share := _share_up(told)) is not None:
        found["always up"] = {"precision": share, "recall": 1.0, "f1": 2 * share / (1 + share)}[name]
    if f"{name}_base" in told:
        found["base rate"] = told[f"{name}_base"]
    if f"{name}_band" in told:
        found["band if exact"] = told[f"{name}_band"]
    stem = name.removesuffix("_bp")
    found |= {beside: told[f"{stem}_{beside}_bp"] for beside in BASELINES if f"{stem}_{beside}_bp" in told}
    return found


def _share_up(told: Mapping[str, float | None]) -> float | None:
    """Share of rows that went up, which is the precision of always saying so; None where nothing was said to go up.

    Of h hits among those said to go up, h / precision were said to and h / recall did, and
    accuracy = 1 + 2 h - h / precision - h / recall.
    """
    accuracy, precision, recall = (told.get(name) for name in ("accuracy", "precision", "recall"))
    if accuracy is None or not precision or not recall or precision == recall == 1.0:
        return None
    hits = (1.0 - accuracy) / (1.0 / precision + 1.0 / recall - 2.0)
    return hits / recall
