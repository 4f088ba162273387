"""Trains a version again from what its manifest says, and compares.

Belongs here: the training set from the recorded lake snapshot, the settings the version was trained with, the comparison of
forecasts. Does not: training (`learn`), writing anything.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from spx_assets.lake import Lake
from spx_assets.lake.errors import SnapshotError
from spx_assets.scoring import artifact, compatibility
from spx_assets.scoring.artifact import Artifact
from spx_assets.scoring.forecaster import Forecaster, vote
from spx_assets.scoring.graphs import Graph
from spx_assets.scoring.manifest import Manifest
from spx_assets.settings import Settings
from spx_assets.training import dataset
from spx_assets.training.errors import NotReproducibleError, SnapshotExpiredError
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
    """The graph's bytes, or the members and weights of a vote, are the same."""

    @property
    def exact(self) -> bool:
        """Some rows were forecast, and all of them to the bit."""
        return self.rows > 0 and self.return_bp_difference == 0.0 and self.probability_difference == 0.0


def with_members(
    lake: Lake, settings: Settings, version: str, *, progress: Callable[[int, int], None] | None = None
) -> tuple[Reproduction, ...]:
    """The reproductions of `version`; of an ensemble first those of its members, then that of their vote.

    `progress` is told how many of how many trainings are done.
    """
    members = artifact.load(_folder(settings, version)).manifest.members
    wanted = (*(member.version for member in members), version)
    made: list[Reproduction] = []
    for one in wanted:
        if progress:
            progress(len(made), len(wanted))
        made.append(reproduce(lake, settings, one))
    if progress:
        progress(len(wanted), len(wanted))
    return tuple(made)


def reproduce(lake: Lake, settings: Settings, version: str) -> Reproduction:
    """Rebuilds the training set of `version` at its snapshot, checks its hash, trains again, compares all forecasts.

    An ensemble's weights, calibration and intervals are fitted again on its members as they are stored: whether those can be
    made again is a question of its own, see `with_members`. NotReproducibleError if the rows, the features or the model's
    settings are no longer those of the manifest.
    """
    found = artifact.load(_folder(settings, version))
    manifest = found.manifest
    if objection := compatibility.objection(manifest, settings):
        raise NotReproducibleError(f"{version} cannot be made again here: {objection}")
    try:
        data = dataset.load(lake, settings, name=manifest.name, week=manifest.partition, snapshot=manifest.lake_snapshot)
    except SnapshotError as error:
        raise SnapshotExpiredError(
            f"SnapshotExpired: {version} was trained at lake snapshot {manifest.lake_snapshot}, which upkeep has expired; "
            "it keeps those of versions that were served and of the newest SPX_UPKEEP__CANDIDATES a forecaster and family"
        ) from error
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
        voters=[artifact.load(found.folder.parent / member.version) for member in manifest.members] or None,
    )
    graph: Graph | bytes
    if manifest.members:
        graph, same = vote(Artifact(found.folder, again.manifest, None)), manifest.members == again.manifest.members
    else:
        graph, same = again.files[artifact.MODEL], found.model == again.files[artifact.MODEL]
    rows = split(data).out_of_time
    forecasters = (Forecaster.of(found), Forecaster(again.manifest, graph))
    X = data.select(manifest.features)
    rows = rows[forecasters[0].forecastable(X, data.run)[rows]]
    one, two = (forecaster.at(X, rows) for forecaster in forecasters)
    return Reproduction(
        version=version,
        training_hash=data.hash,
        rows=len(rows),
        return_bp_difference=float(np.max(np.abs(one.return_bp - two.return_bp), initial=0.0)),
        probability_difference=float(np.max(np.abs(one.probability_up - two.probability_up), initial=0.0)),
        graph_identical=same,
    )


def as_trained(settings: Settings, manifest: Manifest) -> Settings:
    """The settings with the family's parameters as the manifest has them; what it does not name stays as it is now.

    A manifest holds scalars only: a tuple, the penalties of `linear`, stands there as JSON, and fixed weights of an ensemble as
    one parameter a member.
    """
    now = getattr(settings.models, manifest.family)
    then: dict[str, Any] = {name: value for name, value in manifest.parameters.items() if name in type(now).model_fields}
    then |= {name: json.loads(value) for name, value in then.items() if isinstance(getattr(now, name), tuple)}
    if manifest.members:
        then["members"] = ()
        if then["weights"] == "fixed":
            told = manifest.parameters.items()
            then["weights"] = {name.removeprefix("weight_"): value for name, value in told if name.startswith("weight_")}
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
