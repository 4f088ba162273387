"""A small simulated home, bound and ready to be made, for tests of the graph."""

from collections.abc import Callable, Sequence
from datetime import date

import dagster as dg
import pytest

from spx_assets.build import build_defs
from spx_assets.lake import Lake
from spx_assets.partitions import key_of
from spx_assets.settings import Settings, SimulatorSettings
from spx_assets.sources import feeds
from spx_assets_tests import lakes

Run = Callable[..., dg.ExecuteInProcessResult]


@pytest.fixture
def small(settings: Settings) -> Settings:
    """A home with a simulator of 14 trading days: four trading weeks, the last one open."""
    changed = settings.model_copy(update={"simulator": SimulatorSettings(days=14)})
    feeds.bind_simulator(lakes.fresh(changed), "SPX500_USD")
    return changed


@pytest.fixture
def weeks(small: Settings) -> list[date]:
    return feeds.weeks_with_rows(Lake.open(small))


@pytest.fixture
def run(small: Settings) -> Run:
    """Run assets over weeks on one ephemeral instance, quietly; `instance` is an attribute of the function."""
    instance = dg.DagsterInstance.ephemeral()
    defs = build_defs(small)
    job = defs.resolve_implicit_global_asset_job_def()

    def execute(selection: dg.AssetSelection, over: Sequence[date], *, raise_on_error: bool = True) -> dg.ExecuteInProcessResult:
        tags = {
            "dagster/asset_partition_range_start": key_of(over[0]),
            "dagster/asset_partition_range_end": key_of(over[-1]),
        }
        return job.execute_in_process(
            instance=instance,
            asset_selection=sorted(selection.resolve(defs.resolve_asset_graph())),
            partition_key=key_of(over[0]) if len(over) == 1 else None,
            tags=tags if len(over) > 1 else None,
            run_config={"loggers": {"console": {"config": {"log_level": "ERROR"}}}},
            raise_on_error=raise_on_error,
        )

    execute.instance = instance  # type: ignore[attr-defined]
    return execute
