"""The graph of the containers, asked and started through the GraphQL that the Dagster UI uses."""

import time
from typing import Any

import httpx

from spx_assets_tests.compose.stack import DAGSTER, StackError
from spx_assets_tests.integration.automation.webserver import LAUNCH, STATUS

ASSETS = "{ assetNodes { assetKey { path } isPartitioned } }"
RUN = "query($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"


def ask(query: str, **variables: Any) -> Any:
    answer = httpx.post(f"{DAGSTER}/graphql", json={"query": query, "variables": variables}, timeout=60).raise_for_status().json()
    if "errors" in answer:
        raise StackError(f"GraphQL: {answer['errors']}")
    return answer["data"]


def market_assets() -> list[list[str]]:
    """Keys of bronze, silver and gold but for what needs forecasts."""
    nodes = ask(ASSETS)["assetNodes"]
    paths = [node["assetKey"]["path"] for node in nodes if node["isPartitioned"]]
    return sorted(path for path in paths if path[0] in ("bronze", "silver", "gold") and not path[1].startswith("forecast"))


def backfill(assets: list[list[str]], weeks: list[str], *, patience_s: float) -> float:
    """Seconds that a backfill over the weeks took."""
    start = time.monotonic()
    params = {"assetSelection": [{"path": path} for path in assets], "partitionNames": weeks, "title": "compose test"}
    launched = ask(LAUNCH, params=params)["launchPartitionBackfill"]
    if launched["__typename"] != "LaunchBackfillSuccess":
        raise StackError(f"the backfill was not launched: {launched}")
    _follow(
        lambda: ask(STATUS, id=launched["backfillId"])["partitionBackfillOrError"]["status"], ("COMPLETED_SUCCESS",), patience_s
    )
    return time.monotonic() - start


def run(run_id: str, *, patience_s: float) -> float:
    """Seconds until the run has succeeded."""
    start = time.monotonic()
    _follow(lambda: ask(RUN, id=run_id)["runOrError"]["status"], ("SUCCESS",), patience_s)
    return time.monotonic() - start


def _follow(status: Any, good: tuple[str, ...], patience_s: float) -> None:
    deadline = time.monotonic() + patience_s
    while (now := status()) not in good:
        if any(word in now for word in ("FAIL", "CANCEL")) or time.monotonic() > deadline:
            raise StackError(f"it is {now}, see {DAGSTER}/runs")
        time.sleep(2)
