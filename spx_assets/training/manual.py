"""What a person decides: promoting a version by hand, and going back to the champion before.

Belongs here: checks of the version and the row that records the decision with its reason. Does not: the gate's verdicts
(`promotion`), what rows mean (`standing`).
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from spx_assets.lake import Lake
from spx_assets.lake.tables import PROMOTIONS
from spx_assets.scoring import artifact, compatibility
from spx_assets.scoring.current import Current
from spx_assets.scoring.forecaster import Forecaster
from spx_assets.scoring.manifest import Manifest
from spx_assets.settings import Settings
from spx_assets.sources import bindings
from spx_assets.training import gate, promotion, standing, versions
from spx_assets.training.errors import ManualDecisionError


def promote(lake: Lake, settings: Settings, *, version: str, reason: str) -> Mapping[str, Any]:
    """Makes `version` the champion of its forecaster; the row that records it.

    ManualDecisionError without a reason, for an unknown version, one that is champion already, or one whose features are no
    longer made; an ArtifactError subclass if the artifact is not what was judged.
    """
    found = Forecaster.load(folder(settings, version)).manifest
    if objection := compatibility.objection(found, settings) or compatibility.rebound(
        version, found.feeds, bindings.in_force(lake)
    ):
        raise ManualDecisionError(f"{version} cannot be served: {objection}")
    with promotion.one_at_a_time(settings, found.name):
        before = standing.restore(lake, settings, name=found.name)
        if before.champion == version:
            raise ManualDecisionError(f"{version} is the champion of {found.name} already")
        return _record(lake, settings, found, before, _said(reason))


def rollback(lake: Lake, settings: Settings, *, name: str, reason: str) -> Mapping[str, Any]:
    """Makes the champion before the present one champion again; the row that records it.

    ManualDecisionError without a reason, or if there was no other champion before.
    """
    with promotion.one_at_a_time(settings, name):
        before = standing.restore(lake, settings, name=name)
        moved = standing.counting(lake, name=name).filter("moves_current")
        earlier = champions(moved["champion_after"].drop_nulls().to_list())[:-1]
        if before.champion is None or not earlier:
            raise ManualDecisionError(f"{name} had no other champion before; see `spx models history {name}`")
        found = Forecaster.load(folder(settings, earlier[-1])).manifest
        if objection := compatibility.objection(found, settings):
            raise ManualDecisionError(f"{found.version} cannot be served again: {objection}")
        return _record(lake, settings, found, before, _said(reason))


def champions(after: Sequence[str]) -> list[str]:
    """The champions that a rollback can go back through, the present one last, from the champion after each decision.

    A version that becomes champion again takes those that came after it off the list.
    """
    stack: list[str] = []
    for version in after:
        stack = [*stack[: stack.index(version)], version] if version in stack else [*stack, version]
    return stack


def folder(settings: Settings, version: str) -> Path:
    """The artifact of a version, whichever forecaster it belongs to; ManualDecisionError if there is none."""
    found = sorted(artifact.root(settings.artifacts).glob(f"*/{version}")) if version else []
    if len(found) != 1:
        raise ManualDecisionError(f"no version {version!r} in {artifact.root(settings.artifacts)}; see `spx models list`")
    return found[0]


def _said(reason: str) -> str:
    if not reason.strip():
        raise ManualDecisionError("a decision by hand needs a reason, which is recorded; give one with --reason")
    return " ".join(reason.split())


def _record(lake: Lake, settings: Settings, manifest: Manifest, before: Current, reason: str) -> Mapping[str, Any]:
    """Appends the decision, which is its commit, and brings the files in line."""
    metrics, rules = manifest.metrics, settings.models.gate
    after = gate.served_after(before, "manual", manifest.version)
    row = {
        "model_name": manifest.name,
        "week": manifest.partition,
        "decided_at": datetime.now(UTC),
        "effective_at": promotion.feed_clock(lake, settings, manifest.name),
        "family": manifest.family,
        "version": manifest.version,
        "verdict": "manual",
        "reason": reason,
        "direction_ok": gate.direction_ok(metrics, rules),
        "return_ok": gate.return_ok(metrics, rules),
        "moves_current": True,
        "champion_before": before.champion,
        "champion_after": after.champion,
        "served": after.version,
        "rank": 1,
        "tests": promotion.tests_so_far(lake, manifest.name),
        **{name: metrics.get(name) for name in ("effective_obs", "p_direction", "p_return")},
    }
    lake.append(PROMOTIONS.name, versions.frame(PROMOTIONS, [row]))
    standing.restore(lake, settings, name=manifest.name)
    return row
