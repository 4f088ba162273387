"""Trains a version again from what its manifest says, and compares.

Belongs here: the training set from the recorded lake snapshot, the settings the version was trained with, the comparison of
forecasts. Does not: training (`learn`), writing anything.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from spx_assets.lake import Lake
from spx_assets.scoring import artifact, compatibility
from spx_assets.scoring.forecaster import Forecaster
from spx_assets.scoring.manifest import Manifest
from spx_assets.settings import Settings
from spx_assets.training import dataset
from spx_assets.training.errors import NotReproducibleError
from spx_assets.training.learn import learn, split


@dataclass(frozen=True)
class Reproduction:
    """What training again gave. Differences are the largest over all out-of-time rows; 0 means equal to the bit."""

    version: str
    training_hash: str
    rows: int
    return_bp_difference: float
    probability_difference: float
    graph_identical: bool

    @property
    def exact(self) -> bool:
        """Some rows were forecast, and all of them to the bit."""
        return self.rows > 0 and self.return_bp_difference == 0.0 and self.probability_difference == 0.0


def reproduce(lake: Lake, settings: Settings, version: str) -> Reproduction:
    """Rebuilds the training set of `version` at its snapshot, checks its hash, trains again, compares all forecasts.

    NotReproducibleError if the rows, the features or the model's settings are no longer those of the manifest.
    """
    found = artifact.load(_folder(settings, version))
    manifest = found.manifest
    if manifest.members:
        members = ", ".join(member.version for member in manifest.members)
        raise NotReproducibleError(
            f"{version} is a vote of {members}, whose weights and intervals would be fitted anew: reproduce its members instead"
        )
    if objection := compatibility.objection(manifest, settings):
        raise NotReproducibleError(f"{version} cannot be made again here: {objection}")
    data = dataset.load(lake, settings, name=manifest.name, week=manifest.partition, snapshot=manifest.lake_snapshot)
    if data.hash != manifest.training_hash:
        raise NotReproducibleError(
            f"the training set of {version} at lake snapshot {manifest.lake_snapshot} has the hash {data.hash}, not "
            f"{manifest.training_hash}; it was trained with another window, other inputs or labels: see "
            "SPX_MODELS__TRAINING_WEEKS, SPX_MODELS__FEATURES and SPX_LABELS__TOLERANCE_MIN"
        )
    again = learn(
        data,
        as_trained(settings, manifest),
        name=manifest.name,
        family=manifest.family,
        week=manifest.partition,
        run_id="reproduce",
        trials=manifest.trials,
    )
    rows = split(data).out_of_time
    forecasters = (Forecaster.of(found), Forecaster(again.manifest, again.files[artifact.MODEL]))
    X = data.select(manifest.features)
    rows = rows[forecasters[0].forecastable(X, data.run)[rows]]
    one, two = (forecaster.at(X, rows) for forecaster in forecasters)
    return Reproduction(
        version=version,
        training_hash=data.hash,
        rows=len(rows),
        return_bp_difference=float(np.max(np.abs(one.return_bp - two.return_bp), initial=0.0)),
        probability_difference=float(np.max(np.abs(one.probability_up - two.probability_up), initial=0.0)),
        graph_identical=found.model == again.files[artifact.MODEL],
    )


def as_trained(settings: Settings, manifest: Manifest) -> Settings:
    """The settings with the family's parameters as the manifest has them; what it does not name stays as it is now.

    A manifest holds scalars only. Of `linear.penalties` it has the one that was chosen, not those it was chosen of: where that
    setting has changed since, forecasts may differ though nothing else has.
    """
    now = getattr(settings.models, manifest.family)
    then = {name: value for name, value in manifest.parameters.items() if name in type(now).model_fields}
    chosen = type(now).model_validate({**now.model_dump(), **then})
    return settings.model_copy(update={"models": settings.models.model_copy(update={manifest.family: chosen})})


def _folder(settings: Settings, version: str) -> Path:
    """The artifact of a version, whichever forecaster it belongs to; NotReproducibleError if there is none."""
    found = sorted(artifact.root(settings.artifacts).glob(f"*/{version}"))
    if not found:
        raise NotReproducibleError(
            f"no artifact of version {version!r} in {artifact.root(settings.artifacts)}; see `spx models list`"
        )
    return found[0]
