"""Judges a week's candidates, records every verdict, and moves what is served.

Belongs here: the order of reading, judging and writing, under one lock a forecaster. Does not: the rules (`gate`), the
comparison with the champion (`rivalry`).

Only the newest week may move `current.json`: no later week of the forecaster was trained, and it is the feed's running week
or the one before. Any other week appends its verdict as evidence, judged without rivals from its future.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
from filelock import FileLock

from spx_assets import calendar
from spx_assets.lake import Lake
from spx_assets.lake.tables import PROMOTIONS
from spx_assets.scoring import artifact, current
from spx_assets.scoring.current import Current
from spx_assets.scoring.manifest import GateVerdict, Manifest
from spx_assets.scoring.walk_forward import History
from spx_assets.settings import Settings
from spx_assets.sources import feeds
from spx_assets.training import gate, rivalry, versions
from spx_assets.training.errors import NoCandidateError
from spx_assets.training.gate import Comparison, Judgement, Served

LOCK_TIMEOUT_S = 600.0
"""A decision takes seconds; another one of the same forecaster may be waiting for the lake's lock (120 s)."""


@dataclass(frozen=True)
class Decision:
    """The verdicts on a week's candidates, first-ranked first, as rows of `models.promotions`."""

    name: str
    week: date
    rows: Sequence[Mapping[str, Any]]

    def summary(self) -> dict[str, str | int | float | bool]:
        """What a person looks at first: the verdict on the candidate that entered, and who is served."""
        first = self.rows[0]
        shown = ("verdict", "reason", "version", "family", "moves_current", "served", "effective_obs", "p_direction", "p_return")
        return {key: first[key] for key in (*shown, "p_champion", "tests") if first[key] is not None}


def decide(lake: Lake, settings: Settings, *, name: str, week: date, run_id: str, inputs_hash: str = "") -> Decision:
    """Ranks the week's candidates, lets the first through the gate, writes the verdicts and, newest week only, who is served.

    NoCandidateError if nothing was trained for the week.
    """
    folder = artifact.root(settings.artifacts) / name
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / ".promotion.lock", timeout=LOCK_TIMEOUT_S):
        snapshot = lake.snapshot()
        candidates = versions.of_week(lake, name=name, week=week, families=settings.models.families)
        if not len(candidates):
            raise NoCandidateError(f"nothing was trained for {name} in the week {week}; run `spx train {name} --week {week}`")
        order = gate.ranked(candidates.select("version", "log_loss_calibration").rows())
        manifests = {v: artifact.load(artifact.folder(settings.artifacts, name, v)).manifest for v in order}
        moves = is_newest(lake, settings, name=name, week=week)
        before = current.read(settings.artifacts, name) or Current()
        judgement, comparison = _judge(lake, settings, manifests[order[0]], before, moves=moves)
        after = gate.served_after(before, judgement.verdict, order[0]) if moves else Served(*_standing(before))
        at = datetime.now(UTC)
        rows = _rows(lake, list(manifests.values()), judgement, comparison, before, after, moves=moves, at=at)
        frame = versions.frame(PROMOTIONS, rows)
        record = versions.record(
            frame, asset=f"models/{name}/champion", week=week, snapshot=snapshot, inputs_hash=inputs_hash, run_id=run_id, at=at
        )
        for row in rows:
            _write_verdict(settings, manifests[row["version"]], row)
        lake.append(PROMOTIONS.name, frame, record=record)
        if (after.champion, after.challenger, after.flagged) != _standing(before):
            current.replace(settings.artifacts, name, champion=after.champion, challenger=after.challenger, flagged=after.flagged)
    return Decision(name, week, rows)


def is_newest(lake: Lake, settings: Settings, *, name: str, week: date) -> bool:
    """Whether a verdict on `week` may move what is served."""
    trained = versions.newest_week(lake, name=name)
    clock = _clock(lake, settings, name)
    return (trained is None or week >= trained) and week >= calendar.week_of(clock) - timedelta(weeks=1)


