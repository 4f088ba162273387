"""The daily digest: an alert about the alerts since the last one.

Belongs here: what it covers. Does not: its wording (`messages`), its delivery, which is that of any alert.
"""

from datetime import UTC, datetime, timedelta

import polars as pl

from spx_assets.calendar import NEW_YORK
from spx_assets.lake import Lake
from spx_assets.lake.monitoring_tables import ALERTS
from spx_assets.monitoring.alerts import messages
from spx_assets.monitoring.alerts.raising import Alert, keep
from spx_assets.settings import Settings

KIND = "digest"
FIRST = timedelta(days=1)


def make(settings: Settings, *, now: datetime | None = None) -> str | None:
    """Raise the digest of the New York date; its id, or None where it was made before or there was nothing to tell."""
    at, lake = now or datetime.now(UTC), Lake.open(settings)
    alerts = lake.read(ALERTS)
    last = alerts.filter(pl.col("kind") == KIND)["created_at"].max()
    since = last if isinstance(last, datetime) else at - FIRST
    told = alerts.filter((pl.col("created_at") >= since) & (pl.col("created_at") < at) & ~pl.col("kind").is_in([KIND, "test"]))
    if told.is_empty():
        return None
    day = at.astimezone(NEW_YORK).date()
    digest = Alert(
        kind=KIND,
        severity="info",
        title=f"{told.height} alert(s) up to {day}",
        message=messages.of_digest(told),
        source="daily digest",
        key=day.isoformat(),
    )
    return keep(lake, digest, now=at)
