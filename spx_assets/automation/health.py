"""What Dagster knows of a home's health: weeks that are stale, runs that failed.

Belongs here: questions to the graph and the instance, for `spx doctor`. Does not: checks that need no Dagster (`upkeep.doctor`).
"""

from datetime import UTC, datetime, timedelta

import dagster as dg

from spx_assets.automation.backfill import Backfill
from spx_assets.settings import Settings
from spx_assets.upkeep.doctor import Finding

RECENT = timedelta(days=1)


def examine(settings: Settings, instance: dg.DagsterInstance) -> list[Finding]:
    """Weeks and runs."""
    return [weeks(Backfill(settings, instance)), runs(instance, since=datetime.now(UTC) - RECENT)]


def weeks(plan: Backfill) -> Finding:
    """Stale weeks are wrong, but for the newest, which grows; weeks never made are told, and may be meant."""
    states = plan.states()
    missing = sum(state == "missing" for known in states.values() for state in known.values())
    told = f"{sum(map(len, states.values()))} weeks of {len(states)} assets, {missing} never made"
    stale = {
        name: found
        for name, known in states.items()
        if (found := sorted(week for week, state in known.items() if state == "stale" and week != max(known)))
    }
    if not stale:
        return Finding("weeks", told)
    shown = ", ".join(f"{len(found)} of {name} from {found[0]} on" for name, found in stale.items())
    return Finding("weeks", f"{told}; stale: {shown}", f"make them again: spx backfill {' '.join(stale)}")


def runs(instance: dg.DagsterInstance, *, since: datetime) -> Finding:
    """Runs that failed lately."""
    failed = instance.get_run_records(dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE], created_after=since))
    if not failed:
        return Finding("runs", "none failed in a day")
    jobs = ", ".join(sorted({record.dagster_run.job_name for record in failed}))
    return Finding("runs", f"{len(failed)} failed in a day: {jobs}", "see why in the Dagster UI, then run them again")
