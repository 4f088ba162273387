"""How Dagster judges the health of assets: green on a home where all is well, red for the right one where something is broken.

The aggregate is drawn by Dagster's hosted UI alone; its three parts, which every UI shows at each asset, are asked for here as it
asks for them: weeks that failed, checks, freshness.
"""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
from dagster._core.definitions.asset_health.asset_check_health import get_asset_check_status_and_metadata
from dagster._core.definitions.asset_health.asset_freshness_health import get_freshness_status_and_metadata
from dagster._core.definitions.asset_health.asset_health import overall_status_from_component_statuses
from dagster._core.definitions.asset_health.asset_materialization_health import get_materialization_status_and_metadata
from dagster._core.remote_origin import InProcessCodeLocationOrigin
from dagster._core.test_utils import create_test_daemon_workspace_context, freeze_time
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import InProcessWorkspaceLoadTarget
from dagster._daemon.freshness import FreshnessDaemon

from spx_assets.automation import health
from spx_assets.automation import instance as home_instance
from spx_assets.automation.backfill import Backfill
from spx_assets.build import build_defs
from spx_assets.partitions import key_of
from spx_assets.settings import load
from spx_assets.sources import feeds
from spx_assets_tests import lakes

MADE = [dg.AssetKey(path) for path in (["bronze", "candles"], ["silver", "calendar"], ["silver", "returns"])]
CANDLES, CALENDAR, RETURNS = MADE
State = tuple[str, str, str, str]


def location() -> dg.Definitions:
    """The code location of the home that SPX_HOME names when the module's fixtures are made."""
    return build_defs(load())


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backfill]:
    """A market of two days in a home whose assets are held to the daily rhythm, one for all tests: what one breaks it mends."""
    folder = tmp_path_factory.mktemp("health")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SPX_HOME", str(folder / "home"))
        environment.setenv("SPX_SIMULATOR__DAYS", "2")
        environment.setenv("SPX_AUTOMATION__FRESHNESS", "true")
        environment.setenv("DAGSTER_DISABLE_TELEMETRY", "yes")
        environment.setenv("DAGSTER_HOME", "")
        settings = load()
        feeds.bind_simulator(lakes.fresh(settings), "SPX500_USD")
        home_instance.place(settings)
        with dg.DagsterInstance.get() as instance:
            yield Backfill(settings, instance)


@pytest.fixture(scope="module")
def workspace(plan: Backfill) -> Iterator[WorkspaceProcessContext]:
    target = LoadableTargetOrigin(module_name=__name__, attribute=location.__name__)
    origin = InProcessCodeLocationOrigin(target, location_name="spx_assets")
    with create_test_daemon_workspace_context(InProcessWorkspaceLoadTarget(origin), plan.instance) as context:
        yield context


def made(plan: Backfill, keys: list[dg.AssetKey]) -> bool:
    """One run of the assets and their checks over the open week; whether it succeeded."""
    (week,) = feeds.weeks_with_rows(plan.lake)
    return (
        plan.defs.resolve_implicit_global_asset_job_def()
        .execute_in_process(
            instance=plan.instance,
            asset_selection=keys,
            partition_key=key_of(week),
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            raise_on_error=False,
        )
        .success
    )


def states(workspace: WorkspaceProcessContext) -> dict[str, State]:
    """By asset: weeks, checks, freshness, and all three together, after the daemon has looked at freshness."""
    list(FreshnessDaemon().run_iteration(workspace))
    context = workspace.create_request_context()

    async def of(key: dg.AssetKey) -> State:
        weeks, _ = await get_materialization_status_and_metadata(context, key)
        checks, _ = await get_asset_check_status_and_metadata(context, key)
        fresh, _ = await get_freshness_status_and_metadata(context, key)
        whole = overall_status_from_component_statuses(checks, weeks, fresh)
        return weeks.value, checks.value, fresh.value, whole.value

    async def all_of() -> dict[str, State]:
        return {key.to_user_string(): await of(key) for key in MADE}

    return asyncio.run(all_of())


GREEN = ("HEALTHY", "HEALTHY", "HEALTHY", "HEALTHY")


def test_assets_are_green_where_all_is_well_and_the_broken_one_alone_is_red(
    plan: Backfill, workspace: WorkspaceProcessContext
) -> None:
    assert made(plan, MADE)
    assert states(workspace) == dict.fromkeys(("bronze/candles", "silver/calendar", "silver/returns"), GREEN)
    assert not health.assets(plan).wrong

    # A row that no run took away: what lies there is not what was recorded.
    with plan.lake.cursor() as cursor:
        cursor.execute("DELETE FROM lake.silver.returns WHERE ts = (SELECT max(ts) FROM lake.silver.returns)")
    checks = dg.AssetSelection.checks_for_assets(RETURNS)
    again = dg.Definitions.merge(plan.defs, dg.Definitions(jobs=[dg.define_asset_job("checks", selection=checks)]))
    again.resolve_job_def("checks").execute_in_process(instance=plan.instance, raise_on_error=False)
    found = states(workspace)
    assert found["silver/returns"] == ("HEALTHY", "DEGRADED", "HEALTHY", "DEGRADED")
    assert (found["bronze/candles"], found["silver/calendar"]) == (GREEN, GREEN)
    assert health.assets(plan).found == "silver/returns failed contract"

    # A week that cannot be made is red until it is made.
    assert made(plan, [RETURNS])
    (broken,) = plan.lake.settings.home.glob("lake/data/bronze/candles/**/*.parquet")
    broken.rename(broken.with_suffix(".away"))
    assert not made(plan, [CALENDAR])
    found = states(workspace)
    assert found["silver/calendar"] == ("DEGRADED", "DEGRADED", "HEALTHY", "DEGRADED")
    assert (found["bronze/candles"], found["silver/returns"]) == (GREEN, GREEN)
    broken.with_suffix(".away").rename(broken)
    assert made(plan, [CALENDAR])
    assert states(workspace) == dict.fromkeys(("bronze/candles", "silver/calendar", "silver/returns"), GREEN)


def test_what_the_day_s_run_left_out_is_late_and_nothing_else(plan: Backfill, workspace: WorkspaceProcessContext) -> None:
    later = datetime.now(UTC) + timedelta(days=4)
    for key in MADE:
        plan.instance.report_runless_asset_event(dg.AssetMaterialization(key))
    assert {fresh for _, _, fresh, _ in states(workspace).values()} == {"HEALTHY"}
    with freeze_time(later):
        for key in (CANDLES, CALENDAR):
            plan.instance.report_runless_asset_event(dg.AssetMaterialization(key))
        found = states(workspace)
    assert {name: fresh for name, (_, _, fresh, _) in found.items()} == {
        "bronze/candles": "HEALTHY",
        "silver/calendar": "HEALTHY",
        "silver/returns": "DEGRADED",
    }
    assert health.assets(plan).found == "silver/returns is late"
