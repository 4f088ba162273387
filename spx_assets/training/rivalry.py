"""Candidate and champion on the same rows: out of time for both, later than what either was calibrated on.

Belongs here: choosing those rows, both forecasts, the test between them. Does not: the verdict (`gate`).
"""

from datetime import timedelta

import numpy as np
import numpy.typing as npt

from spx_assets.features import catalog
from spx_assets.lake import Lake
from spx_assets.scoring import artifact, compatibility
from spx_assets.scoring.forecaster import Forecaster
from spx_assets.scoring.manifest import Manifest
from spx_assets.settings import Settings
from spx_assets.training import dataset, skill
from spx_assets.training.dataset import Dataset
from spx_assets.training.gate import Comparison
from spx_assets.training.splits import Rows

F64 = npt.NDArray[np.float64]

SAME = 1e-12
"""Probabilities closer than this on every row are the same forecast."""


def compare(lake: Lake, settings: Settings, *, candidate: Manifest, champion: str) -> Comparison | str:
    """Diebold-Mariano on direction log loss; why the champion is no rival if it knows features that are no longer made.

    Rows: labelled bars of the candidate's training window, at its lake snapshot, that begin at least the embargo after both
    calibration segments have ended and that both can forecast.
    """
    rival = Forecaster.load(artifact.folder(settings.artifacts, candidate.name, champion))
    if objection := compatibility.objection(rival.manifest, settings):
        return objection
    own = Forecaster.load(artifact.folder(settings.artifacts, candidate.name, candidate.version))
    since = max(m.segments["calibration"].end for m in (own.manifest, rival.manifest))
    since += timedelta(minutes=candidate.horizon_minutes)
    if since >= candidate.training_cutoff:
        return Comparison(champion, 0, float("nan"), identical=False)
    data = dataset.load(
        lake,
        settings,
        name=candidate.name,
        week=candidate.partition,
        snapshot=candidate.lake_snapshot,
        since=since,
        features=union(own.manifest, rival.manifest),
    )
    return on_rows(data, own, rival)


def on_rows(data: Dataset, own: Forecaster, rival: Forecaster) -> Comparison:
    """The comparison on the rows of `data` that have a direction and that both can forecast."""
    rows = shared(data, own, rival)
    rows = rows[~np.isnan(data.up[rows])]
    if len(rows) < 2:
        return Comparison(rival.manifest.version, 0, float("nan"), identical=False)
    p, rival_p = (f.at(data.select(f.manifest.features), rows).probability_up for f in (own, rival))
    up = data.up[rows]
    gain = skill.diebold_mariano(
        skill.log_losses(up, p), skill.log_losses(up, rival_p), ts=data.ts[rows], label_end=data.label_end[rows]
    )
    same = identical(p, rival_p)
    return Comparison(rival.manifest.version, len(rows), 1.0 if same else gain.p_greater, identical=same)


def union(one: Manifest, two: Manifest) -> list[str]:
    """The inputs of both in catalog order; the settings may by now name others for the forecaster."""
    asked = {*one.features, *two.features}
    return [feature.name for feature in catalog.model_inputs() if feature.name in asked]


def shared(data: Dataset, *forecasters: Forecaster) -> Rows:
    """The labelled rows of `data` that all of them can forecast."""
    able = [f.forecastable(data.select(f.manifest.features), data.run) for f in forecasters]
    return np.flatnonzero(~np.isnan(data.return_bp) & np.logical_and.reduce(able))


def identical(p: F64, other: F64) -> bool:
    """Whether two models say the same of every row."""
    return bool(np.max(np.abs(p - other)) <= SAME)
