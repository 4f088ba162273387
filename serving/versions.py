"""Every version of a forecaster that the artifact store holds, for requests that name one or a time.

Belongs here: what versions there are, when their training ended, the few that were asked for last. Does not: who is served now
(`model_store`), features of the past (`past`).

A version is written once and never changed, but for the gate's verdict beside it. So the head of its manifest is read once, and
a loaded model is kept by the age of its verdict.
"""

from collections import OrderedDict
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import msgspec

from serving.problems import BadArtifact, NoModelAt, UnknownVersion
from serving.served import ServedModel, served
from spx_assets.scoring import artifact, compatibility
from spx_assets.scoring.errors import ArtifactError
from spx_assets.settings import Settings

KEPT = 4
"""Models kept beside those that answer: one of LightGBM takes about 5 MB, the process may take 300."""


class Head(msgspec.Struct, frozen=True):
    """What is read of a manifest before it is chosen."""

    name: str
    version: str
    training_cutoff: datetime
    feeds: dict[str, str] = {}


class _Judged(msgspec.Struct, frozen=True):
    verdict: str


class Versions:
    """Versions by forecaster. Its methods read files: they run on background threads."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._heads: dict[tuple[str, str], Head] = {}
        self._loaded: OrderedDict[tuple[str, str, int], ServedModel] = OrderedDict()
        self.bound: Mapping[str, str] = {}
        """How instruments are bound: what learned from another feed does not answer."""

    def known(self, name: str) -> dict[str, Head]:
        """The versions of `name`, oldest first; none for a name that the store does not have."""
        root = artifact.root(self._settings.artifacts)
        try:
            if name not in {path.name for path in root.iterdir()}:
                return {}
            folders = sorted(path for path in (root / name).iterdir() if path.is_dir() and not path.name.startswith("."))
        except OSError:
            return {}
        heads = {folder.name: self._head(name, folder) for folder in folders}
        return {version: head for version, head in heads.items() if head is not None}

    def get(self, name: str, version: str, *, again: bool = False) -> ServedModel:
        """A version, verified, on the disk if `again`; `UnknownVersion` if the store has none of that name, `BadArtifact` if it
        cannot be used.
        """
        if not self._has(name, version):
            newest = ", ".join([*self.known(name)][-3:]) or "none"
            raise UnknownVersion(f"{name} has no version {version!r} in the artifact store; the newest are {newest}")
        try:
            found = self.load(name, version, again=again)
        except ArtifactError as error:
            raise BadArtifact(str(error)) from error
        if objection := compatibility.rebound(version, found.manifest.feeds, self.bound):
            raise BadArtifact(objection)
        return found

    def load(self, name: str, version: str, *, again: bool = False) -> ServedModel:
        """The version in the folder of that name; an ArtifactError subclass says why it cannot be used."""
        folder = artifact.folder(self._settings.artifacts, name, version)
        key = (name, version, _changed(folder / artifact.VERDICT))
        kept = self._loaded.pop(key, None)
        found = served(artifact.load(folder), self._settings, alias="version", generation=0) if again or not kept else kept
        self._loaded[key] = found
        while len(self._loaded) > KEPT:
            self._loaded.popitem(last=False)
        return found

    def at(self, name: str, at: datetime, *, served_then: str | None) -> str:
        """The version that answers for a time: who was served then if its training had ended by then, else the newest trained
        before; of several trained on the same data the one that the gate ranked first. `NoModelAt` if there is none.
        """
        before = {
            version: head.training_cutoff
            for version, head in self.known(name).items()
            if head.training_cutoff <= at and not compatibility.rebound(version, head.feeds, self.bound)
        }
        if not before:
            raise NoModelAt(
                f"{name} has no version whose training had ended by {at:%Y-%m-%dT%H:%MZ}; name a model_version to be answered "
                "in sample, or backfill models of earlier weeks"
            )
        if served_then in before:
            return str(served_then)
        newest = max(before.values())
        return max((version for version, cutoff in before.items() if cutoff == newest), key=lambda v: (self._entered(name, v), v))

    def _has(self, name: str, version: str) -> bool:
        """Without a look at all versions, of which there may be 1,500. Upkeep may have deleted one that was known."""
        if any(not part or part in (".", "..") or "/" in part or "\0" in part for part in (name, version)):
            return False
        folder = artifact.folder(self._settings.artifacts, name, version)
        return self._head(name, folder) is not None and folder.is_dir()

    def _head(self, name: str, folder: Path) -> Head | None:
        """None for a folder that holds no readable manifest of its own name."""
        key = (name, folder.name)
        if key not in self._heads:
            try:
                head = msgspec.json.decode((folder / artifact.MANIFEST).read_bytes(), type=Head)
            except (OSError, msgspec.MsgspecError):
                return None
            if (head.name, head.version) != key:
                return None
            self._heads[key] = head
        return self._heads[key]

    def _entered(self, name: str, version: str) -> bool:
        """Whether the gate ranked the version first of its week."""
        path = artifact.folder(self._settings.artifacts, name, version) / artifact.VERDICT
        try:
            return msgspec.json.decode(path.read_bytes(), type=_Judged).verdict != "not_entered"
        except (OSError, msgspec.MsgspecError):
            return False


def _changed(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
