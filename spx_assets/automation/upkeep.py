"""The job `maintenance`, its monthly schedule, and which runs it must not disturb.

Belongs here: one op, its job, its schedule, runs under way. Does not: what upkeep does (`upkeep.routine`).
"""

from datetime import UTC, datetime

import dagster as dg

from spx_assets.automation.schedules import UNDER_WAY
from spx_assets.settings import Settings
from spx_assets.upkeep import routine

NAME = "maintenance"


def live(instance: dg.DagsterInstance, *, but: str = "") -> list[datetime]:
    """When each run that has not ended was asked for; `but` is the one that asks."""
    records = instance.get_run_records(dg.RunsFilter(statuses=UNDER_WAY))
    return [record.create_timestamp.astimezone(UTC) for record in records if record.dagster_run.run_id != but]


@dg.op(
    name="keep_lake_up",
    required_resource_keys={"settings"},
    retry_policy=dg.RetryPolicy(max_retries=2, delay=60, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS),
    out=dg.Out(dg.Nothing),
)
def _maintain(context: dg.OpExecutionContext) -> None:
    """Retention where the settings ask for it, compaction, expiry of snapshots that nobody needs, clean-up of files."""
    for step in routine.maintain(context.resources.settings, live=live(context.instance, but=context.run_id)):
        context.log.info("%s: %d %s", step.step, step.number, step.what)


@dg.job(name=NAME, description="Keep the lake up: retention, compaction, expiry of snapshots, clean-up of files.")
def maintenance() -> None:
    _maintain()


def schedule(settings: Settings) -> dg.ScheduleDefinition:
    """`maintenance` once a month, after the trading day has closed."""
    on = dg.DefaultScheduleStatus.RUNNING if settings.upkeep.on else dg.DefaultScheduleStatus.STOPPED
    return dg.ScheduleDefinition(
        name=NAME,
        job=maintenance,
        cron_schedule=f"30 17 {settings.upkeep.day} * *",
        execution_timezone="America/New_York",
        default_status=on,
        description="Once a month, half an hour after the trading day has closed.",
    )
