"""What runs by the clock.

Belongs here: times, and which week a run is for. Does not: what a run makes (`jobs`).
"""

from datetime import UTC, datetime, timedelta

import dagster as dg

from spx_assets.automation.jobs import NEWS_MAX_RUNTIME_S
from spx_assets.lake import Lake
from spx_assets.partitions import key_of
from spx_assets.settings import Settings
from spx_assets.sources import news_polling
from spx_assets.sources.news_drop import JOB as NEWS_ONLINE

UNDER_WAY = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
]


def schedules(settings: Settings) -> list[dg.ScheduleDefinition]:
    """`news_online` every 15 minutes; on from the start only where SPX_NEWS__ONLINE says so."""

    @dg.schedule(
        name=NEWS_ONLINE,
        job_name=NEWS_ONLINE,
        cron_schedule="*/15 * * * *",
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING if settings.news.online else dg.DefaultScheduleStatus.STOPPED,
        description="Polls the live news providers every 15 minutes and makes the signals of the current week.",
    )
    def every_quarter(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        # What was killed stays under way for Dagster until its monitor, if that runs, has looked.
        alive = datetime.now(UTC) - timedelta(seconds=NEWS_MAX_RUNTIME_S)
        if context.instance.get_runs_count(dg.RunsFilter(job_name=NEWS_ONLINE, statuses=UNDER_WAY, created_after=alive)):
            return dg.SkipReason(f"a run of {NEWS_ONLINE} is under way; the next one hears what this one would")
        week = news_polling.current_week(Lake.open(settings, read_only=True))
        return dg.RunRequest(partition_key=key_of(week))

    return [every_quarter]
