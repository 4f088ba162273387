"""The sensor that announces who is served from now on.

Belongs here: noticing a promotion, an observation of the champion's asset, the message in Redis. Does not: deciding
(`training.promotion`), the alert's words (`monitoring.alerts.kinds`).
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import dagster as dg
import msgspec
import polars as pl

from spx_assets.lake import Lake
from spx_assets.lake.model_tables import PROMOTIONS
from spx_assets.monitoring.alerts import kinds, raising
from spx_assets.settings import Settings

NAME = "champion_sensor"
MOVED = ("promoted", "manual")
PATIENCE_S = 0.5
"""How long Redis may take: a sensor has a second."""


def channel(settings: Settings) -> str:
    """Where promotions are published."""
    return f"{settings.stream.prefix}:champions"


def sensor(settings: Settings) -> dg.SensorDefinition:
    """`champion_sensor`: an observation of models/<name>/champion, an alert and, where there is Redis, a message."""

    @dg.sensor(
        name=NAME,
        minimum_interval_seconds=settings.automation.interval_s,
        default_status=dg.DefaultSensorStatus.RUNNING if settings.automation.on else dg.DefaultSensorStatus.STOPPED,
        description="Announces promotions: an event of the champion, an alert, and a message in Redis where one is set.",
    )
    def announce(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        """The cursor is the newest verdict seen; the first look announces nothing, for what stands is no news."""
        verdicts = Lake.open(settings, read_only=True).read(PROMOTIONS)
        newest = verdicts["decided_at"].max()
        seen = datetime.fromisoformat(context.cursor) if context.cursor else newest
        if not isinstance(newest, datetime) or not isinstance(seen, datetime):
            return dg.SensorResult(skip_reason="no verdict yet", cursor=datetime.min.replace(tzinfo=UTC).isoformat())
        moved = list(_moved(verdicts.filter(pl.col("decided_at") > seen)))
        for row in moved:
            raising.raise_alert(settings, _alert(row))
        if settings.redis_url.get_secret_value():
            _publish(settings, moved)
        skip = None if moved else f"no promotion since {seen:%Y-%m-%d %H:%M} UTC"
        return dg.SensorResult(skip_reason=skip, asset_events=[_event(row) for row in moved], cursor=newest.isoformat())

    return announce


def _moved(verdicts: pl.DataFrame) -> Iterator[Mapping[str, Any]]:
    """Decisions after which another version is champion, oldest first."""
    for row in verdicts.sort("decided_at").iter_rows(named=True):
        if row["moves_current"] and row["verdict"] in MOVED and row["champion_after"] not in (None, row["champion_before"]):
            yield row


def _alert(row: Mapping[str, Any]) -> raising.Alert:
    return kinds.promotion(
        name=row["model_name"],
        version=row["champion_after"],
        before=row["champion_before"],
        reason=row["reason"],
        decided_at=row["decided_at"],
    )


def _event(row: Mapping[str, Any]) -> dg.AssetObservation:
    told = ("verdict", "champion_before", "champion_after", "reason")
    return dg.AssetObservation(
        asset_key=["models", row["model_name"], "champion"],
        partition=row["week"].isoformat(),
        description=f"{row['champion_after']} is champion, after {row['champion_before'] or 'none'}",
        metadata={**{name: row[name] for name in told if row[name]}, "decided_at": row["decided_at"].isoformat()},
    )


def _publish(settings: Settings, moved: list[Mapping[str, Any]]) -> None:
    """Each promotion as JSON on the channel. A Redis that is away fails the tick, which is made again with the same cursor."""
    if not moved:
        return
    import redis

    fields = ("model_name", "champion_after", "champion_before", "verdict", "reason", "decided_at")
    url = settings.redis_url.get_secret_value()
    with redis.Redis.from_url(url, socket_timeout=PATIENCE_S, socket_connect_timeout=PATIENCE_S) as client:
        for row in moved:
            client.publish(channel(settings), msgspec.json.encode({name: row[name] for name in fields}))
