"""Judges a week's candidates, records every verdict, and moves what is served.

Belongs here: the order of reading, judging and writing, under one lock a forecaster. Does not: the rules (`gate`), the
comparison with the champion (`rivalry`), what recorded verdicts mean (`standing`).

Only the newest week may move `current.json`: no later week of the forecaster was trained, and it is the feed's running week
or the one before. Any other week appends its verdict as evidence, judged without rivals from its future.

A decision is written in this order: its rows, which are the commit; `verdict.json` and `current.json`, which follow from the
rows; the partition record. Wherever it stops, running it again completes it and adds nothing twice, and until then the week
has no record of these inputs, so that a backfill runs it again.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
from filelock import FileLock, Timeout

from spx_assets import calendar
from spx_assets.lake import Lake
from spx_assets.lake.tables import PROMOTIONS
from spx_assets.scoring import artifact
from spx_assets.scoring.current import Current
from spx_assets.scoring.manifest import Manifest
from spx_assets.settings import Settings
from spx_assets.sources import feeds
from spx_assets.training import gate, rivalry, standing, versions
from spx_assets.training.errors import NoCandidateError, PromotionBusyError
from spx_assets.training.gate import Comparison, Judgement

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

    A first-ranked candidate that was judged on the same evidence keeps its verdict: its decision is returned, nothing is
    appended. NoCandidateError if nothing was trained for the week, PromotionBusyError if another decision does not end.
    """
    with one_at_a_time(settings, name):
        snapshot = lake.snapshot()
        candidates = versions.of_week(lake, name=name, week=week, families=settings.models.families)
        if not len(candidates):
            raise NoCandidateError(f"nothing was trained for {name} in the week {week}; run `spx train {name} --week {week}`")
        order = gate.ranked(candidates.select(gate.RANKED_BY).rows(), settings.models.gate)
        manifests = [artifact.load(artifact.folder(settings.artifacts, name, v)).manifest for v in order]
        moves = is_newest(lake, settings, name=name, week=week)
        before = standing.restore(lake, settings, name=name)
        told, rules = standing.counting(lake, name=name), settings.models.gate
        rows = standing.decision(told, manifest=manifests[0], week=week, now=before, rules=rules, moves=moves)
        at = datetime.now(UTC)
        if rows is None:
            judgement, comparison = _judge(lake, settings, manifests[0], before, moves=moves)
            rows = _rows(lake, manifests, judgement, comparison, before, moves=moves, at=at)
            lake.append(PROMOTIONS.name, versions.frame(PROMOTIONS, rows))
            standing.restore(lake, settings, name=name)
        record = versions.record(
            versions.frame(PROMOTIONS, rows),
            asset=f"models/{name}/champion",
            week=week,
            snapshot=snapshot,
            inputs_hash=inputs_hash,
            run_id=run_id,
            at=at,
        )
        lake.write(records={PROMOTIONS.name: [record]})
    return Decision(name, week, rows)


@contextmanager
def one_at_a_time(settings: Settings, name: str) -> Iterator[None]:
    """The lock of the forecaster's decisions; PromotionBusyError if it is not free in time."""
    folder = artifact.root(settings.artifacts) / name
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / ".promotion.lock", timeout=LOCK_TIMEOUT_S)
    try:
        lock.acquire()
    except Timeout as error:
        raise PromotionBusyError(
            f"another decision on {name} has held {lock.lock_file} for {LOCK_TIMEOUT_S:g} s; wait for that run or end it, then "
            "run this one again"
        ) from error
    try:
        yield
    finally:
        lock.release()


def is_newest(lake: Lake, settings: Settings, *, name: str, week: date) -> bool:
    """Whether a verdict on `week` may move what is served."""
    trained = versions.newest_week(lake, name=name)
    clock = feed_clock(lake, settings, name)
    return (trained is None or week >= trained) and week >= calendar.week_of(clock) - timedelta(weeks=1)


def _judge(
    lake: Lake, settings: Settings, manifest: Manifest, before: Current, *, moves: bool
) -> tuple[Judgement, Comparison | None]:
    """The verdict on the first-ranked candidate, beside the champion if there is one that could have stood before it."""
    rules, metrics = settings.models.gate, manifest.metrics
    alone = gate.judge(metrics, rules)
    if alone.verdict != "promoted" or before.champion is None:
        return alone, None
    if not moves:
        champion = artifact.load(artifact.folder(settings.artifacts, manifest.name, before.champion)).manifest
        if champion.partition > manifest.partition:
            why = f"champion {champion.version} of the week {champion.partition} is no rival: it is later"
            return gate.judge(metrics, rules, unrivalled=why), None
    found = rivalry.compare(lake, settings, candidate=manifest, champion=before.champion)
    if isinstance(found, str):
        return gate.judge(metrics, rules, unrivalled=f"champion {before.champion} is no rival: {found}"), None
    return gate.judge(metrics, rules, found), found


def _rows(
    lake: Lake,
    manifests: Sequence[Manifest],
    judgement: Judgement,
    comparison: Comparison | None,
    before: Current,
    *,
    moves: bool,
    at: datetime,
) -> list[Mapping[str, Any]]:
    """One row a candidate in order of rank; only the first was tested."""
    name, settings = manifests[0].name, lake.settings
    after = gate.served_after(before, judgement.verdict, manifests[0].version) if moves else standing.served(before)
    tests = tests_so_far(lake, name) + 1
    rows: list[Mapping[str, Any]] = []
    for rank, manifest in enumerate(manifests, start=1):
        entered = rank == 1
        metrics = manifest.metrics
        rows.append(
            {
                "model_name": name,
                "week": manifest.partition,
                "decided_at": at,
                "effective_at": feed_clock(lake, settings, name),
                "family": manifest.family,
                "version": manifest.version,
                "verdict": judgement.verdict if entered else "not_entered",
                "reason": judgement.reason if entered else gate.not_entered(metrics, settings.models.gate, rank=rank),
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


def tests_so_far(lake: Lake, name: str) -> int:
    """Candidates of the forecaster that were tested before."""
    rows = lake.read(PROMOTIONS.name, columns=["model_name", "verdict"]).filter(pl.col("model_name") == name)
    return rows.filter(~pl.col("verdict").is_in(["not_entered", "manual"])).height


def feed_clock(lake: Lake, settings: Settings, name: str) -> datetime:
    """The feed's clock of the forecaster's instruments: the latest of theirs; wall time where no feed is bound."""
    clocks = feeds.clocks(lake)
    instruments = next(settings.models.scopes[scope] for known, scope, _ in settings.model_names if known == name)
    return max((clocks[i] for i in instruments if i in clocks), default=datetime.now(UTC))