def champion_at(lake: Lake, *, name: str, at: datetime) -> str | None:
    """The version of `name` that was served at `at` by the feed's clock; None before the first."""
    history = History.read(lake, lake.snapshot())
    served: str | None = history.champion_at(name, pl.Series([at], dtype=PROMOTIONS["effective_at"].polars))[0]
    return served


def _judge(
    lake: Lake, settings: Settings, manifest: Manifest, before: Current, *, moves: bool
) -> tuple[Judgement, Comparison | None]:
    """The verdict on the first-ranked candidate, beside the champion if there is one that could have stood before it."""
    alone = gate.judge(manifest.metrics, settings.models.gate)
    if alone.verdict != "promoted" or before.champion is None:
        return alone, None
    if not moves:
        champion = artifact.load(artifact.folder(settings.artifacts, manifest.name, before.champion)).manifest
        if champion.partition > manifest.partition:
            return alone, None
    comparison = rivalry.compare(lake, settings, candidate=manifest, champion=before.champion)
    return gate.judge(manifest.metrics, settings.models.gate, comparison), comparison


def _rows(
    lake: Lake,
    manifests: Sequence[Manifest],
    judgement: Judgement,
    comparison: Comparison | None,
    before: Current,
    after: Served,
    *,
    moves: bool,
    at: datetime,
) -> list[dict[str, Any]]:
    """One row a candidate in order of rank; only the first was tested."""
    name, settings = manifests[0].name, lake.settings
    tests = _tests(lake, name) + 1
    rows: list[dict[str, Any]] = []
    for rank, manifest in enumerate(manifests, start=1):
        entered = rank == 1
        metrics = manifest.metrics
        rows.append(
            {
                "model_name": name,
                "week": manifest.partition,
                "decided_at": at,
                "effective_at": _clock(lake, settings, name),
                "family": manifest.family,
                "version": manifest.version,
                "verdict": judgement.verdict if entered else "not_entered",
                "reason": judgement.reason if entered else f"ranked {rank} on the calibration segment; only the first enters",
                "direction_ok": gate.direction_ok(metrics, settings.models.gate),
                "return_ok": gate.return_ok(metrics, settings.models.gate),
                "moves_current": moves and entered,
                "champion_before": before.champion,
                "champion_after": after.champion,
                "served": after.version,
                "rank": rank,
                "tests": tests,
                "effective_obs": metrics.get("effective_obs"),
                "p_direction": metrics.get("p_direction"),
                "p_return": metrics.get("p_return"),
                "p_champion": comparison.p_value if entered and comparison and comparison.rows else None,
                "rows_champion": float(comparison.rows) if entered and comparison else None,
            }
        )
    return rows


def _write_verdict(settings: Settings, manifest: Manifest, row: Mapping[str, Any]) -> None:
    artifact.write_verdict(
        artifact.folder(settings.artifacts, manifest.name, manifest.version),
        GateVerdict(
            digest=manifest.digest,
            verdict=row["verdict"],
            reason=row["reason"],
            direction_ok=row["direction_ok"],
            return_ok=row["return_ok"],
            decided_at=row["decided_at"],
        ),
    )


def _tests(lake: Lake, name: str) -> int:
    """Candidates of the forecaster that were tested before."""
    rows = lake.read(PROMOTIONS.name, columns=["model_name", "verdict"]).filter(pl.col("model_name") == name)
    return rows.filter(~pl.col("verdict").is_in(["not_entered", "manual"])).height


def _clock(lake: Lake, settings: Settings, name: str) -> datetime:
    """The feed's clock of the forecaster's instruments: the latest of theirs; wall time where no feed is bound."""
    clocks = feeds.clocks(lake)
    instruments = next(settings.models.scopes[scope] for known, scope, _ in settings.model_names if known == name)
    return max((clocks[i] for i in instruments if i in clocks), default=datetime.now(UTC))


def _standing(now: Current) -> tuple[str | None, str | None, str | None]:
    return now.champion, now.challenger, now.flagged
