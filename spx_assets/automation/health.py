"""What Dagster knows of a home's health: weeks that are stale, assets that fail their checks or are late, runs that failed.

Belongs here: questions to the graph and the instance, for `spx doctor`. Does not: checks that need no Dagster (`upkeep.doctor`).
"""

from datetime import UTC, datetime, timedelta

import dagster as dg
from dagster._core.definitions.freshness import FreshnessState
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecord, AssetCheckExecutionRecordStatus

from spx_assets.assets.graph import asset_name
from spx_assets.automation.backfill import Backfill
from spx_assets.settings import Settings
from spx_assets.upkeep.doctor import Finding

RECENT = timedelta(days=1)


def examine(settings: Settings, instance: dg.DagsterInstance) -> list[Finding]:
    """Weeks, assets and runs."""
    plan = Backfill(settings, instance)
    return [weeks(plan), assets(plan), runs(instance, since=datetime.now(UTC) - RECENT)]


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


def assets(plan: Backfill) -> Finding:
    """Assets that failed a check when it was last made, or that the daemon last found later than the rhythm they are held to.

    The UI shows both at each asset; warnings, such as refused rows, are left to it.
    """
    latest = plan.instance.event_log_storage.get_latest_asset_check_execution_by_key(sorted(plan.graph.asset_check_keys))
    failed = [f"{asset_name(key.asset_key)} failed {key.name}" for key, record in latest.items() if _failed(record)]
    fresh = plan.instance.get_freshness_state_records(sorted(plan.graph.materializable_asset_keys))
    late = [f"{asset_name(key)} is late" for key, record in fresh.items() if record.freshness_state == FreshnessState.FAIL]
    if not failed + late:
        return Finding("assets", f"{len(latest)} checks made, none failed; none late")
    return Finding(
        "assets", "; ".join([*failed, *late]), "see the asset's checks in the Dagster UI; run `daily` for what is late"
    )


def _failed(record: AssetCheckExecutionRecord) -> bool:
    evaluation = record.evaluation if record.status is AssetCheckExecutionRecordStatus.FAILED else None
    return evaluation is not None and evaluation.severity is dg.AssetCheckSeverity.ERROR


def runs(instance: dg.DagsterInstance, *, since: datetime) -> Finding:
    """Runs that failed lately."""
    failed = instance.get_run_records(dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE], created_after=since))
    if not failed:
        return Finding("runs", "none failed in a day")
    jobs = ", ".join(sorted({record.dagster_run.job_name for record in failed}))
    return Finding("runs", f"{len(failed)} failed in a day: {jobs}", "see why in the Dagster UI, then run them again")
