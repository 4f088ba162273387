"""A hand-started Dagster in the project's root and the command line share one home.

That of `spx up` carries out a range backfill and is asked for a training in `integration/cli/test_readme.py`.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import httpx
import pytest

from spx_assets.automation import instance
from spx_assets.cli import processes
from spx_assets.lake import Lake
from spx_assets.partitions import key_of
from spx_assets.settings import Settings, load
from spx_assets.sources import feeds
from spx_assets_tests.integration.automation import webserver


@contextmanager
def dagster_dev(home: Path) -> Iterator[httpx.Client]:
    """`dagster dev` as a person would start it in the root: SPX_HOME set, DAGSTER_HOME not."""
    port = processes.free_port()
    command = [str(Path(sys.executable).parent / "dagster"), "dev", "-p", str(port), "-w", "workspace.yaml"]
    env = {name: value for name, value in os.environ.items() if name != "DAGSTER_HOME"} | {"SPX_HOME": str(home)}
    with (home / "dev.log").open("wb") as log:
        child = processes.start(["env", "-i", *(f"{k}={v}" for k, v in env.items()), *command], output=log, cwd=instance.ROOT)
    try:
        processes.wait_until_answers(f"http://127.0.0.1:{port}/server_info", child, patience_s=120)
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            yield client
    finally:
        processes.end([child])


@pytest.mark.long
def test_a_range_backfill_through_a_hand_started_dagster_turns_every_partition_green(settings: Settings) -> None:
    settings.home.mkdir(parents=True)
    (settings.home / "settings.env").write_text("SPX_SIMULATOR__DAYS=9\n")
    settings = load(settings.home)
    lake = Lake.open(settings)
    feeds.bind_simulator(lake, "SPX500_USD")
    weeks = [key_of(week) for week in feeds.weeks_with_rows(lake)]
    assert len(weeks) == 3
    with dagster_dev(settings.home) as client:
        backfill = webserver.launch(client, weeks)
        webserver.until_green(client, backfill, weeks, lambda: (settings.home / "dev.log").read_text()[-4000:])
    assert lake.count("gold.labels") == 2 * lake.count("bronze.candles") > 0


def test_the_command_line_sees_the_runs_of_a_hand_started_dagster(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The root's dagster.yaml and the one `spx` places lead to one storage."""
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    from dagster._core.instance.ref import InstanceRef

    elsewhere = settings.home.parent / "temporary"
    elsewhere.mkdir()
    with dg.DagsterInstance.from_ref(InstanceRef.from_dir(str(elsewhere), config_dir=str(instance.ROOT))) as by_hand:
        by_hand.add_dynamic_partitions("seen", ["by-hand"])
    monkeypatch.setenv("DAGSTER_HOME", "")
    instance.place(settings)
    with dg.DagsterInstance.get() as placed:
        assert list(placed.get_dynamic_partitions("seen")) == ["by-hand"]
