"""The ensemble: a soft vote of the week's other models of the same forecaster.

Belongs here: which versions may vote, and their weights. Does not: voting (`scoring.graphs`), calibration of the result
(`certainty`).

Members are whole models: judged, calibrated and stored under versions of their own. The ensemble adds weights, and then is
calibrated, given intervals and judged as they were, on the rows that all of them can forecast.

Its members' calibrations and its weights were fitted on the segment on which candidates are ranked. Ranked as it stands, it
came first in 92 % of markets without a signal; so it is ranked by votes that are made again without the rows they are asked.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
from scipy import optimize

from spx_assets.lake import Lake
from spx_assets.scoring import artifact, calibration, compatibility
from spx_assets.scoring.artifact import Artifact
from spx_assets.scoring.forecaster import Forecaster
from spx_assets.scoring.graphs import Voice, Vote
from spx_assets.scoring.manifest import Manifest, Member
from spx_assets.settings import EnsembleSettings, Settings
from spx_assets.training import calibrate, dataset, uniqueness, versions
from spx_assets.training.dataset import Dataset
from spx_assets.training.errors import MemberError
from spx_assets.training.splits import Rows, Segments

F64 = npt.NDArray[np.float64]

NAME = "ensemble"
FEWEST = 2
DIGITS = 6
"""Weights are rounded: the last bits of a sum depend on how BLAS parts it among threads, and of a share on its division."""


@dataclass(frozen=True)
class Elected:
    """Members and their weights, ready to vote."""

    vote: Vote
    members: tuple[Member, ...]
    required: tuple[str, ...]
    """Inputs that some member needs."""
    parameters: Mapping[str, str | int | float | bool]
    remade: calibrate.Remade
    """The vote on the calibration segment, members calibrated and weighed again on the rows that are known."""


@dataclass(frozen=True)
class Polled:
    """What the members say of the calibration segment: n rows that all can forecast and that have a direction."""

    kinds: Sequence[str]
    """The calibration of each member."""
    raw: F64
    """[n, k] probabilities of up before calibration."""
    told: F64
    """[n, k] calibrated probabilities of up."""
    up: F64
    weight: F64


def candidates(settings: Settings, *, name: str, week: date) -> list[Artifact]:
    """The newest version of each family that votes in the ensemble of `name` for the week, in the order of the settings.

    MemberError names the families of which there is none, or whose features are no longer made.
    """
    asked = settings.models.voters
    found = versions.of_week(Lake.open(settings), name=name, week=week, families=asked)
    if missing := [family for family in asked if family not in set(found["family"])]:
        raise MemberError(
            f"the ensemble of {name} asks for {', '.join(missing)}, of which there is no version for the week {week}; train "
            f"{' and '.join(missing)} for that week first, or leave them out of SPX_MODELS__ENSEMBLE__MEMBERS"
        )
    members = [artifact.load(artifact.folder(settings.artifacts, name, version)) for version in found["version"]]
    for member in members:
        if objection := compatibility.objection(member.manifest, settings):
            raise MemberError(f"{member.manifest.family} cannot vote: {objection}")
    return members


def elect(data: Dataset, segments: Segments, chosen: EnsembleSettings, members: Sequence[Artifact], *, threads: int) -> Elected:
    """The vote of `members`, with fixed weights or those that the calibration segment gives them.

    MemberError for fewer than two members, and for one that has learned from, or was calibrated on, rows on which the ensemble
    is calibrated or judged.
    """
    if len(members) < FEWEST:
        families = ", ".join(member.manifest.family for member in members) or "nobody"
        raise MemberError(f"an ensemble needs {FEWEST} members, {families} would vote; name more in SPX_MODELS__FAMILIES")
    for member in members:
        _require_apart(member.manifest, data, segments)
    equal = Vote(
        [
            Voice.among(data.features, Forecaster.of(member, threads=threads).graph, member.manifest, 1.0 / len(members))
            for member in members
        ]
    )
    polled = _polled(equal, data, segments)
    weight = _weights([voice.manifest.family for voice in equal.voices], polled, chosen)
    voices = [Voice(v.graph, v.manifest, w, v.columns) for v, w in zip(equal.voices, weight, strict=True)]
    needed = {name for voice in voices for name in voice.manifest.required}
    return Elected(
        Vote(voices),
        tuple(Member(voice.manifest.version, voice.manifest.digest, voice.weight) for voice in voices),
        tuple(name for name in data.features if name in needed),
        {
            "weights": chosen.weights if isinstance(chosen.weights, str) else "fixed",
            "shrinkage": chosen.shrinkage,
            **{f"weight_{voice.manifest.family}": voice.weight for voice in voices},
        },
        lambda known: _remade(polled, known, chosen, fixed=weight),
    )


def _require_apart(manifest: Manifest, data: Dataset, segments: Segments) -> None:
    """MemberError unless the member knows nothing of later segments of the ensemble than it may.

    A member of the same training set always passes; one that was trained when the window held other rows may not.
    """
    mismatch = (
        manifest.instruments != data.instruments
        or manifest.horizon_minutes != data.horizon_minutes
        or not set(manifest.features) <= set(data.features)
    )
    pairs = (("validation", segments.calibration), ("calibration", segments.out_of_time))
    late = any(manifest.segments[name].end > dataset.instant(int(data.ts[rows].min())) for name, rows in pairs)
    if mismatch or late:
        raise MemberError(
            f"{manifest.family} {manifest.version} was trained on other rows or inputs than the ensemble is calibrated and "
            f"judged on; train {manifest.family} for the week {manifest.partition} again, then the ensemble"
        )


def _polled(vote: Vote, data: Dataset, segments: Segments) -> Polled:
    """What the voices say of the calibration segment; MemberError if they share no row of it."""
    rows = segments.calibration
    rows = rows[vote.forecastable(data.X, data.run)[rows] & ~np.isnan(data.up[rows])]
    if not len(rows):
        families = ", ".join(voice.manifest.family for voice in vote.voices)
        raise MemberError(f"no row of the calibration segment can be forecast by all of {families}; train them again")
    answers = [voice.graph.heads_at(voice.own(data.X), rows) for voice in vote.voices]
    return Polled(
        [voice.manifest.calibration.kind for voice in vote.voices],
        np.column_stack([answer[1] for answer in answers]),
        np.column_stack([voice.told(answer)[1] for voice, answer in zip(vote.voices, answers, strict=True)]),
        data.up[rows],
        uniqueness.average(data.ts[rows], data.label_end[rows]),
    )


def _remade(polled: Polled, known: Rows, chosen: EnsembleSettings, *, fixed: Sequence[float]) -> F64:
    """The vote on every row of `polled`, its members calibrated and weighed on the rows `known` alone."""
    up, weight = polled.up[known], polled.weight[known]
    columns = [
        calibration.apply(calibrate.refitted(kind, raw[known], up, weight), raw)
        for kind, raw in zip(polled.kinds, polled.raw.T, strict=True)
    ]
    p = np.column_stack(columns)
    w = fixed if chosen.fixed is not None else fitted(p[known], up, weight, shrinkage=chosen.shrinkage)
    vote: F64 = p @ np.asarray(w) / sum(w)
    return vote


def _weights(families: Sequence[str], polled: Polled, chosen: EnsembleSettings) -> list[float]:
    """One weight a voice; they sum to 1."""
    if chosen.fixed is not None:
        if lacking := sorted(set(families) ^ set(chosen.fixed)):
            raise MemberError(f"members and SPX_MODELS__ENSEMBLE__WEIGHTS differ by {', '.join(lacking)}; weigh each member once")
        total = sum(chosen.fixed.values())
        return [round(chosen.fixed[family] / total, DIGITS) for family in families]
    return fitted(polled.told, polled.up, polled.weight, shrinkage=chosen.shrinkage)


def fitted(p: F64, up: F64, weight: F64, *, shrinkage: float) -> list[float]:
    """Weights in (0, 1) with the least log loss of the vote, pulled towards equal ones.

    `p` [n, k] are calibrated probabilities of up of n rows and k members, `weight` the uniqueness of the rows, which sums to the
    effective number of labels. Minimises

        sum_i weight_i * logloss_i(w) - shrinkage / k * sum_k ln w_k

    which is the posterior mode under a Dirichlet prior around equal weights. A few hundred effective labels tell members apart
    by a thousandth of log loss at most: to go from thirds to (0.6, 0.2, 0.2) they must tell 0.14 * shrinkage in all, 1.4 at the
    default of 10, where chance alone tells about (k - 1) / 2 = 1.
    """
    hit = np.where(up[:, None] > 0.5, p, 1.0 - p)
    k = p.shape[1]

    def share(theta: F64) -> F64:
        grown = np.exp(theta - theta.max())
        shares: F64 = grown / grown.sum()
        return shares

    def loss(theta: F64) -> tuple[float, F64]:
        w = share(theta)
        mixed = hit @ w
        value = -float(weight @ np.log(mixed)) - shrinkage / k * float(np.log(w).sum())
        slope = -(hit.T @ (weight / mixed)) - shrinkage / (k * w)
        return value, w * (slope - float(w @ slope))

    best = optimize.minimize(loss, np.zeros(k), jac=True, method="L-BFGS-B", options={"ftol": 1e-14, "gtol": 1e-9})
    return [round(float(w), DIGITS) for w in share(best.x)]
