"""Costs: what the home's providers and runs took.

Belongs here: one asset, the run records it hands to the library. Does not: counting, prices, limits.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

import dagster as dg

from spx_assets import calendar
from spx_assets.assets.io import weeks_of
from spx_assets.lake import Chunks, Lake
from spx_assets.monitoring.costs import Run
from spx_assets.settings import Settings


@dg.asset(key=["monitoring", "costs"])
def costs(context: dg.AssetExecutionContext, settings: dg.ResourceParam[Settings]) -> Chunks:
    """Per day of the wall, calls of each provider and minutes of each job's runs, with their cost where a price is set."""
    from spx_assets.monitoring import costs as measuring

    weeks = weeks_of(context)
    return measuring.by_week(Lake.open(settings), weeks, _runs(context.instance, calendar.run_window(weeks)[0]))


def _runs(instance: dg.DagsterInstance, since: datetime) -> Iterator[Run]:
    """Runs created since then that have begun."""
    now = datetime.now(UTC).timestamp()
    for record in instance.get_run_records(dg.RunsFilter(created_after=since)):
        if record.start_time:
            minutes = ((record.end_time or now) - record.start_time) / 60
            yield Run(record.dagster_run.job_name, datetime.fromtimestamp(record.start_time, UTC), minutes)
