"""What runs by the clock.

Belongs here: times, and which week a run is for. Does not: what a run makes (`jobs`).
"""

from datetime import UTC, date, datetime, timedelta

import dagster as dg

from spx_assets.automation.jobs import NEWS_MAX_RUNTIME_S
from spx_assets.features import readiness
from spx_assets.lake import Lake
from spx_assets.lake.staleness import status
from spx_assets.partitions import key_of
from spx_assets.settings import Settings
from spx_assets.sources import news_feeds, news_polling
from spx_assets.sources.news_drop import JOB as NEWS_ONLINE

UNDER_WAY = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
]
LATE = "spx/late_week"
"""Tag of a run for a week that is over: the week, and what had been landed of it."""


def schedules(settings: Settings) -> list[dg.ScheduleDefinition]:
    """`news_online` every 15 minutes; on from the start only where SPX_NEWS__ONLINE says so."""

    @dg.schedule(
        name=NEWS_ONLINE,
        job_name=NEWS_ONLINE,
        cron_schedule="*/15 * * * *",
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING if settings.news.online else dg.DefaultScheduleStatus.STOPPED,
        description="Polls the live news providers every 15 minutes and makes the signals of the current week, "
        "and once more those of the last one if articles of it came too late.",
    )
    def every_quarter(context: dg.ScheduleEvaluationContext) -> list[dg.RunRequest] | dg.SkipReason:
        # What was killed stays under way for Dagster until its monitor, if that runs, has looked.
        alive = datetime.now(UTC) - timedelta(seconds=NEWS_MAX_RUNTIME_S)
        if context.instance.get_runs_count(dg.RunsFilter(job_name=NEWS_ONLINE, statuses=UNDER_WAY, created_after=alive)):
            return dg.SkipReason(f"a run of {NEWS_ONLINE} is under way; the next one hears what this one would")
        lake = Lake.open(settings, read_only=True)
        week = news_polling.current_week(lake)
        # Two requests of one tick are told apart by their run keys alone.
        current = dg.RunRequest(run_key=key_of(week), partition_key=key_of(week))
        return [*_late(lake, context.instance, week - timedelta(weeks=1)), current]

    return [every_quarter]


def _late(lake: Lake, instance: dg.DagsterInstance, week: date) -> list[dg.RunRequest]:
    """A request for `week`, which is over, if articles were landed of it that its last run had not; once for the same articles.

    What comes in the last minutes before Sunday 17:00 is known in a week that no later run is for.
    """
    if week not in news_feeds.weeks_with_articles(lake):
        return []
    landed = news_feeds.fingerprints(lake, [week])
    if status(lake, readiness.articles(), [week], landed)[week] == "fresh":
        return []
    what = f"{key_of(week)} {landed[week]}"
    if instance.get_runs_count(dg.RunsFilter(job_name=NEWS_ONLINE, tags={LATE: what})):
        return []
    return [dg.RunRequest(run_key=what, partition_key=key_of(week), tags={LATE: what})]
