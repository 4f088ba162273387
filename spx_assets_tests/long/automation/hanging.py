"""A code location whose jobs never end: one with the limit of the project's short jobs, one with none of its own."""

import time
from pathlib import Path

import dagster as dg

from spx_assets.automation import alerts


@dg.op(config_schema={"mark": str})
def wait(context: dg.OpExecutionContext) -> None:
    """Says that it has begun, and waits for ever."""
    Path(context.op_config["mark"]).touch()
    while True:
        time.sleep(0.1)


@dg.job(tags=alerts.MAX_RUNTIME, executor_def=dg.in_process_executor)
def limited() -> None:
    wait()


@dg.job(executor_def=dg.in_process_executor)
def unlimited() -> None:
    wait()


defs = dg.Definitions(jobs=[limited, unlimited])
