"""What tests ask of a running Dagster webserver: a range backfill that a daemon carries out, and the runs it knows.

Belongs here: GraphQL documents and what they answer. Does not: starting Dagster, which tests do in more than one way.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any

import httpx

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
query($key: AssetKeyInput!, $partitions: [String!]!) {
  assetNodeOrError(assetKey: $key) {
    ... on AssetNode {
      partitionStats { numMaterialized numFailed }
      latestMaterializationByPartition(partitions: $partitions) { runOrError { ... on Run { runId tags { key value } } } }
    }
  }
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


def ask(client: httpx.Client, query: str, **variables: Any) -> Any:
    answer = client.post("/graphql", json={"query": query, "variables": variables}).raise_for_status().json()
    assert "errors" not in answer, answer
    return answer["data"]


def launch(client: httpx.Client, weeks: Sequence[str]) -> str:
    """Ask for a backfill of `ASSETS` over these partitions; its id."""
    params = {"assetSelection": [{"path": path} for path in ASSETS], "partitionNames": list(weeks), "title": "smoke"}
    launched = ask(client, LAUNCH, params=params)["launchPartitionBackfill"]
    assert launched["__typename"] == "LaunchBackfillSuccess", launched
    return str(launched["backfillId"])


def made_by(client: httpx.Client, path: Sequence[str], weeks: Sequence[str]) -> tuple[dict[str, int], list[dict[str, str]]]:
    """Of an asset the numbers of its partitions, and the tags, run id among them, of the run that last made each of `weeks`."""
    node = ask(client, PARTITIONS, key={"path": list(path)}, partitions=list(weeks))["assetNodeOrError"]
    runs = [event["runOrError"] for event in node["latestMaterializationByPartition"] if event]
    return node["partitionStats"], [{tag["key"]: tag["value"] for tag in run["tags"]} | {"id": run["runId"]} for run in runs]


def until_green(client: httpx.Client, backfill: str, weeks: Sequence[str], said: Callable[[], str]) -> None:
    """Until this very backfill has made each of `weeks` of all `ASSETS`; `said` is what Dagster wrote meanwhile."""
    deadline, green = time.monotonic() + 150, ({"numMaterialized": len(weeks), "numFailed": 0}, [backfill] * len(weeks))
    while True:
        found = []
        for path in ASSETS:
            stats, runs = made_by(client, path, weeks)
            found.append((stats, [tags.get("dagster/backfill") for tags in runs]))
        if found == [green] * len(ASSETS):
            return
        # The daemon looks at a backfill every 30 s, so its status is asked for only while partitions are missing.
        status = ask(client, STATUS, id=backfill)["partitionBackfillOrError"]["status"]
        assert time.monotonic() < deadline, (found, status, said())
        assert status in ("REQUESTED", "COMPLETED_SUCCESS"), said()
        # Each look is four questions of 20 ms CPU and more: two a second cost the webserver 5 of its 12 CPU s.
        time.sleep(2.0)
