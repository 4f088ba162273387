"""Trainings that nobody asked for: what keeps one from starting now, what it is asked to make.

Belongs here: cool-down, budget, one at a time, the requests. Does not: why a training is wanted (`events`, `measured`).

All of it is read from the instance's runs, so that it holds after a restart and whoever started them.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import dagster as dg
from dagster._core.definitions.assets.graph.asset_graph import AssetGraph
from dagster._core.storage.tags import ASSET_PARTITION_RANGE_END_TAG, ASSET_PARTITION_RANGE_START_TAG

from spx_assets import calendar
from spx_assets.automation import stale
from spx_assets.automation.jobs import DAILY, RETRAIN
from spx_assets.automation.schedules import UNDER_WAY
from spx_assets.lake import Lake
from spx_assets.lake.records import newest
from spx_assets.lake.tables import LABELS
from spx_assets.monitoring.alerts import kinds, raising
from spx_assets.partitions import key_of
from spx_assets.settings import Settings

EVENT = "spx/event"
"""Tag of every run that an event led to, by which the UI shows them together."""
REASON = "spx/reason"


def held(settings: Settings, instance: dg.DagsterInstance, *, now: datetime) -> str | None:
    """Why no training may start now, in words; None if one may. A spent budget is told once a trading day."""
    going = instance.get_run_records(dg.RunsFilter(job_name=RETRAIN, statuses=UNDER_WAY), limit=1)
    if going:
        return f"run {going[0].dagster_run.run_id} of {RETRAIN} is under way"
    last = instance.get_run_records(dg.RunsFilter(job_name=RETRAIN), limit=1)
    until = last[0].create_timestamp.astimezone(UTC) + timedelta(hours=settings.automation.cool_down_h) if last else now
    if until > now:
        return (
            f"a training started less than {settings.automation.cool_down_h:g} h ago; the next may at {until:%Y-%m-%d %H:%M} UTC"
        )
    return _spent(settings, instance, now)


def _spent(settings: Settings, instance: dg.DagsterInstance, now: datetime) -> str | None:
    day = calendar.trading_day(now)
    minutes = minutes_of_events(instance, since=calendar.day_window(day)[0], now=now)
    price = settings.costs.per_minute
    limits = [("minutes of retraining", minutes, settings.automation.minutes_per_day, "minutes")]
    if price is not None:
        limits.append(("cost of retraining", minutes * price, settings.costs.per_day, "of cost"))
    for what, spent, limit, unit in limits:
        if spent >= limit:
            raising.raise_alert(settings, kinds.budget(what=what, spent=spent, limit=limit, unit=unit, period=str(day)), now=now)
            return f"{spent:.4g} of {limit:g} {unit} are spent in the trading day {day}"
    return None


def minutes_of_events(instance: dg.DagsterInstance, *, since: datetime, now: datetime) -> float:
    """Minutes that runs asked for by events have taken since then."""
    records = instance.get_run_records(dg.RunsFilter(created_after=since))
    taken = (
        (record.end_time or now.timestamp()) - record.start_time
        for record in records
        if EVENT in record.dagster_run.tags and record.start_time
    )
    return sum(taken) / 60


def newest_week(lake: Lake) -> date | None:
    """The newest week that has labels to learn from."""
    return max((week for week, record in newest(lake, LABELS, "gold/labels").items() if record.rows), default=None)


def features(lake: Lake, settings: Settings, graph: AssetGraph, *, event: str, reason: str) -> dg.RunRequest | None:
    """Asks for features and labels of the training window whose definition or data changed; None if none have."""
    weeks = stale.weeks_of_features(lake, settings, graph)
    if not weeks:
        return None
    first, last = key_of(weeks[0]), key_of(weeks[-1])
    tags = {EVENT: event, REASON: reason}
    if len(weeks) > 1:
        tags |= {ASSET_PARTITION_RANGE_START_TAG: first, ASSET_PARTITION_RANGE_END_TAG: last}
    return dg.RunRequest(
        run_key=f"{event} features",
        job_name=DAILY,
        partition_key=first if len(weeks) == 1 else None,
        asset_selection=stale.features(graph),
        tags=tags,
    )


def models(settings: Settings, week: date, names: Sequence[str], *, event: str, reason: str) -> dg.RunRequest:
    """Asks for every family of the forecasters and the verdict on them."""
    families = (*settings.models.families, "champion")
    return dg.RunRequest(
        run_key=event,
        job_name=RETRAIN,
        partition_key=key_of(week),
        asset_selection=[dg.AssetKey(["models", name, family]) for name in names for family in families],
        tags={EVENT: event, REASON: reason},
    )
