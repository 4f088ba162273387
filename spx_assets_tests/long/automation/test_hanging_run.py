"""A run that hangs is ended: real processes, the project's dagster.yaml, the clock of the daemon's monitor put forward."""

import logging
import os
import time
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import psutil
import pytest
from dagster._core.test_utils import create_test_daemon_workspace_context, freeze_time
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import ModuleTarget
from dagster._daemon.monitoring.run_monitoring import execute_run_monitoring_iteration

from spx_assets.automation import instance
from spx_assets.settings import Settings
from spx_assets_tests.long.automation import hanging

pytestmark = pytest.mark.long
LOCATION = "hanging"


def launched(workspace: WorkspaceProcessContext, job: dg.JobDefinition, mark: Path) -> str:
    """A run of the job in a process of its own that has begun to hang; its id."""
    context = workspace.create_request_context()
    repository = context.get_code_location(LOCATION).get_repository("__repository__")
    remote = repository.get_full_job(job.name)
    run = workspace.instance.create_run_for_job(
        job_def=job,
        run_config={"ops": {"wait": {"config": {"mark": str(mark)}}}},
        tags=job.tags,
        remote_job_origin=remote.get_remote_origin(),
        job_code_origin=remote.get_python_origin(),
    )
    workspace.instance.launch_run(run.run_id, context)
    until(mark.exists, f"{job.name} to begin")
    return str(run.run_id)


def until(true: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline, f"waited for {what}"
        time.sleep(0.1)


def looked(workspace: WorkspaceProcessContext, *, seconds_later: float) -> None:
    """One round of the daemon's monitor, as it would be then."""
    with freeze_time(time.time() + seconds_later):
        assert [error for error in execute_run_monitoring_iteration(workspace, logging.getLogger(__name__)) if error] == []


@pytest.mark.timeout(240)
def test_a_run_that_hangs_is_ended_with_its_process_after_the_time_its_job_or_the_instance_allows(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", "")
    instance.place(settings)
    target = ModuleTarget(hanging.__name__, attribute=None, working_directory=str(instance.ROOT), location_name=LOCATION)
    with dg.DagsterInstance.get() as runs, create_test_daemon_workspace_context(target, runs) as workspace:
        limited = launched(workspace, hanging.limited, tmp_path / "limited")
        unlimited = launched(workspace, hanging.unlimited, tmp_path / "unlimited")
        processes = {child.pid for child in psutil.Process(os.getpid()).children(recursive=True)}
        looked(workspace, seconds_later=800)
        assert {run.status for run in runs.get_runs()} == {dg.DagsterRunStatus.STARTED}
        for run_id, seconds in ((limited, 900), (unlimited, 14_400)):
            looked(workspace, seconds_later=seconds + 1)
            run = runs.get_run_by_id(run_id)
            assert run is not None
            assert run.status is dg.DagsterRunStatus.FAILURE
            said = [entry.message for entry in runs.all_logs(run_id)]
            assert f"Canceling due to exceeding maximum runtime of {seconds} seconds." in said
        until(lambda: len(processes & set(psutil.pids())) <= len(processes) - 2, "both processes to end")
