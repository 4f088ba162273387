"""What people are told of by themselves: promotions, and what the newest reports say."""

from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

import dagster as dg
import msgspec
import polars as pl
import pytest
import redis
from pydantic import SecretStr

from spx_assets import calendar
from spx_assets.automation import alerts, champions
from spx_assets.lake import Lake
from spx_assets.lake.measure_tables import DRIFT_REPORTS, PERFORMANCE, REPORTS
from spx_assets.lake.model_tables import PROMOTIONS
from spx_assets.lake.monitoring_tables import ALERTS, FEATURE_DRIFT
from spx_assets.lake.schema import Table
from spx_assets.monitoring.alerts import findings
from spx_assets.scoring import current
from spx_assets.settings import Settings
from spx_assets.sources import feeds, live
from spx_assets_tests import lakes
from spx_assets_tests.redis_server import RedisServer, redis_server

__all__ = ["redis_server"]

NAME, NOW = "spx500_h30", datetime(2025, 10, 15, 16, tzinfo=UTC)
MONDAY, TUESDAY = date(2025, 10, 13), date(2025, 10, 14)


@pytest.fixture
def lake(settings: Settings) -> Lake:
    return lakes.fresh(settings)


def write(lake: Lake, table: Table, **known: object) -> None:
    filled: dict[str, Any] = {"VARCHAR": "x", "INTEGER": 1, "BIGINT": 1, "DOUBLE": 0.5, "BOOLEAN": False, "TIMESTAMPTZ": NOW}
    filled |= {"DATE": MONDAY}
    row = {c.name: known.get(c.name, None if c.nullable else filled[c.type]) for c in table.columns}
    lake.upsert(table, pl.DataFrame([row], schema=table.schema()))


def promoted(lake: Lake, version: str, *, minutes: int, verdict: str = "promoted", before: str | None = None) -> None:
    after = version if verdict in champions.MOVED else before
    known = {"model_name": NAME, "version": version, "verdict": verdict, "moves_current": True, "rank": 1}
    at = NOW + timedelta(minutes=minutes)
    write(lake, PROMOTIONS, decided_at=at, champion_before=before, champion_after=after, **known)


@cache
def instance() -> dg.DagsterInstance:
    """One for all looks, which leave nothing in it."""
    return dg.DagsterInstance.ephemeral()


def announce(settings: Settings, cursor: str | None) -> dg.SensorResult:
    result = champions.sensor(settings)(dg.build_sensor_context(instance(), cursor=cursor))
    assert isinstance(result, dg.SensorResult)
    return result


def test_a_promotion_is_announced_once_and_what_stood_before_is_no_news(lake: Lake, settings: Settings) -> None:
    first = announce(settings, None)
    assert first.skip_reason == dg.SkipReason("no verdict yet")
    promoted(lake, "v1", minutes=0)
    stood = announce(settings, None)
    assert stood.asset_events == []
    told = announce(settings, first.cursor)
    (event,) = told.asset_events
    assert event.asset_key == dg.AssetKey(["models", NAME, "champion"])
    assert event.description == "v1 is champion, after none"
    promoted(lake, "v2", minutes=1, verdict="kept_champion", before="v1")
    promoted(lake, "v3", minutes=2, verdict="manual", before="v1")
    again = announce(settings, told.cursor)
    assert [event.description for event in again.asset_events] == ["v3 is champion, after v1"]
    assert announce(settings, again.cursor).asset_events == []
    assert sorted(lake.read(ALERTS)["title"]) == [f"{NAME}: v1 was promoted", f"{NAME}: v3 was promoted"]


def test_redis_hears_of_a_promotion(lake: Lake, settings: Settings, redis_server: RedisServer) -> None:
    promoted(lake, "v1", minutes=0)
    cursor = announce(settings, None).cursor
    promoted(lake, "v2", minutes=1, before="v1")
    heard = settings.model_copy(update={"redis_url": SecretStr(redis_server.url)})
    with redis.Redis.from_url(redis_server.url) as client, client.pubsub(ignore_subscribe_messages=True) as channel:
        channel.subscribe(champions.channel(settings))
        channel.get_message(timeout=5)
        announce(heard, cursor)
        said = channel.get_message(timeout=5)
    assert said is not None
    message = msgspec.json.decode(said["data"])
    assert (message["model_name"], message["champion_after"], message["champion_before"]) == (NAME, "v2", "v1")


def look(settings: Settings) -> str:
    (sensor,) = (each for each in alerts.sensors(settings) if each.name == alerts.FINDINGS)
    result = sensor(dg.build_sensor_context(instance()))
    assert isinstance(result, dg.SkipReason)
    return str(result.skip_message)


def test_reports_become_alerts_once(lake: Lake, settings: Settings) -> None:
    assert look(settings) == "nothing new"
    of_day = {"trading_day": TUESDAY, "ts": calendar.day_window(TUESDAY)[0], "instrument": "SPX500_USD"}
    write(lake, DRIFT_REPORTS, drifted=True, share=0.4, **of_day)
    # One of the week before is no news, and one of the same week that was green again keeps nothing quiet.
    for other, bad in ((TUESDAY - timedelta(days=7), True), (TUESDAY + timedelta(days=1), False)):
        known = of_day | {"trading_day": other, "ts": calendar.day_window(other)[0]}
        write(lake, DRIFT_REPORTS, drifted=bad, share=0.4, **known)
    write(lake, FEATURE_DRIFT, feature="atr_14", statistic=0.3, drifted=True, **of_day)
    write(lake, FEATURE_DRIFT, feature="spread_pct", statistic=0.7, drifted=True, **of_day)
    write(lake, FEATURE_DRIFT, feature="rsi_14", statistic=0.1, drifted=False, **of_day)
    write(lake, REPORTS, path="monitoring/page.html", **of_day)
    promoted(lake, "v1", minutes=0, verdict="no_edge")
    current.replace(settings.artifacts, NAME, champion=None, challenger=None, flagged="v1")
    numbers = {"rmse_bp": 3.0, "rmse_gate_bp": 2.0, "log_loss": 0.7, "log_loss_gate": 0.69}
    write(lake, PERFORMANCE, model_name=NAME, version="v1", degraded=True, **of_day, **numbers)
    write(lake, PERFORMANCE, model_name=NAME, version="v0", degraded=True, **of_day, **numbers)
    assert look(settings) == f"SPX500_USD drifted on 2025-10-14; {NAME} has become worse; {NAME} has no champion"
    assert look(settings) == "nothing new"
    told = lake.read(ALERTS).sort("kind")
    assert told["kind"].to_list() == ["degradation", "drift", "no_champion"]
    assert told["message"][0] == f"RMSE of {NAME} was 3 up to 2025-10-14, +50% of the 2 it was judged by."
    assert told["message"][1] == "40% of the inputs of SPX500_USD drifted on 2025-10-14: spread_pct, atr_14."
    assert told["report"][1] == "monitoring/page.html"


def test_a_live_feed_without_bars_of_the_day_that_closed_is_told(lake: Lake, settings: Settings) -> None:
    feeds.bind_simulator(lake, "SPX500_USD")
    after = datetime.now(UTC) + timedelta(days=3)
    assert findings.look(lake, settings, now=after) == []
    live.follow(lake, list(feeds.feeds(lake).values()))
    (alert,) = findings.look(lake, settings, now=after)
    day = calendar.newest_closed_day(after - findings.LATE)
    assert (alert.kind, alert.severity, alert.title) == ("missing_data", "critical", f"No bars of SPX500_USD on {day}")
