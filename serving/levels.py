"""The levels at which intervals are picked, for the versions that answer, as far as the lake tells.

Belongs here: when they are read and what is kept of them. Does not: the rule and the table (`spx_assets.scoring.levels`).

They change once a trading day. They are read on the thread that looks for new models; requests look at what it left.
"""

import logging
from collections.abc import Iterable
from datetime import datetime
from types import MappingProxyType

from serving.served import ServedModel
from serving.vectors import READ_ERRORS
from spx_assets.lake import Lake, serving_tables
from spx_assets.scoring import levels
from spx_assets.scoring.levels import Levels
from spx_assets.settings import Settings

LOG = logging.getLogger(__name__)


class LevelStore:
    """Levels by version, instrument and trading day. `refresh` runs on one thread only."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._read: tuple[int, frozenset[str]] | None = None
        self._unreadable = False
        self.levels: Levels = MappingProxyType({})
        """Another object whenever one of them changed."""

    def refresh(self, models: Iterable[ServedModel]) -> None:
        """Looks at the lake; with a new snapshot or other models reads their levels. What was known stays where it cannot."""
        versions = frozenset(model.manifest.version for model in models)
        try:
            lake = Lake.open(self._settings, read_only=True)
            snapshot = lake.snapshot()
            if self._read is not None and self._read[1] == versions:
                if self._read[0] == snapshot:
                    return
                if lake.only_changed(serving_tables.ALL, self._read[0], snapshot):
                    self._read, self._unreadable = (snapshot, versions), False
                    return
            found = levels.read(lake, versions, snapshot=snapshot)
        except READ_ERRORS as error:
            if not self._unreadable:
                LOG.warning("levels of intervals cannot be read: %s", error)
            self._unreadable = True  # the vectors say so in /health
            return
        self._unreadable = False
        self._read = snapshot, versions
        if found != self.levels:
            self.levels = MappingProxyType(found)

    def asked(self, model: ServedModel, instrument: str, ts: datetime) -> float | None:
        """The level for a bar of a model that answers; None for the nominal one."""
        return levels.at(self.levels, model.manifest.version, instrument, ts)
