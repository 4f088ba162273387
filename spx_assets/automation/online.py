"""`spx news online`: one run of the online job in this process.

Belongs here: asking Dagster for that run. Does not: when runs come (`schedules`, `sensors`), what they make (`jobs`).
"""

from dataclasses import dataclass
from datetime import date

import dagster as dg

from spx_assets import SpxError
from spx_assets.assets import news_feeds
from spx_assets.build import build_defs
from spx_assets.lake import Lake
from spx_assets.partitions import key_of, week_of_key
from spx_assets.settings import Settings
from spx_assets.sources import news_polling
from spx_assets.sources.news_drop import JOB as NEWS_ONLINE


class OnlineError(SpxError):
    """The online job failed."""


@dataclass(frozen=True, kw_only=True)
class Heard:
    """What one run did: the week it made, how many articles were new, by provider or file what was not heard.

    `span` are the first and the last week in which the new articles are known, if there are any.
    """

    week: date
    landed: int
    span: tuple[date, ...]
    failures: dict[str, str]


def run(settings: Settings, instance: dg.DagsterInstance) -> Heard:
    """Hear the news and make the signals of the current week, recorded like any other run. OnlineError if it failed."""
    job = build_defs(settings).resolve_job_def(NEWS_ONLINE)
    week = news_polling.current_week(Lake.open(settings))
    result = job.execute_in_process(
        instance=instance,
        partition_key=key_of(week),
        tags={"spx/command": "news online"},
        # A failure is raised, and told in one line; its trace stands with the run.
        run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        raise_on_error=True,
    )
    if not result.success:
        raise OnlineError(f"run {result.run_id} of {NEWS_ONLINE} failed; see it in the Dagster UI")
    (made,) = (event for event in result.get_asset_materialization_events() if event.asset_key == news_feeds.KEY)
    metadata = made.materialization.metadata
    (heard,) = (check for check in result.get_asset_check_evaluations() if check.check_name == news_feeds.HEARD)
    failures = {name: str(why.value) for name, why in heard.metadata.items()}
    span = metadata[news_feeds.WEEKS].value
    return Heard(
        week=week,
        landed=int(str(metadata["landed"].value)),
        span=tuple(week_of_key(str(key)) for key in span) if isinstance(span, list) else (),
        failures=failures,
    )
