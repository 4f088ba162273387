"""The same work as Dagster runs: 261 weeks in one range run, and the open week alone."""

import subprocess
import sys
from datetime import date

import dagster as dg

from spx_assets.automation import instance
from spx_assets.build import build_defs
from spx_assets.lake import Lake
from spx_assets.partitions import key_of
from spx_assets.settings import Settings, load
from spx_assets.sources import feeds
from spx_assets_tests.benchmarks.line import Line, spent
from spx_assets_tests.benchmarks.pipeline import five_years

# Forecasts, and what is made from them, need models.
SPINE = dg.AssetSelection.groups("bronze", "silver", "gold") - dg.AssetSelection.assets(["gold", "forecasts"]).downstream()


def run() -> list[Line]:
    settings = five_years()
    weeks = bound(settings)
    with spent() as used:
        execute(settings, weeks[0], weeks[-1])
    return [Line(f"one Dagster range run over {len(weeks)} weeks", used.cpu_s, 100.0, "CPU s")]


def open_week() -> list[Line]:
    settings = load()
    weeks = bound(settings)
    execute(settings, weeks[0], weeks[-1])
    with spent() as used:
        execute(settings, weeks[-1], weeks[-1])
    selection = 'group:bronze or group:silver or (group:gold and not key:"gold/forecasts"+)'
    command = [sys.executable, "-m", "dagster", "asset", "materialize", "-m", "spx_assets.definitions"]
    with spent() as launched:
        subprocess.run([*command, "--select", selection, "--partition", key_of(weeks[-1])], check=True, capture_output=True)
    return [
        Line("the open week, bronze -> gold, Dagster run in process", used.wall_s, 5.0, "s"),
        Line("the open week as a run of its own process", launched.wall_s, 20.0, "s"),
    ]


def bound(settings: Settings) -> list[date]:
    """Bind the simulator in the home; the weeks it has rows for."""
    instance.place(settings)
    lake = Lake.open(settings)
    feeds.bind_simulator(lake, "SPX500_USD")
    return feeds.weeks_with_rows(lake)


def execute(settings: Settings, first: date, last: date) -> None:
    """The spine as one run over a range of weeks, on the home's own instance."""
    defs = build_defs(settings)
    job = defs.resolve_implicit_global_asset_job_def()
    keys = list(SPINE.resolve(defs.resolve_asset_graph()))
    tags = {"dagster/asset_partition_range_start": key_of(first), "dagster/asset_partition_range_end": key_of(last)}
    with dg.DagsterInstance.get() as home:
        if first == last:
            job.execute_in_process(instance=home, asset_selection=keys, partition_key=key_of(first))
        else:
            job.execute_in_process(instance=home, asset_selection=keys, tags=tags)
