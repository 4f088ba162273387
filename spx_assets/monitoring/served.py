"""Who was served when, with what it was trained on.

Belongs here: finding the version that was served at an instant and its reference, each read once. Does not: deciding who is
served (`training.promotion`), distances.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import TYPE_CHECKING

import polars as pl

from spx_assets import calendar
from spx_assets.lake.schema import Table
from spx_assets.lake.serving_tables import OUTCOMES, PREDICTIONS
from spx_assets.monitoring import reference
from spx_assets.monitoring.errors import ReferenceMissingError
from spx_assets.monitoring.reference import Reference
from spx_assets.scoring import artifact, walk_forward
from spx_assets.scoring.artifact import Artifact
from spx_assets.scoring.errors import ArtifactMissingError
from spx_assets.scoring.forecaster import Forecaster
from spx_assets.scoring.manifest import Manifest
from spx_assets.scoring.walk_forward import History

if TYPE_CHECKING:
    from spx_assets.lake.connection import Lake

LOG = logging.getLogger(__name__)
ANSWERED = "SELECT date_trunc('hour', ts) AS ts, count(*) AS n FROM serving.predictions GROUP BY ALL"
SETTLED = "SELECT date_trunc('hour', ts) AS ts, count(*) AS n FROM serving.outcomes GROUP BY ALL"


@dataclass(frozen=True)
class Served:
    """A version that was served, and what it was trained on."""

    artifact: Artifact
    reference: Reference

    @property
    def manifest(self) -> Manifest:
        return self.artifact.manifest

    @cached_property
    def forecaster(self) -> Forecaster:
        """Opened when it is first asked."""
        return Forecaster.of(self.artifact)


class Record:
    """Who was served when, by `models.promotions` as it stood at one lake snapshot."""

    def __init__(self, lake: "Lake", snapshot: int) -> None:
        self._lake, self._snapshot = lake, snapshot
        self._read: dict[tuple[str, str], Served | None] = {}

    @cached_property
    def _history(self) -> History:
        return History.read(self._lake, self._snapshot)

    def at(self, name: str, when: datetime) -> Served | None:
        """What forecaster `name` served at `when`, by the feed's clock; None before its first verdict.

        None with a warning too for a version whose artifact is gone or keeps no reference: such days cannot be measured, and
        those of its successors must not wait for it.
        """
        version = self._history.champion_at(name, pl.Series([when], dtype=pl.Datetime("us", "UTC")))[0]
        return None if version is None else self._load(name, version)

    def names(self, instrument: str, when: datetime) -> list[Served]:
        """What every forecaster of the settings that knows `instrument` served at `when`, in the order of the settings."""
        settings = self._lake.settings
        scopes = [name for name, scope, _ in settings.model_names if instrument in settings.models.scopes[scope]]
        return [served for name in scopes if (served := self.at(name, when)) is not None]

    def _load(self, name: str, version: str) -> Served | None:
        if (name, version) not in self._read:
            try:
                found = artifact.load(artifact.folder(self._lake.settings.artifacts, name, version))
                self._read[name, version] = Served(found, reference.read(found))
            except (ArtifactMissingError, ReferenceMissingError) as error:
                LOG.warning("what %s %s served is not measured: %s", name, version, error)
                self._read[name, version] = None
        return self._read[name, version]


def fingerprints(lake: "Lake", weeks: Iterable[date], *, snapshot: int) -> dict[date, str]:
    """What measures of served models in each week depend on besides their inputs: who was served, and what was answered."""
    told = walk_forward.fingerprints(lake, weeks, snapshot=snapshot)
    answers, outcomes = _by_week(lake, PREDICTIONS, ANSWERED), _by_week(lake, OUTCOMES, SETTLED)
    return {week: f"{served}-{answers.get(week, 0)}-{outcomes.get(week, 0)}" for week, served in told.items()}


def written(lake: "Lake", table: Table) -> bool:
    """Whether the table was ever written: the service makes those of its ledger with its first answer."""
    return lake.listing(table, lake.snapshot()).exists


def _by_week(lake: "Lake", table: Table, query: str) -> dict[date, int]:
    """Rows a week by the bar they belong to."""
    if not written(lake, table):
        return {}
    hours = lake.sql(query).with_columns(week=calendar.week_expr(calendar.trading_day_expr(pl.col("ts"))))
    return dict(hours.group_by("week").agg(pl.col("n").sum()).iter_rows())
