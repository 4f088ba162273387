"""POST /retrain: what Dagster is asked, and what is answered where it does not start a run."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from litestar.testing import TestClient

from serving.app import create_app
from serving.keys import KeyStore
from spx_assets.lake import Lake
from spx_assets.settings import Settings, load
from spx_assets.settings.serving import ServingSettings
from spx_assets.sources import feeds
from spx_assets_tests.unit.serving import dagster_server
from spx_assets_tests.unit.serving.dagster_server import FOUND, FakeDagster


@pytest.fixture(scope="module")
def dagster_process() -> Iterator[FakeDagster]:
    with dagster_server.running() as found:
        yield found


@pytest.fixture
def dagster(dagster_process: FakeDagster) -> FakeDagster:
    """The same server, as it was in the beginning."""
    dagster_process.__init__(dagster_process.url)  # type: ignore[misc]
    return dagster_process


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, dagster_process: FakeDagster) -> Settings:
    made = load(tmp_path_factory.mktemp("retrain") / "home")
    feeds.bind_simulator(Lake.open(made), "SPX500_USD")
    return made.model_copy(update={"serving": ServingSettings(dagster_url=f"{dagster_process.url}/", dagster_timeout_s=0.5)})


@pytest.fixture(scope="module")
def operator(home: Settings) -> dict[str, str]:
    return {"x-api-key": KeyStore(home).create("desk", "operator")[1]}


@pytest.fixture(scope="module")
def client(home: Settings) -> Iterator[TestClient[Any]]:
    with TestClient(create_app(home)) as client:
        yield client


def test_all_forecasters_are_trained_for_the_feeds_newest_week(
    client: TestClient[Any], dagster: FakeDagster, home: Settings, operator: dict[str, str]
) -> None:
    answer = client.post("/retrain", headers=operator)
    assert answer.status_code == 202
    body = answer.json()
    assert (body["run_id"], body["url"], body["job"]) == ("run-1", f"{dagster.url}/runs/run-1", "retrain")
    assert body["week"] == "2025-10-12"
    families = home.models.families
    assert body["assets"] == [f"models/spx500_h{h}/{last}" for h in (30, 60) for last in (*families, "champion")]
    looked, launched = (asked["variables"] for asked in dagster.asked)
    assert looked["filter"]["pipelineName"] == "retrain"
    assert set(looked["filter"]["statuses"]) == {"QUEUED", "NOT_STARTED", "STARTING", "STARTED", "CANCELING"}
    selector = {"jobName": "retrain", "repositoryName": "__repository__", "repositoryLocationName": "spx_assets"}
    assert launched["params"]["selector"] == selector
    tags = {tag["key"]: tag["value"] for tag in launched["params"]["executionMetadata"]["tags"]}
    assert tags["dagster/partition"] == "2025-10-12"
    assert tags["spx/asked_by"].endswith("(desk)")
    line = json.loads((home.home / "logs" / "audit.ndjson").read_text().splitlines()[-1])
    assert (line["call"], line["status"], line["who"], line["run"]) == ("POST /retrain", 202, "desk", "run-1")


def test_one_forecaster_and_some_families_are_trained_and_judged(
    client: TestClient[Any], dagster: FakeDagster, operator: dict[str, str]
) -> None:
    asked = {"name": "spx500_h60", "families": ["linear"]}
    assert client.post("/retrain", headers=operator, json=asked).json()["assets"] == [
        "models/spx500_h60/linear",
        "models/spx500_h60/champion",
    ]
    assert dagster.asked[-1]["variables"]["params"]["selector"]["assetSelection"] == [
        {"path": ["models", "spx500_h60", "linear"]},
        {"path": ["models", "spx500_h60", "champion"]},
    ]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"name": "spx500_h31"}, 404, "unknown_model"),
        ({"families": ["prophet"]}, 400, "bad_request"),
        ({"families": []}, 400, "bad_request"),
        ({"families": "linear"}, 400, "bad_request"),
        ({"week": "2025-10-12"}, 400, "bad_request"),
    ],
)
def test_what_the_graph_does_not_have_is_not_asked_for(
    client: TestClient[Any], dagster: FakeDagster, operator: dict[str, str], body: Any, status: int, code: str
) -> None:
    answer = client.post("/retrain", headers=operator, json=body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert dagster.asked == []


def test_while_a_training_goes_on_no_other_is_started(
    client: TestClient[Any], dagster: FakeDagster, operator: dict[str, str]
) -> None:
    dagster.found = FOUND | {"runsOrError": {"__typename": "Runs", "results": [{"runId": "run-0", "status": "STARTED"}]}}
    answer = client.post("/retrain", headers=operator)
    assert (answer.status_code, answer.json()["code"]) == (409, "retrain_running")
    assert f"run run-0 of retrain is STARTED; wait for it or end it at {dagster.url}/runs/run-0" in answer.json()["detail"]
    assert len(dagster.asked) == 1


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"status": 500, "raw": b"boom"}, "does not answer (HTTPStatusError"),
        ({"raw": b"<html>"}, "does not answer as Dagster's webserver does"),
        ({"raw": b"[]"}, "does not answer as Dagster's webserver does"),
        (
            {"raw": b'{"data": null, "errors": [{"message": "no such field"}]}'},
            "refused the question: [{'message': 'no such field'}]",
        ),
        ({"found": FOUND | {"repositoriesOrError": {"__typename": "RepositoryConnection", "nodes": []}}}, "has no job retrain"),
        ({"found": FOUND | {"repositoriesOrError": {"__typename": "PythonError", "message": "broken"}}}, "PythonError: broken"),
        ({"started": {"launchRun": {"__typename": "UnauthorizedError", "message": "read only"}}}, "UnauthorizedError: read only"),
        ({"delay_s": 0.7}, "does not answer (ReadTimeout"),
    ],
)
def test_a_dagster_that_does_not_start_it_is_named_with_its_reason(
    client: TestClient[Any], dagster: FakeDagster, operator: dict[str, str], changes: dict[str, Any], said: str
) -> None:
    for name, value in changes.items():
        setattr(dagster, name, value)
    answer = client.post("/retrain", headers=operator)
    assert (answer.status_code, answer.json()["code"]) == (503, "dagster_unavailable")
    assert f"Dagster at {dagster.url} " in answer.json()["detail"]
    assert said in answer.json()["detail"]
    assert "SPX_SERVING__DAGSTER_URL" in answer.json()["detail"]


def test_nobody_listening_is_said(home: Settings, operator: dict[str, str]) -> None:
    closed = home.model_copy(update={"serving": ServingSettings(dagster_url="http://127.0.0.1:9")})
    with TestClient(create_app(closed)) as client:
        answer = client.post("/retrain", headers=operator)
    assert (answer.status_code, answer.json()["code"]) == (503, "dagster_unavailable")
    assert "start it with `spx up`" in answer.json()["detail"]


def test_without_a_feed_there_is_nothing_to_learn_from(settings: Settings) -> None:
    Lake.open(settings).snapshot()
    _, key = KeyStore(settings).create("desk", "admin")
    with TestClient(create_app(settings)) as client:
        answer = client.post("/retrain", headers={"x-api-key": key})
    assert (answer.status_code, answer.json()["code"]) == (409, "nothing_to_learn")
