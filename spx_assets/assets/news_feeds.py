"""What the home hears of the news: the one asset that asks the world.

Belongs here: a round of polls as a step. Does not: weeks; providers, folders and landing are libraries.

It has no partitions: a poll is of now. bronze/news depends on it for lineage and for its turn in the online job; `spx backfill`
never makes it.
"""

import dagster as dg

from spx_assets.lake import Lake
from spx_assets.partitions import key_of
from spx_assets.settings import Settings
from spx_assets.sources import news_polling

KEY = dg.AssetKey(["bronze", "news_feeds"])
HEARD = "heard"
WEEKS = "first and last week"


@dg.asset(
    key=KEY,
    check_specs=[dg.AssetCheckSpec(HEARD, asset=KEY, description="Every live provider answered, every dropped file was read.")],
    # The clients wait and ask again themselves; this is for a lake that is busy and a network that is gone.
    retry_policy=dg.RetryPolicy(max_retries=2, delay=5, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS),
    # One round at a time: a second would ask the providers for the same.
    pool="news",
)
def news_feeds(settings: dg.ResourceParam[Settings]) -> dg.MaterializeResult:  # type: ignore[type-arg]  # Dagster knows it by this name only
    """Polls the live news providers and takes in the drop folder; the articles lie in the landing folder then.

    A provider that fails does not hold up what the others said: the check `heard` fails, the run goes on. Only a round that
    heard nothing at all fails.
    """
    heard = news_polling.poll(Lake.open(settings))
    return dg.MaterializeResult(
        metadata={
            "landed": heard.landed,
            WEEKS: [key_of(week) for week in heard.weeks],
            **{f"{report.provider}: {report.name}": f"{report.landed} of {report.rows} new" for report in heard.reports},
        },
        check_results=[
            dg.AssetCheckResult(
                check_name=HEARD, passed=not heard.failures, severity=dg.AssetCheckSeverity.ERROR, metadata=dict(heard.failures)
            )
        ],
    )
