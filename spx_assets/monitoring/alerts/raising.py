"""An alert, and keeping it: one row in `monitoring.alerts`, whoever notices something and however often.

Belongs here: what an alert is, its identity, appending it. Does not: the words of each kind (`kinds`), delivery.
"""

import logging
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime

import duckdb
import polars as pl

from spx_assets import SpxError
from spx_assets.lake import Lake
from spx_assets.lake.monitoring_tables import ALERTS
from spx_assets.settings import Settings
from spx_assets.settings.alerts import Severity

log = logging.getLogger(__name__)

_IDENTITY = uuid.UUID("5d0a5b5e-6a0c-4b8e-9a52-2f6d4c1c7a11")


@dataclass(frozen=True, kw_only=True)
class Alert:
    """Something people are told of.

    `key` names the event: an alert of the same kind and key is kept once. `report` is a file below the home that goes with it.
    """

    kind: str
    severity: Severity
    title: str
    message: str
    source: str
    key: str | None = None
    report: str | None = None

    @property
    def id(self) -> str:
        """A digest of kind and key, or a new one where each alert is an event of its own."""
        return str(uuid.uuid4() if self.key is None else uuid.uuid5(_IDENTITY, f"{self.kind}\0{self.key}"))


def raise_alert(settings: Settings, alert: Alert, *, now: datetime | None = None) -> str | None:
    """Keep the alert, to be delivered later; its id, or None if it was kept before or could not be kept.

    Never fails: whoever raises an alert has work of his own, which must not end with it. What could not be kept is logged.
    """
    try:
        return keep(Lake.open(settings), alert, now=now)
    except (SpxError, duckdb.Error, OSError) as error:
        log.error("an alert was not kept (%s): %s, %s: %s", error, alert.severity, alert.kind, alert.message)
        return None


def keep(lake: Lake, alert: Alert, *, now: datetime | None = None) -> str | None:
    """The alert's id; None if one of its kind and key is there. LakeError if the lake takes no rows."""
    made = alert.id
    if alert.key is not None and _known(lake, made):
        return None
    row = {
        "id": made,
        "created_at": now or datetime.now(UTC),
        "kind": alert.kind,
        "severity": alert.severity,
        "title": alert.title,
        "message": alert.message,
        "source": alert.source,
        "key": alert.key,
        "report": alert.report,
        "delivery": "pending",
        "attempts": 0,
    }
    try:
        lake.append(ALERTS, frame([row]))
    except SpxError:
        # Of two that raise one event at once the second finds its key taken under the table's lock.
        if alert.key is not None and _known(lake, made):
            return None
        raise
    return made


def frame(rows: list[dict[str, object]]) -> pl.DataFrame:
    """Rows as the contract has them; what a row lacks is null."""
    schema = ALERTS.schema()
    return pl.DataFrame([{name: row.get(name) for name in schema} for row in rows], schema=schema)


def _known(lake: Lake, made: str) -> bool:
    return lake.count(ALERTS) > 0 and not lake.sql("SELECT 1 AS there FROM monitoring.alerts WHERE id = ?", [made]).is_empty()
