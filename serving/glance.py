"""Whether a lake may hold something new, seen by its catalog's files without asking it.

Belongs here: when a look may be spared. Does not: what is read of a lake that changed (`vectors`, `levels`).

To ask for the newest snapshot takes 6 CPU ms on a slow core: with the service looking ten times a second a sixteenth of it, and
requests that wait for the interpreter meanwhile.
"""

import os
import time
from collections.abc import Callable

from spx_assets.lake.location import Location
from spx_assets.settings import Settings

SETTLED_S = 1.0
"""A file written later may be written again within the same tick of the file system's clock, 4 to 10 ms, or be in a commit of
which its readers are told after its sync."""
SPARED_S = 5.0
"""However still the files lie, the catalog is asked as often: what locks or loses it may leave them as they were."""
Seen = tuple[tuple[int, int, int] | None, ...]


class Glance:
    """The files of one lake's catalog. A catalog in Postgres has none, and is asked each time."""

    def __init__(self, settings: Settings, *, clock: Callable[[], float] = time.monotonic) -> None:
        location = Location.of(settings)
        self._catalog = None if location.postgres else location.catalog
        self._clock = clock
        self._known: Seen | None = None
        self._until = 0.0

    def still(self) -> bool:
        """Whether nothing was committed since the look before which `look` saw these files."""
        return self._known is not None and self._clock() < self._until and self._known == self._look()

    def look(self) -> Seen | None:
        """The files as they are now, to be asked for before the lake is; None where they may not be relied on."""
        seen = self._look()
        if seen is None or seen[0] is None:
            return None
        written = max(file[0] for file in seen if file is not None) / 1e9
        return seen if written < time.time() - SETTLED_S else None

    def note(self, seen: Seen | None) -> None:
        """The lake was read as of `seen`, or of files that may not be relied on."""
        self._known, self._until = seen, self._clock() + SPARED_S

    def _look(self) -> Seen | None:
        catalog = self._catalog
        return None if catalog is None else (_file(catalog), _file(f"{catalog}-wal"))


def _file(path: str) -> tuple[int, int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
