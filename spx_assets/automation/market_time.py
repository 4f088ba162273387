"""What runs by the market's clock: the open week after each close, trainings, walk-forward scores.

Belongs here: times in New York, which week a run is for. Does not: what a run makes (`jobs`), the news (`schedules`).

Times are New York's, so that they stay where the close is when its clocks change; none lies in the hour that is then left out or
comes twice.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache

import dagster as dg

from spx_assets import calendar
from spx_assets.automation import retraining
from spx_assets.automation.jobs import COSTS, DAILY, HOURLY, RETRAIN, WALK_FORWARD
from spx_assets.automation.schedules import UNDER_WAY
from spx_assets.features import readiness
from spx_assets.lake import Lake
from spx_assets.lake.staleness import status
from spx_assets.partitions import key_of
from spx_assets.settings import Settings
from spx_assets.sources import feeds

NEW_YORK = "America/New_York"
CLOSED = "5 17 * * 1-5"
"""Five minutes after the close: the last bar has come."""
DUE = "0 18 * * 1-5"
TRAINED = {"daily": "45 17 * * 1-5", "weekly": "45 17 * * 5"}
SCORED = "15 18 * * 5"
COUNTED = "50 16 * * *"
"""Before the trading day closes, so that a run is of the day it ends."""
HOURS = "35 * * * *"


def held_to(spec: dg.AssetSpec, settings: Settings) -> dg.AssetSpec:
    """The spec with the rhythm of the daily run, where the settings hold assets to it: a standing home is never late.

    An hour after the close whatever `daily` makes is due, made since that close. A run that comes later makes it fresh again.
    """
    daily = spec.group_name in ("bronze", "silver", "gold", "monitoring") and spec.partitions_def is not None
    daily = daily and spec.key.path[-1] != COSTS
    if not settings.automation.freshness or not daily:
        return spec
    return spec.replace_attributes(freshness_policy=_due_daily())


@cache
def _due_daily() -> dg.FreshnessPolicy:
    """Made once for all assets: Dagster tries the cron string over months of days each time, 15 ms."""
    return dg.FreshnessPolicy.cron(DUE, timedelta(hours=1), timezone=NEW_YORK)


def schedules(settings: Settings) -> list[dg.ScheduleDefinition]:
    """`daily`, `hourly`, `retrain`, `walk_forward` and `costs`, on from the start where the settings say so."""
    rules = settings.automation

    def status_of(wanted: bool) -> dg.DefaultScheduleStatus:
        return dg.DefaultScheduleStatus.RUNNING if rules.on and wanted else dg.DefaultScheduleStatus.STOPPED

    @dg.schedule(
        name=DAILY,
        job_name=DAILY,
        cron_schedule=CLOSED,
        execution_timezone=NEW_YORK,
        default_status=status_of(True),
        description="After each trading day: the open week again, and the one before if it has changed. A standing feed without "
        "new rows asks for nothing.",
    )
    def daily(context: dg.ScheduleEvaluationContext) -> list[dg.RunRequest] | dg.SkipReason:
        weeks = list(_due(Lake.open(settings, read_only=True), now=context.scheduled_execution_time.astimezone(UTC)))
        # Two requests of one tick are told apart by their run keys alone.
        return [_of(week, context) for week in weeks] or dg.SkipReason("no feed is live or has new rows")

    @dg.schedule(
        name=HOURLY,
        job_name=HOURLY,
        cron_schedule=HOURS,
        execution_timezone=NEW_YORK,
        default_status=status_of(rules.hourly),
        description="The open week up to now, measured: drift of the newest day and performance.",
    )
    def hourly(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        if context.instance.get_runs_count(dg.RunsFilter(job_name=HOURLY, statuses=UNDER_WAY)):
            return dg.SkipReason(f"a run of {HOURLY} is under way")
        lake = Lake.open(settings, read_only=True)
        newest = max(feeds.weeks_with_rows(lake), default=None)
        if newest is None or _candles(lake, [newest])[newest] == "fresh":
            return dg.SkipReason("no feed has new rows")
        return _of(newest, context)

    @dg.schedule(
        name=RETRAIN,
        job_name=RETRAIN,
        cron_schedule=TRAINED["daily" if rules.retrain == "daily" else "weekly"],
        execution_timezone=NEW_YORK,
        default_status=status_of(rules.retrain != "off"),
        description="Trains every forecaster on the weeks up to the newest with labels, after the day's rows have come.",
    )
    def retrain(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        if context.instance.get_runs_count(dg.RunsFilter(job_name=RETRAIN, statuses=UNDER_WAY)):
            return dg.SkipReason(f"a run of {RETRAIN} is under way")
        week = retraining.newest_week(Lake.open(settings, read_only=True))
        return dg.SkipReason("gold/labels has no rows to learn from") if week is None else _of(week, context)

    @dg.schedule(
        name=WALK_FORWARD,
        job_name=WALK_FORWARD,
        cron_schedule=SCORED,
        execution_timezone=NEW_YORK,
        default_status=status_of(True),
        description="Once a week: forecasts of the week that ends by the versions trained before it, and their scores.",
    )
    def walk_forward(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        week = retraining.newest_week(Lake.open(settings, read_only=True))
        return dg.SkipReason("gold/labels has no rows to judge by") if week is None else _of(week, context)

    @dg.schedule(
        name=COSTS,
        job_name=COSTS,
        cron_schedule=COUNTED,
        execution_timezone=NEW_YORK,
        default_status=status_of(True),
        description="Once a day: what the week took so far.",
    )
    def costs(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        return _of(calendar.week_of(context.scheduled_execution_time.astimezone(UTC)), context)

    return [daily, hourly, retrain, walk_forward, costs]


def _due(lake: Lake, *, now: datetime) -> Iterator[date]:
    """The newest two weeks with rows that have changed since they were made, and of a live feed the one whose day has closed.

    A live feed that gave nothing is asked for too: the run says that the day is missing.
    """
    weeks = feeds.weeks_with_rows(lake)[-2:]
    changed = {week for week, state in _candles(lake, weeks).items() if state != "fresh"}
    if any(feed.live for feed in feeds.feeds(lake).values()):
        changed.add(calendar.week_of(now - timedelta(hours=1)))
    yield from sorted(changed)


def _candles(lake: Lake, weeks: list[date]) -> dict[date, str]:
    return dict(status(lake, readiness.CANDLES, weeks, feeds.fingerprints(lake, weeks)))


def _of(week: date, context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    at = context.scheduled_execution_time.astimezone(UTC)
    return dg.RunRequest(run_key=f"{key_of(week)} {at:%Y-%m-%dT%H:%M}", partition_key=key_of(week))
