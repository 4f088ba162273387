"""A verified copy of a version outside of the home's store.

Belongs here: copying a version, with those that vote in it, whole or not at all. Does not: writing versions (`artifact`), who
is served (`current`).
"""

import os
import shutil
from pathlib import Path

from spx_assets.scoring import artifact
from spx_assets.scoring.errors import ArtifactError
from spx_assets.scoring.forecaster import Forecaster


def export(source: Path, target: Path) -> Path:
    """Copies the version in folder `source` to `target` as a store of its own; the version's folder there.

    `target` is laid out as a home's artifacts are, so every reader of artifacts reads it: `models/<name>/<version>/`. It is
    written beside and appears by one rename. An ArtifactError subclass if `target` holds anything, or if the source or the copy
    is not what was judged.
    """
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise ArtifactError(f"{target} exists and is not an empty folder; name another one")
    manifest = Forecaster.load(source).manifest
    beside = target.with_name(f".{target.name}.{os.getpid()}")
    shutil.rmtree(beside, ignore_errors=True)
    try:
        for version in (manifest.version, *(member.version for member in manifest.members)):
            shutil.copytree(source.parent / version, artifact.folder(beside, manifest.name, version))
        Forecaster.load(artifact.folder(beside, manifest.name, manifest.version))
        beside.replace(target)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return artifact.folder(target, manifest.name, manifest.version)
