"""A hand-started `dagster dev` in the project's root: a range backfill through GraphQL, a training asked for over HTTP; seen
again from the command line.
"""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import httpx
import pytest
from litestar.testing import TestClient

from serving.app import create_app
from serving.keys import KeyStore
from spx_assets.automation import instance
from spx_assets.cli import processes
from spx_assets.lake import Lake
from spx_assets.partitions import key_of
from spx_assets.settings import Settings, load
from spx_assets.settings.serving import ServingSettings
from spx_assets.sources import feeds

ASSETS = (["bronze", "candles"], ["silver", "daily_bars"], ["gold", "labels"])
LAUNCH = """
mutation($params: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $params) {
    __typename
    ... on LaunchBackfillSuccess { backfillId }
    ... on PythonError { message }
  }
}"""
STATUS = "query($id: String!) { partitionBackfillOrError(backfillId: $id) { ... on PartitionBackfill { status } } }"
PARTITIONS = """
query($key: AssetKeyInput!) {
  assetNodeOrError(assetKey: $key) { ... on AssetNode { partitionStats { numMaterialized numFailed } } }
}"""
RUN = """
query($id: ID!) {
  runOrError(runId: $id) {
    ... on Run { jobName status tags { key value } assetSelection { path } repositoryOrigin { repositoryLocationName } }
  }
}"""
END = """
mutation($id: String!) { terminateRun(runId: $id, terminatePolicy: MARK_AS_CANCELED_IMMEDIATELY) { __typename } }
"""


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


def ask(client: httpx.Client, query: str, **variables: Any) -> Any:
    answer = client.post("/graphql", json={"query": query, "variables": variables}).raise_for_status().json()
    assert "errors" not in answer, answer
    return answer["data"]


def partitions(client: httpx.Client, path: list[str]) -> dict[str, int]:
    found: dict[str, int] = ask(client, PARTITIONS, key={"path": path})["assetNodeOrError"]["partitionStats"]
    return found


def test_a_range_backfill_through_graphql_turns_every_partition_green(settings: Settings) -> None:
    settings.home.mkdir(parents=True)
    (settings.home / "settings.env").write_text("SPX_SIMULATOR__DAYS=9\n")
    settings = load(settings.home)
    lake = Lake.open(settings)
    feeds.bind_simulator(lake, "SPX500_USD")
    weeks = feeds.weeks_with_rows(lake)
    assert len(weeks) == 3
    with dagster_dev(settings.home) as client:
        params = {
            "assetSelection": [{"path": path} for path in ASSETS],
            "partitionNames": [key_of(week) for week in weeks],
            "title": "smoke",
        }
        launched = ask(client, LAUNCH, params=params)["launchPartitionBackfill"]
        assert launched["__typename"] == "LaunchBackfillSuccess", launched
        # The daemon looks at a backfill every 30 s, so its status is asked for only while partitions are missing.
        deadline, green = time.monotonic() + 150, {"numMaterialized": 3, "numFailed": 0}
        while (found := [partitions(client, path) for path in ASSETS]) != [green] * len(ASSETS):
            status = ask(client, STATUS, id=launched["backfillId"])["partitionBackfillOrError"]["status"]
            said = (settings.home / "dev.log").read_text()[-4000:]
            assert time.monotonic() < deadline, (found, status, said)
            assert status in ("REQUESTED", "COMPLETED_SUCCESS"), said
            time.sleep(0.5)
        a_training_is_started_once(client, settings, week=key_of(weeks[-1]))
    assert lake.count("gold.labels") == 2 * lake.count("bronze.candles") > 0


def a_training_is_started_once(client: httpx.Client, settings: Settings, *, week: str) -> None:
    """POST /retrain of a service beside it: the run is Dagster's, and while it waits there is no other."""
    _, key = KeyStore(settings).create("desk", "operator")
    beside = settings.model_copy(update={"serving": ServingSettings(dagster_url=str(client.base_url))})
    asked = {"name": "spx500_h60", "families": ["linear"]}
    with TestClient(create_app(beside)) as service:
        answer = service.post("/retrain", headers={"x-api-key": key}, json=asked)
        again = service.post("/retrain", headers={"x-api-key": key})
    assert answer.status_code == 202, answer.text
    run_id = answer.json()["run_id"]
    assert answer.json()["url"] == f"{client.base_url}/runs/{run_id}".replace("//runs", "/runs")
    found = ask(client, RUN, id=run_id)["runOrError"]
    ask(client, END, id=run_id)
    assert (found["jobName"], found["repositoryOrigin"]["repositoryLocationName"]) == ("retrain", "spx_assets")
    assert found["status"] in ("QUEUED", "STARTING", "STARTED")
    assert sorted("/".join(key["path"]) for key in found["assetSelection"]) == [
        "models/spx500_h60/champion",
        "models/spx500_h60/linear",
    ]
    tags = {tag["key"]: tag["value"] for tag in found["tags"]}
    assert tags["dagster/partition"] == week
    assert tags["spx/asked_by"].endswith("(desk)")
    assert (again.status_code, again.json()["code"]) == (409, "retrain_running")
    assert f"run {run_id} of retrain" in again.json()["detail"]


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
