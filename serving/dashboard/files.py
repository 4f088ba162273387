"""The files that the page loads: its scripts and styles from this package, plotly.js from the installed plotly.

Belongs here: which files there are, their build, the compressed form of each, made once. Does not: the page (`page`).

Nothing is built and nothing comes from elsewhere. The build is a digest over all of them and stands in their addresses, so a
browser keeps them for a year and asks for none again; plotly.js, 4.5 MB, goes as 1.4 MB, compressed at its first request in
0.3 s of a thread. plotly itself is never imported, that would be 60 MB.
"""

import gzip
import hashlib
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path

from spx_assets import SpxError

PLOTLY = "plotly.min.js"
TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
_FOLDER = Path(__file__).parent / "static"


class DashboardFilesError(SpxError):
    """A file of the page is not installed."""


class Files:
    """The files by name. Reading and compressing are for threads."""

    def __init__(self) -> None:
        self._compressed: dict[str, bytes] = {}

    @cached_property
    def paths(self) -> dict[str, Path]:
        """Name to file; DashboardFilesError where plotly is not installed."""
        own = {path.name: path for path in sorted(_FOLDER.iterdir()) if path.suffix in TYPES}
        return {**own, PLOTLY: _plotly()}

    @cached_property
    def build(self) -> str:
        """A digest over all files, of plotly.js over where it lies and its size: 4.5 MB need not be read to show a page."""
        plotly = self.paths[PLOTLY]
        digest = hashlib.sha256(f"{plotly} {plotly.stat().st_size}".encode())
        for name, path in self.paths.items():
            if name != PLOTLY:
                digest.update(name.encode())
                digest.update(path.read_bytes())
        return digest.hexdigest()[:16]

    def content(self, name: str, *, compressed: bool) -> bytes:
        """The file's bytes, gzipped if asked for; KeyError for a name that is none of them."""
        path = self.paths[name]
        if not compressed:
            return path.read_bytes()
        if name not in self._compressed:
            self._compressed[name] = gzip.compress(path.read_bytes(), 6, mtime=0)
        return self._compressed[name]


def _plotly() -> Path:
    spec = find_spec("plotly")
    folder = Path(next(iter(spec.submodule_search_locations or []))) if spec else None
    path = folder / "package_data" / PLOTLY if folder else None
    if path is None or not path.is_file():
        raise DashboardFilesError("plotly.js of the dashboard is not installed; install the extra `serving` (plotly)")
    return path
