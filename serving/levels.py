"""The levels at which intervals are picked, for the versions that answer, as far as the lake tells.

Belongs here: when they are read and what is kept of them. Does not: the rule and the table (`spx_assets.scoring.levels`).

They change once a trading day. They are read on the thread that looks for new models; requests look at what it left.
"""

import logging
from collections.abc import Iterable
from datetime import datetime
from types import MappingProxyType

from serving.glance import Glance
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
        self._glance = Glance(settings)
        self._read: tuple[int, frozenset[str]] | None = None
        self._unreadable = False
        self.levels: Levels = MappingProxyType({})
        """Another object whenever one of them changed."""

    def refresh(self, models: Iterable[ServedModel]) -> None:
        """Looks at the lake; with a new snapshot or other models reads their levels. What was known stays where it cannot."""
        versions = frozenset(model.manifest.version for model in models)
        if self._read is not None and self._read[1] == versions and not self._unreadable and self._glance.still():
            return
        seen = self._glance.look()
        self._glance.note(None)
        try:
            lake = Lake.open(self._settings, read_only=True)
            snapshot = lake.snapshot()
            known = self._read is not None and self._read[1] == versions and self._same(lake, self._read[0], snapshot)
            found = self.levels if known else levels.read(lake, versions, snapshot=snapshot)
        except READ_ERRORS as error:
            if not self._unreadable:
                LOG.warning("levels of intervals cannot be read: %s", error)
            self._unreadable = True  # the vectors say so in /health
            return
        self._unreadable = False
        self._read = snapshot, versions
        self._glance.note(seen)
        if found != self.levels:
            self.levels = MappingProxyType(found)

    @staticmethod
    def _same(lake: Lake, before: int, snapshot: int) -> bool:
        """Whether nothing but what the service itself writes came between two snapshots."""
        return before == snapshot or lake.only_changed(serving_tables.ALL, before, snapshot)

    def asked(self, model: ServedModel, instrument: str, ts: datetime) -> float | None:
        """The level for a bar of a model that answers; None for the nominal one."""
        return levels.at(self.levels, model.manifest.version, instrument, ts)
