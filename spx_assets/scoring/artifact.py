"""The artifact store: `models/<name>/<version>/` with `model.onnx`, `manifest.json` and, once judged, `verdict.json`.

An ensemble has no `model.onnx`: its manifest names the versions that vote.

Belongs here: writing a version whole or not at all, reading it with every checksum verified, the gate's verdict beside it.
Does not: running the graph (`forecaster`), who is served (`current`).
"""

import hashlib
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from spx_assets.scoring import manifest as manifests
from spx_assets.scoring.errors import ArtifactAlteredError, ArtifactError, ArtifactForeignError, ArtifactMissingError
from spx_assets.scoring.manifest import GateVerdict, Manifest

MODEL = "model.onnx"
MANIFEST = "manifest.json"
VERDICT = "verdict.json"


@dataclass(frozen=True)
class Artifact:
    """A verified artifact. `verdict` is None until the gate has judged it."""

    folder: Path
    manifest: Manifest
    verdict: GateVerdict | None

    @property
    def model(self) -> bytes:
        """The ONNX graph; ArtifactMissingError for an ensemble, which has none."""
        if MODEL not in self.manifest.files:
            raise ArtifactMissingError(f"{self.folder} has no {MODEL}: {self.manifest.family} votes; load it as a forecaster")
        return (self.folder / MODEL).read_bytes()


def root(artifacts: Path) -> Path:
    """Where the models of a home lie: `settings.artifacts` / models."""
    return artifacts / "models"


def folder(artifacts: Path, name: str, version: str) -> Path:
    return root(artifacts) / name / version


def write_atomic(path: Path, content: bytes) -> None:
    """The old content or the new, never a part: written beside, synced, renamed."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    with beside.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def write(artifacts: Path, manifest: Manifest, files: Mapping[str, bytes]) -> Artifact:
    """Writes a version under `artifacts` and reads it back verified. `files` holds `model.onnx`, but for an ensemble.

    The folder appears by one rename, so a reader never sees half of it. ArtifactError if the version exists already.
    """
    target = folder(artifacts, manifest.name, manifest.version)
    if target.exists():
        raise ArtifactError(f"{target} exists; a version is written once, train under a new version id")
    beside = target.with_name(f".{target.name}.{os.getpid()}")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    for name, content in files.items():
        write_atomic(beside / name, content)
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in sorted(files.items())}
    write_atomic(beside / MANIFEST, manifests.encode(msgspec.structs.replace(manifest, files=hashes)))
    beside.rename(target)
    return load(target)


def load(path: Path) -> Artifact:
    """The artifact in folder `path` with every sha256 verified; an ArtifactError subclass says what is wrong and what to do."""
    manifest = manifests.decode(_read(path / MANIFEST), where=path / MANIFEST)
    if manifest.version != path.name or manifest.name != path.parent.name:
        raise ArtifactForeignError(f"{path} holds {manifest.name}/{manifest.version}; move it to the folder of that name")
    if (MODEL in manifest.files) == bool(manifest.members) or any(Path(name).name != name for name in manifest.files):
        raise ArtifactForeignError(
            f"{path}: the manifest names {sorted(manifest.files)} and {len(manifest.members)} members, expected either {MODEL} "
            "or members; train the model again"
        )
    for name, expected in manifest.files.items():
        found = hashlib.sha256(_read(path / name)).hexdigest()
        if found != expected:
            raise ArtifactAlteredError(f"{path / name} was altered: sha256 {found}, not {expected}; restore it or train again")
    return Artifact(path, manifest, _verdict(path, manifest))


def write_verdict(path: Path, verdict: GateVerdict) -> None:
    """Puts the gate's verdict beside the manifest of the artifact in folder `path`, replacing an earlier one."""
    write_atomic(path / VERDICT, msgspec.json.encode(verdict))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise ArtifactMissingError(f"{path} is missing; restore the artifact or train the model again") from None
    except OSError as error:
        raise ArtifactMissingError(f"{path} cannot be read ({error.strerror}); check the artifact store") from error


def _verdict(path: Path, manifest: Manifest) -> GateVerdict | None:
    if not (path / VERDICT).exists():
        return None
    try:
        verdict = msgspec.json.decode(_read(path / VERDICT), type=GateVerdict)
    except msgspec.DecodeError as error:
        raise ArtifactAlteredError(f"{path / VERDICT} is not readable ({error}); run the gate again") from error
    if verdict.digest != manifest.digest:
        raise ArtifactForeignError(f"{path / VERDICT} judges {verdict.digest}, not {manifest.digest}; run the gate again")
    return verdict
