"""What runs when something happens.

Belongs here: noticing, and asking for a run. Does not: anything a run does; a sensor computes nothing.
"""

import hashlib
import json

import dagster as dg

from spx_assets.lake import Lake
from spx_assets.partitions import key_of
from spx_assets.settings import Settings
from spx_assets.sources import news_drop, news_polling
from spx_assets.sources.news_drop import JOB as NEWS_ONLINE

NEWS_DROP = "news_drop"


def sensors(settings: Settings) -> list[dg.SensorDefinition]:
    """`news_drop`: files in the drop folder ask for the online job; on from the start only where SPX_NEWS__WATCH says so."""

    @dg.sensor(
        name=NEWS_DROP,
        job_name=NEWS_ONLINE,
        minimum_interval_seconds=10,
        default_status=dg.DefaultSensorStatus.RUNNING if settings.news.watch else dg.DefaultSensorStatus.STOPPED,
        description="Asks for the online job when article files appear in the drop folder.",
    )
    def watch(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        """The cursor is the marks of files that were asked for and still lie there; the run key, those of the new ones.

        A tick that is lost before its cursor was kept asks again under the same key, which Dagster answers once.
        """
        asked = set(json.loads(context.cursor or "[]"))
        found = {mark for path in news_drop.waiting(news_drop.folder(settings)) if (mark := news_drop.mark(path))}
        cursor, new = json.dumps(sorted(found)), sorted(found - asked)
        if not new:
            waits = f"{len(found)} file(s) wait for a run that was asked for" if found else "no file waits"
            return dg.SensorResult(skip_reason=waits, cursor=cursor)
        week = news_polling.current_week(Lake.open(settings, read_only=True))
        key = hashlib.sha256("".join(new).encode()).hexdigest()[:32]
        return dg.SensorResult(run_requests=[dg.RunRequest(run_key=key, partition_key=key_of(week))], cursor=cursor)

    return [watch]
