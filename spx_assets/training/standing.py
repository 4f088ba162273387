"""What the recorded verdicts say: who is served, which verdict of a version stands, whether a week was judged already.

Belongs here: reading `models.promotions` back, and bringing `verdict.json` and `current.json` in line with it. Does not:
judging, appending rows (`promotion`).

The rows of a decision are its commit; both files follow from them. A process that ends between the two leaves files that
the next decision on any week of the forecaster puts right before it judges anything.
"""

import logging
from collections.abc import Mapping
from datetime import date
from typing import Any

import msgspec
import polars as pl

from spx_assets.lake import Lake
from spx_assets.lake.tables import PROMOTIONS
from spx_assets.scoring import artifact, current
from spx_assets.scoring.current import Current
from spx_assets.scoring.errors import ArtifactAlteredError
from spx_assets.scoring.manifest import GateVerdict, Manifest
from spx_assets.settings import GateSettings, Settings
from spx_assets.training import gate, versions
from spx_assets.training.gate import Comparison, Served

LOG = logging.getLogger(__name__)


def recorded(lake: Lake, *, name: str) -> pl.DataFrame:
    """Every verdict on the forecaster, oldest first, each decision's in order of rank."""
    return lake.read(PROMOTIONS.name).filter(pl.col("model_name") == name).sort("decided_at", "rank")


def counting(lake: Lake, *, name: str) -> pl.DataFrame:
    """Those of them on versions of the feeds in force: what was served on other rows has no say in what is served now."""
    return versions.counting(lake, recorded(lake, name=name))


def restore(lake: Lake, settings: Settings, *, name: str) -> Current:
    """Writes what the newest decision's files lack, `current.json` last, and returns it.

    Before the first decision that moved what is served, `current.json` stays as it is, and versions of replaced feeds are
    left out of what is returned. One that cannot be read, or is gone, is written again: its generation counts the decisions
    that moved it, which no earlier file with other contents did.
    """
    rows = counting(lake, name=name)
    for version in rows.filter(pl.col("decided_at") == pl.col("decided_at").max())["version"]:
        _restore_verdict(settings, rows.filter(pl.col("version") == version))
    told, found = replayed(rows), _readable(settings, name=name)
    if found is not None and told is None:
        return _counting(lake, found)
    if found is not None and told == served(found):
        return found
    told = told or served(Current())
    return current.replace(
        settings.artifacts,
        name,
        champion=told.champion,
        challenger=told.challenger,
        flagged=told.flagged,
        generation=None if found and found.generation else max(1, recorded(lake, name=name).filter("moves_current").height),
    )


def present(lake: Lake, settings: Settings, *, name: str) -> Current:
    """`current.json` as if no version of a replaced feed had ever been served."""
    return _counting(lake, current.read(settings.artifacts, name) or Current())


def _counting(lake: Lake, found: Current) -> Current:
    told = [version for version in (found.champion, found.challenger, found.flagged) if version]
    kept = set(versions.counting(lake, pl.DataFrame({"version": told}, schema={"version": pl.String}))["version"])
    gone = {alias: None for alias in ("champion", "challenger", "flagged") if getattr(found, alias) not in kept}
    return msgspec.structs.replace(found, **gone)


def _readable(settings: Settings, *, name: str) -> Current | None:
    """`current.json`, generation 0 where there is none; None, and a warning, if it cannot be read."""
    try:
        return current.read(settings.artifacts, name) or Current()
    except ArtifactAlteredError as error:
        LOG.warning("%s: %s is written again from %s (%s)", name, current.FILE, PROMOTIONS.name, error.__cause__)
        return None


def replayed(rows: pl.DataFrame) -> Served | None:
    """Who is served after all decisions of `rows` that moved it, one after the other; None if none did."""
    state: Served | None = None
    for verdict, version in rows.filter("moves_current").select("verdict", "version").iter_rows():
        state = gate.served_after(state or served(Current()), verdict, version)
    return state


def served(now: Current) -> Served:
    """`current.json` without its generation."""
    return Served(now.champion, now.challenger, now.flagged)


def decision(
    rows: pl.DataFrame, *, manifest: Manifest, week: date, now: Current, rules: GateSettings, moves: bool
) -> list[Mapping[str, Any]] | None:
    """The week's standing decision on its first-ranked candidate `manifest`; None if there is something new to judge.

    New is: no test of this version, another champion since, a gate that reads the recorded numbers otherwise, or a week that
    may now move what is served. The champion itself is never judged again: it stays until another takes its place. Nor is what
    a person decided about later: the same evidence does not undo a decision by hand, a version trained since may.
    """
    tested = rows.filter((pl.col("week") == week) & (pl.col("version") == manifest.version) & (pl.col("rank") == 1))
    tested = tested.filter(pl.col("verdict") != "manual")
    if tested.is_empty():
        return None
    last = tested.row(-1, named=True)
    if manifest.version != now.champion and not _overruled(rows, last):
        if moves and not last["moves_current"]:
            return None
        if moves and last["verdict"] != "no_edge" and last["champion_after"] != now.champion:
            return None
        again = gate.judge(manifest.metrics, rules, _comparison(last))
        if (again.verdict, again.direction_ok, again.return_ok) != (last["verdict"], last["direction_ok"], last["return_ok"]):
            return None
    return list(rows.filter((pl.col("week") == week) & (pl.col("decided_at") == last["decided_at"])).iter_rows(named=True))


def _overruled(rows: pl.DataFrame, last: Mapping[str, Any]) -> bool:
    """Whether the champion was moved by hand after the decision `last`, and by no gate since."""
    moves = rows.filter("moves_current", pl.col("verdict").is_in(["promoted", "manual"]))
    if moves.is_empty():
        return False
    newest = moves.row(-1, named=True)
    return bool(newest["verdict"] == "manual" and newest["decided_at"] > last["decided_at"])


def _comparison(row: Mapping[str, Any]) -> Comparison | None:
    """The comparison with the champion as its row tells it; forecasts that were identical have a p-value of 1."""
    if row["rows_champion"] is None:
        return None
    p_value = float("nan") if row["p_champion"] is None else row["p_champion"]
    return Comparison(str(row["champion_before"]), int(row["rows_champion"]), p_value, identical=False)


def _restore_verdict(settings: Settings, rows: pl.DataFrame) -> None:
    """Puts a version's standing verdict beside its manifest: that of its newest test, else that it did not enter."""
    tests = rows.filter(pl.col("verdict") != "not_entered")
    row = (rows if tests.is_empty() else tests).row(-1, named=True)
    folder = artifact.folder(settings.artifacts, row["model_name"], row["version"])
    if not folder.exists():
        return  # deleted by hand since
    found = artifact.load(folder)
    verdict = GateVerdict(
        digest=found.manifest.digest,
        verdict=row["verdict"],
        reason=row["reason"],
        direction_ok=row["direction_ok"],
        return_ok=row["return_ok"],
        decided_at=row["decided_at"],
    )
    if found.verdict != verdict:
        artifact.write_verdict(folder, verdict)
