"""POST /api/stream/{sentiment}: articles in the drop folder for those who hold an operator's key, and nobody else."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from litestar.testing import TestClient

from serving.app import create_app
from serving.keys import KeyStore, Role
from spx_assets.lake import Lake
from spx_assets.settings import Settings, load
from spx_assets.sources import bindings, feeds, news_drop
from spx_assets_tests.unit.sources.candle_files import CSV, written


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    made = load(tmp_path_factory.mktemp("stream") / "home")
    feeds.bind_simulator(Lake.open(made), "SPX500_USD")
    return made


@pytest.fixture(scope="module")
def client(home: Settings) -> Iterator[TestClient[Any]]:
    with TestClient(create_app(home)) as client:
        yield client


@pytest.fixture(scope="module")
def keys(home: Settings) -> dict[Role, str]:
    store = KeyStore(home)
    return {role: store.create(f"the {role}", role)[1] for role in ("viewer", "operator", "admin")}


def bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


def audited(home: Settings) -> dict[str, Any]:
    """The newest line of the audit log."""
    text = (home.home / "logs" / "audit.ndjson").read_text()
    line: dict[str, Any] = json.loads(text.splitlines()[-1])
    return line


def files(home: Settings) -> list[str]:
    return [path.name for path in news_drop.waiting(news_drop.folder(home))]


def test_an_operator_orders_articles_that_the_newest_bar_will_know(
    client: TestClient[Any], home: Settings, keys: dict[Role, str]
) -> None:
    answer = client.post("/api/stream/negative", headers=bearer(keys["operator"]), json={"count": 3})
    assert answer.status_code == 202
    body = answer.json()
    assert body["job"] == "news_online"
    assert [article["known_at"] for article in body["articles"]] == [
        "2025-10-15T15:55:40Z",
        "2025-10-15T15:57:20Z",
        "2025-10-15T15:59:00Z",
    ]
    assert len({article["article_id"] for article in body["articles"]}) == 3
    lines = (news_drop.folder(home) / body["file"]).read_text().splitlines()
    assert [json.loads(line)["title"] for line in lines] == [article["title"] for article in body["articles"]]
    line = audited(home)
    assert (line["who"], line["role"], line["status"], line["call"]) == (
        "the operator",
        "operator",
        202,
        "POST /api/stream/negative",
    )
    assert (line["sentiment"], line["count"], line["file"]) == ("negative", 3, body["file"])


def test_a_title_of_ones_own_and_no_body_at_all(client: TestClient[Any], keys: dict[Role, str]) -> None:
    own = client.post("/api/stream/neutral", headers={"x-api-key": keys["admin"]}, json={"title": "<b>Fed</b> holds"})
    assert [article["title"] for article in own.json()["articles"]] == ["<b>Fed</b> holds"]
    custom = client.post("/api/stream/custom", headers=bearer(keys["operator"]), json={"title": "Fed holds", "count": 2})
    assert [article["title"] for article in custom.json()["articles"]] == ["Fed holds (1)", "Fed holds (2)"]
    bare = client.post("/api/stream/positive", headers=bearer(keys["operator"]))
    assert (bare.status_code, len(bare.json()["articles"])) == (202, 1)


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({}, 401, "unauthorized"),
        ({"authorization": "Bearer"}, 401, "unauthorized"),
        ({"authorization": "Basic abc"}, 401, "unauthorized"),
        ({"x-api-key": "spx_00000000_" + "A" * 43}, 401, "unauthorized"),
        ("viewer", 403, "forbidden"),
    ],
)
def test_others_are_turned_away_before_their_body_is_read(
    client: TestClient[Any], home: Settings, keys: dict[Role, str], headers: Any, status: int, code: str
) -> None:
    before = files(home)
    given = bearer(keys[headers]) if isinstance(headers, str) else headers
    answer: httpx.Response = client.post("/api/stream/negative", headers=given, content=b"{")
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers.get("www-authenticate") == ("Bearer" if status == 401 else None)
    assert files(home) == before
    line = audited(home)
    assert (line["who"], line["status"]) == ("the viewer" if status == 403 else None, status)


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("angry", {}, 400, "bad_request"),
        ("custom", {}, 400, "bad_request"),
        ("custom", {"title": " "}, 400, "bad_request"),
        ("negative", {"count": 0}, 400, "bad_request"),
        ("negative", {"count": 101}, 400, "bad_request"),
        ("negative", {"count": "5"}, 400, "bad_request"),
        ("negative", {"title": ""}, 400, "bad_request"),
        ("negative", {"tone": 1}, 400, "bad_request"),
        ("negative", {"instrument": "EUR_USD"}, 404, "unknown_instrument"),
    ],
)
def test_what_is_no_order_is_refused(
    client: TestClient[Any], home: Settings, keys: dict[Role, str], path: str, body: Any, status: int, code: str
) -> None:
    before = files(home)
    answer = client.post(f"/api/stream/{path}", headers=bearer(keys["operator"]), json=body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert (audited(home)["status"], files(home)) == (status, before)


def test_neither_the_log_nor_an_answer_holds_a_key(
    client: TestClient[Any], home: Settings, keys: dict[Role, str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    said = "".join(client.post("/api/stream/angry", headers=bearer(key)).text for key in keys.values())
    said += (home.home / "logs" / "audit.ndjson").read_text() + caplog.text
    assert not [role for role, key in keys.items() if key in said or key[13:] in said]


def test_a_market_that_is_real_hears_no_made_up_news(settings: Settings) -> None:
    lake = Lake.open(settings)
    feeds.bind_simulator(lake, "NAS100_USD")
    path = written(settings.home, "own.csv", CSV)
    feeds.import_file(lake, path, instrument="SPX500_USD", tz="UTC")
    assert {feed.provider for feed in bindings.feeds(lake).values()} == {"simulator", "files"}
    _, key = KeyStore(settings).create("ops", "operator")
    with TestClient(create_app(settings)) as client:
        answer = client.post("/api/stream/negative", headers=bearer(key))
    assert (answer.status_code, answer.json()["code"]) == (409, "not_simulated")
    assert files(settings) == []
