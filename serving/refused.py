"""Versions that were refused, so that the same files are not read and judged again at every look.

Belongs here: whether a folder is still as it was when it was refused. Does not: judging it (`served`), following `current.json`
(`model_store`).

Verifying an ensemble takes 0.3 s of CPU, and looks come every second: without this a bad artifact would slow every answer.
"""

from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from spx_assets.scoring.errors import ArtifactError

AGAIN_S = 60.0
"""Members of an ensemble lie in other folders: one that is restored there is noticed after a minute."""


@dataclass(frozen=True)
class _Refusal:
    files: frozenset[tuple[str, int, int]]
    error: ArtifactError
    at: float


class Refused:
    """Why folders were refused, by folder."""

    def __init__(self) -> None:
        self._known: dict[Path, _Refusal] = {}

    def recall(self, folder: Path) -> None:
        """Raises again what was wrong with a folder that has not changed since."""
        known = self._known.get(folder)
        if known is None:
            return
        if known.files == _files(folder) and monotonic() - known.at < AGAIN_S:
            raise known.error
        del self._known[folder]

    def note(self, folder: Path, error: ArtifactError) -> None:
        self._known[folder] = _Refusal(_files(folder), error, monotonic())


def _files(folder: Path) -> frozenset[tuple[str, int, int]]:
    """Name, size and time of change of each file; nothing of a folder that cannot be read."""
    try:
        return frozenset((path.name, (told := path.stat()).st_size, told.st_mtime_ns) for path in folder.iterdir())
    except OSError:
        return frozenset()
