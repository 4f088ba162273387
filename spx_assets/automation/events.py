"""What measures tell that a training should follow: a drifted day, a forecaster that became worse.

Belongs here: reading the newest reports as events. Does not: measuring (`monitoring`), what follows from an event (`measured`).
"""

from collections.abc import Iterator
from datetime import date

import msgspec

from spx_assets.lake import Lake
from spx_assets.lake.measure_tables import DRIFT_REPORTS
from spx_assets.monitoring import answering
from spx_assets.settings import Settings


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict of a measure on a trading day. `names` are the forecasters it speaks of."""

    kind: str
    subject: str
    day: date
    bad: bool
    names: tuple[str, ...]
    words: str

    @property
    def event(self) -> str:
        """The same however often the day is measured again."""
        return f"{self.kind} {self.subject} {self.day}"


def drift(lake: Lake, settings: Settings) -> Iterator[Report]:
    """One a trading day and instrument, oldest first, of instruments that a forecaster knows."""
    for row in lake.read(DRIFT_REPORTS).sort("trading_day").iter_rows(named=True):
        known = tuple(name for name, scope, _ in settings.model_names if row["instrument"] in settings.models.scopes[scope])
        if known:
            yield Report(
                kind="drift",
                subject=row["instrument"],
                day=row["trading_day"],
                bad=row["drifted"],
                names=known,
                words=row["reason"],
            )


def performance(lake: Lake, settings: Settings) -> Iterator[Report]:
    """One a trading day and forecaster, oldest first, of the version that is served now: what it replaced is no reason."""
    for name, rows in answering.performance(lake, settings):
        for row in rows.iter_rows(named=True):
            yield Report(
                kind="performance",
                subject=name,
                day=row["trading_day"],
                bad=row["degraded"],
                names=(name,),
                words=row["reason"],
            )
