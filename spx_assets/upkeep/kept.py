"""Which versions can always be made again, and so which snapshots of the lake outlive their age.

Belongs here: choosing versions. Does not: expiring snapshots (`lake.maintenance`), training again (`training.reproduce`).
"""

import polars as pl

from spx_assets.lake import Lake
from spx_assets.lake.model_tables import PROMOTIONS, VERSIONS
from spx_assets.scoring import artifact, current
from spx_assets.scoring.errors import ArtifactError
from spx_assets.settings import Settings

SERVED = ("champion_before", "champion_after", "served")


def versions(lake: Lake, settings: Settings) -> set[str]:
    """Ids of versions ever served or flagged, of the newest candidates a forecaster and family, and of all that vote in those."""
    chosen = _ever_served(lake, settings)
    trained = lake.read(VERSIONS, columns=["model_name", "family", "version"])
    place = pl.col("version").rank("ordinal", descending=True).over("model_name", "family")
    newest = trained.filter(place <= settings.upkeep.candidates)
    chosen |= set(newest["version"].to_list())
    return chosen | {member for version in chosen for member in _members(settings, version)}


def snapshots(lake: Lake, settings: Settings) -> dict[int, list[str]]:
    """The lake snapshots those versions were trained at, each with its versions."""
    kept = sorted(versions(lake, settings))
    rows = lake.read(VERSIONS, columns=["version", "lake_snapshot"]).filter(pl.col("version").is_in(kept))
    found: dict[int, list[str]] = {}
    for version, snapshot in rows.sort("version").rows():
        found.setdefault(int(snapshot), []).append(version)
    return found


def _ever_served(lake: Lake, settings: Settings) -> set[str]:
    told = lake.read(PROMOTIONS, columns=list(SERVED))
    found = {version for column in SERVED for version in told[column].drop_nulls().to_list()}
    for name in current.names(settings.artifacts):
        now = current.read(settings.artifacts, name)
        found |= {version for version in (now.champion, now.challenger, now.flagged) if version} if now else set()
    return found


def _members(settings: Settings, version: str) -> set[str]:
    """Versions that vote in this one. Of a version whose artifact is gone nothing can be made again, whatever is kept."""
    folders = sorted(artifact.root(settings.artifacts).glob(f"*/{version}"))
    try:
        return {member.version for member in artifact.load(folders[0]).manifest.members} if folders else set()
    except ArtifactError:
        return set()
