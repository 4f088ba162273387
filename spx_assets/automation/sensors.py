"""What runs when something happens.

Belongs here: noticing, and asking for a run. Does not: anything a run does; a sensor computes nothing.
"""

import hashlib

import dagster as dg
import msgspec

from spx_assets.lake import Lake
from spx_assets.partitions import key_of
from spx_assets.settings import Settings
from spx_assets.sources import news_drop, news_polling
from spx_assets.sources.news_drop import JOB as NEWS_ONLINE

NEWS_DROP = "news_drop"
INTERVAL_S = 10
AGAIN = 90
"""Ticks, a quarter of an hour of them, after which files that still lie there are asked for again: their run failed."""


class Asked(msgspec.Struct, frozen=True):
    """The cursor: marks of the files that were asked for and still lie there, for how many ticks; how many requests."""

    marks: list[str] = msgspec.field(default_factory=list)
    ticks: int = 0
    requests: int = 0


def sensors(settings: Settings) -> list[dg.SensorDefinition]:
    """`news_drop`: files in the drop folder ask for the online job; on from the start only where SPX_NEWS__WATCH says so."""

    @dg.sensor(
        name=NEWS_DROP,
        job_name=NEWS_ONLINE,
        minimum_interval_seconds=INTERVAL_S,
        default_status=dg.DefaultSensorStatus.RUNNING if settings.news.watch else dg.DefaultSensorStatus.STOPPED,
        description="Asks for the online job when article files appear in the drop folder.",
    )
    def watch(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        """The run key is made of the marks of what is asked for, so a tick lost before its cursor was kept asks for one run.

        And of the number of the request: a file that was refused and is put back as it was asks for another.
        """
        before = msgspec.json.decode(context.cursor, type=Asked) if context.cursor else Asked()
        found = sorted(mark for path in news_drop.waiting(news_drop.folder(settings)) if (mark := news_drop.mark(path)))
        new = [mark for mark in found if mark not in before.marks]
        if not new and (not found or before.ticks + 1 < AGAIN):
            waits = f"{len(found)} file(s) wait for a run that was asked for" if found else "no file waits"
            cursor = Asked(found, before.ticks + 1 if found else 0, before.requests)
            return dg.SensorResult(skip_reason=waits, cursor=msgspec.json.encode(cursor).decode())
        number = before.requests + 1
        key = hashlib.sha256(f"{number} {' '.join(new or found)}".encode()).hexdigest()[:32]
        week = news_polling.current_week(Lake.open(settings, read_only=True))
        return dg.SensorResult(
            run_requests=[dg.RunRequest(run_key=key, partition_key=key_of(week))],
            cursor=msgspec.json.encode(Asked(found, 0, number)).decode(),
        )

    return [watch]
