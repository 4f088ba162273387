"""Trains one version and keeps it: dataset, learning, artifact, row.

Belongs here: the order in which a version is read, learned and written. Does not: learning (`learn`), the gate.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import msgspec

from spx_assets.lake import Lake
from spx_assets.lake.tables import FEATURE_IMPORTANCE, VERSIONS
from spx_assets.scoring import artifact
from spx_assets.settings import Settings
from spx_assets.training import choice, dataset, judgement, provenance, reference, seeds, versions
from spx_assets.training.learn import learn
from spx_assets.training.tuning.results import OnTrial

SHOWN = (
    *("auc", "auc_low", "auc_high", "log_loss", "log_loss_base", "p_direction"),
    *("rmse_bp", "rmse_zero_bp", "rmse_ar1_bp", "r2_zero", "p_return", "effective_obs", "training_seconds"),
)


@dataclass(frozen=True)
class TrainedVersion:
    """A version whose artifact and row are written. `row` holds the columns of `models.versions`."""

    name: str
    family: str
    week: date
    version: str
    digest: str
    folder: Path
    row: Mapping[str, Any]
    parameters: Mapping[str, str | int | float | bool | None]

    def params(self) -> dict[str, str | int | float | bool | None]:
        """Parameters and facts for an experiment tracker."""
        facts = ("week", "horizon_minutes", "instruments", "features", "rows_fit", "rows_oot", "lake_snapshot", "training_hash")
        return {**self.parameters, "family": self.family, **{fact: str(self.row[fact]) for fact in facts}}

    def metrics(self) -> dict[str, float]:
        """Every metric the rows could tell."""
        return {name: value for name, value in self.row.items() if isinstance(value, float)}

    def summary(self) -> dict[str, str | float]:
        """What a person looks at first."""
        return {"version": self.version, **{name: value for name, value in self.metrics().items() if name in SHOWN}}


def train(
    lake: Lake,
    settings: Settings,
    *,
    name: str,
    family: str,
    week: date,
    run_id: str,
    inputs_hash: str = "",
    repeats: int = 0,
    tune: bool = False,
    folds: int = 0,
    on_trial: OnTrial = lambda _: None,
) -> TrainedVersion:
    """Trains `family` for forecaster `name` on the window that ends with `week`; writes its artifact, then its rows.

    With `tune` it learns with the best parameters of a tuning, resumed if one was interrupted; `on_trial` hears of each trial.
    With `folds` the metrics tell how the parameters do on that many purged expanding folds of fit and validation. The report
    tells the spread of every metric over `repeats` seeds, from 2 on.

    `training_seconds` are those of reading and learning: what training again with these parameters takes. Tuning, folds and
    seeds are asked for beside it and have budgets of their own; a version is not refused for them.

    A TrainingError subclass says what is missing or wrong; nothing is written then.
    """
    began = time.perf_counter()
    data = dataset.load(lake, settings, name=name, week=week)
    reading = time.perf_counter() - began
    chosen = choice.parameters(data, settings, name=name, family=family, week=week, tune=tune, folds=folds, on_trial=on_trial)
    settings = chosen.settings
    learned = learn(data, settings, name=name, family=family, week=week, run_id=run_id, trials=chosen.trials)
    spread = seeds.spread(data, settings, family, name=name, week=week, run_id=run_id, seeds=repeats)
    shown = judgement.shown(learned.manifest, learned.evidence, gain=learned.gain, seeds=spread)
    seconds = reading + learned.seconds
    metrics = {**learned.manifest.metrics, **chosen.metrics, "training_seconds": seconds}
    manifest = msgspec.structs.replace(learned.manifest, metrics=metrics)
    written = artifact.write(settings.artifacts, manifest, {**learned.files, **shown.files, **reference.files(learned.evidence)})
    row = provenance.row(written.manifest)
    rows = versions.frame(VERSIONS, [row])
    record = versions.record(
        rows,
        asset=manifest.asset_key,
        week=week,
        snapshot=data.snapshot,
        inputs_hash=inputs_hash,
        run_id=run_id,
        at=manifest.created_at,
    )
    inputs = [{"version": manifest.version, **msgspec.structs.asdict(one)} for one in shown.importance]
    lake.write(
        append={VERSIONS.name: rows, FEATURE_IMPORTANCE.name: versions.frame(FEATURE_IMPORTANCE, inputs)},
        records={VERSIONS.name: [record]},
    )
    return TrainedVersion(name, family, week, manifest.version, written.manifest.digest, written.folder, row, manifest.parameters)
