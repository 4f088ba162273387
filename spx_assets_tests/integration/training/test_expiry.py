"""Upkeep forgets snapshots, but of versions that matter none: those are made again to the bit, the others say what happened."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from spx_assets.lake import Chunk, Lake, maintenance
from spx_assets.lake.tables import LABELS, PROMOTIONS, VERSIONS
from spx_assets.scoring import artifact, current
from spx_assets.scoring.manifest import Member
from spx_assets.settings import Settings
from spx_assets.settings.upkeep import UpkeepSettings
from spx_assets.training import reproduce, versions
from spx_assets.training.errors import SnapshotExpiredError
from spx_assets.upkeep import kept, routine
from spx_assets_tests import lakes
from spx_assets_tests.integration.training.conftest import LAST, NAME
from spx_assets_tests.unit.scoring import toy

MADE = datetime(2025, 10, 15, 16, tzinfo=UTC)


def impatient(settings: Settings, *, candidates: int) -> Settings:
    """The settings of a home whose snapshots and files are old at once."""
    lake = settings.lake.model_copy(update={"keep_files_h": 1e-7})
    return settings.model_copy(update={"lake": lake, "upkeep": UpkeepSettings(candidates=candidates, snapshot_days=1e-9)})


def test_after_merge_and_expiry_kept_versions_are_made_again_to_the_bit_and_others_say_why_not(
    home: Settings, taught: tuple[Path, str, str]
) -> None:
    _, older, last = taught
    settings = impatient(home, candidates=1)
    lake = Lake.open(settings)
    snapshots = {v: artifact.load(artifact.folder(home.artifacts, NAME, v)).manifest.lake_snapshot for v in (older, last)}
    emptied = Chunk((LAST,), LABELS.empty())
    lake.replace("gold.labels", emptied, asset="gold/labels", run_id="x", read_snapshot=0, inputs_hashes={LAST: "x"})
    time.sleep(0.1)
    # A run that began before all of it may read any of it.
    began = datetime.now(UTC) - timedelta(days=365)
    assert maintenance.expire_snapshots(lake, older_than=timedelta(hours=1e-7), before=began) == 0
    done = {step.what: step.number for step in routine.maintain(settings)}
    assert done["snapshots forgotten"] > 0
    assert done["snapshots kept for versions"] == 1
    lake.close()
    again = reproduce.reproduce(Lake.open(settings), settings, last)
    assert (again.exact, again.graph_identical) == (True, True)
    with pytest.raises(SnapshotExpiredError, match=f"SnapshotExpired: {older} was trained at lake snapshot {snapshots[older]}"):
        reproduce.reproduce(Lake.open(settings), settings, older)


def row(version: str, family: str, snapshot: int) -> dict[str, object]:
    known: dict[str, object] = {"model_name": "spx500_h30", "family": family, "version": version, "lake_snapshot": snapshot}
    filled = {"VARCHAR": "x", "TIMESTAMPTZ": MADE, "DATE": LAST, "INTEGER": 1, "BIGINT": 1}
    return {c.name: known.get(c.name, None if c.nullable else filled[c.type]) for c in VERSIONS.columns}


def test_kept_are_versions_ever_served_or_flagged_the_newest_candidates_and_who_votes_in_them(settings: Settings) -> None:
    lake = lakes.fresh(settings)
    names = [(f"v{k:02d}", "lightgbm", 100 + k) for k in range(15)]
    names += [("w01", "linear", 201), ("w02", "ensemble", 202), ("w03", "xgboost", 203)]
    lake.append(VERSIONS, versions.frame(VERSIONS, [row(*each) for each in names]))
    decided = lakes.promotion(1).to_dicts()[0] | {"champion_before": "v00", "champion_after": "v01", "served": "v02"}
    lake.append(PROMOTIONS, versions.frame(PROMOTIONS, [decided]))
    current.replace(settings.artifacts, "spx500_h30", champion="v03", challenger=None, flagged=None)
    # The vote of the newest candidates has a member older than the ten newest.
    voting = toy.manifest(version="w02", family="ensemble", members=(Member("v04", "digest", 1.0),))
    artifact.write(settings.artifacts, voting, {})
    served = {"v00", "v01", "v02", "v03"}
    newest = {f"v{k:02d}" for k in range(5, 15)} | {"w01", "w02", "w03"}
    assert kept.versions(lake, settings) == served | newest | {"v04"}
    few = settings.model_copy(update={"upkeep": UpkeepSettings(candidates=0)})
    assert kept.snapshots(lake, few) == {100 + k: [f"v{k:02d}"] for k in range(4)}
