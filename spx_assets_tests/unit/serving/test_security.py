"""Who is let in: every route of the application, in both modes; what every answer carries; what is logged of whom."""

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from litestar import Litestar
from litestar.exceptions import WebSocketDisconnect
from litestar.routes import HTTPRoute, WebSocketRoute
from litestar.testing import TestClient

from serving import security
from serving.app import create_app
from serving.gate import OPEN
from serving.keys import KeyStore, Role
from spx_assets.settings import Settings, load
from spx_assets.settings.serving import RateSettings, ServingSettings, WebSettings

ROLES: tuple[Role, ...] = ("viewer", "operator", "admin")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return load(tmp_path_factory.mktemp("guarded") / "home")


@pytest.fixture(scope="module")
def keys(home: Settings) -> dict[str, str]:
    return {role: KeyStore(home).create(f"the {role}", role)[1] for role in ROLES}


def having(home: Settings, **changes: Any) -> Settings:
    return home.model_copy(update={"serving": ServingSettings(**changes)})


@pytest.fixture(scope="module")
def clients(home: Settings) -> Iterator[dict[str, TestClient[Any]]]:
    """One application a mode, without limits."""
    unlimited = RateSettings(per_key=0, per_address=0)
    with ExitStack() as stack:
        yield {
            mode: stack.enter_context(TestClient(create_app(having(home, mode=mode, rates=unlimited))))
            for mode in ("local", "production")
        }


@pytest.fixture
def local(clients: dict[str, TestClient[Any]]) -> TestClient[Any]:
    return clients["local"]


@pytest.fixture
def production(clients: dict[str, TestClient[Any]]) -> TestClient[Any]:
    return clients["production"]


def calls(app: Litestar) -> list[tuple[str, str]]:
    """(method, path) of everything that can be called, with something in the place of each parameter."""
    return sorted(
        (str(method), re.sub(r"\{[^}]+\}", "x", route.path))
        for route in app.routes
        if isinstance(route, HTTPRoute)
        for handler in route.route_handlers
        for method in handler.http_methods
        if method != "OPTIONS"
    )


def writes(client: TestClient[Any]) -> list[tuple[str, str]]:
    return [(method, path) for method, path in calls(client.app) if security.writes(method, path)]


def bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


def audited(home: Settings) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (home.home / "logs" / "audit.ndjson").read_text().splitlines()]


@pytest.mark.parametrize("mode", ["local", "production"])
def test_every_route_that_writes_asks_for_a_key_and_a_role_and_is_audited(
    clients: dict[str, TestClient[Any]], home: Settings, keys: dict[str, str], mode: str
) -> None:
    found = writes(clients[mode])
    assert {("POST", "/retrain"), ("POST", "/monitoring/drift/alert"), ("DELETE", "/models/x")} <= set(found)
    signing = {("POST", security.SIGN_IN), ("POST", security.SIGN_OUT)}  # what a browser does that has no key yet
    for method, path in set(found) - signing:
        wrong = [({}, 401, "unauthorized", None), (bearer("spx_00000000_" + "A" * 43), 401, "unauthorized", None)]
        for headers, status, code, who in [*wrong, (bearer(keys["viewer"]), 403, "forbidden", "the viewer")]:
            answer = clients[mode].request(method, path, headers=headers, content=b"{")
            assert (answer.status_code, answer.json()["code"]) == (status, code), (method, path)
            line = audited(home)[-1]
            assert (line["call"], line["status"], line["who"]) == (f"{method} {path}", status, who)


def test_nothing_but_forecasts_is_posted_to_without_being_a_write(local: TestClient[Any]) -> None:
    posted = {(method, path) for method, path in calls(local.app) if method != "GET"}
    assert posted - set(writes(local)) <= {("POST", f"/predict{part}") for part in ("", "/batch", "/matrix")}


def test_in_production_every_read_asks_for_a_key(production: TestClient[Any], keys: dict[str, str]) -> None:
    reads = [(method, path) for method, path in calls(production.app) if not security.writes(method, path)]
    assert {("GET", "/docs"), ("GET", "/metrics"), ("POST", "/predict"), ("GET", "/health")} <= set(reads)
    for method, path in [*reads, ("GET", "/nowhere"), ("OPTIONS", "/predict")]:
        answer = production.request(method, path)
        if path in OPEN:
            assert answer.status_code in (200, 503)
            continue
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized"), (method, path)
        assert answer.headers["www-authenticate"] == "Bearer"
        streams = answer.headers.get("content-type", "") == "text/event-stream" or "stream" in path
        if not streams:
            assert production.request(method, path, headers=bearer(keys["viewer"])).status_code != 401, (method, path)


def test_in_production_a_socket_asks_for_a_key(production: TestClient[Any]) -> None:
    for route in production.app.routes:
        if isinstance(route, WebSocketRoute):
            with pytest.raises(WebSocketDisconnect) as refused, production.websocket_connect(route.path):
                pass
            assert (refused.value.code, refused.value.detail) == (1008, "unauthorized"), route.path


def test_in_production_a_stranger_is_told_codes_and_a_holder_reasons(production: TestClient[Any], keys: dict[str, str]) -> None:
    bare = production.get("/health/ready").json()
    assert (bare["status"], bare["code"]) == (503, "not_ready")
    told = production.get("/health/ready", headers=bearer(keys["viewer"])).json()
    assert all(" " not in reason for reason in bare["reasons"])
    assert any(reason.startswith("no_model: no model is loaded; train one") for reason in told["reasons"])
    assert "no_model" in bare["reasons"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 200),
        ("GET", "/docs", 200),
        ("GET", "/docs/static/start.js", 200),
        ("GET", "/docs/openapi.json", 200),
        ("GET", "/health/live", 200),
        ("GET", "/metrics", 200),
        ("GET", "/health/ready", 503),
        ("GET", "/nowhere", 404),
        ("DELETE", "/predict", 405),
        ("POST", "/predict", 400),
        ("POST", "/retrain", 401),
        ("GET", "/predict", 405),
    ],
)
def test_every_kind_of_answer_carries_the_same_headers(local: TestClient[Any], method: str, path: str, status: int) -> None:
    answer = local.request(method, path)
    assert answer.status_code == status
    found = [(name, value) for name, value in answer.headers.multi_items() if name in HEADERS]
    assert sorted(name for name, _ in found) == sorted(HEADERS)
    told = dict(found)
    assert (told["x-content-type-options"], told["referrer-policy"]) == ("nosniff", "no-referrer")
    assert told["cross-origin-resource-policy"] == "same-origin"
    policy = told["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert "frame-ancestors 'none'" in policy
    assert ("script-src 'self'" in policy) == path.startswith("/docs")
    assert "unsafe-eval" not in policy
    assert not [name for name in answer.headers if name.startswith("access-control") or name == "strict-transport-security"]
    if status >= 400:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == status


HEADERS = ("x-content-type-options", "referrer-policy", "cross-origin-resource-policy", "content-security-policy")


def test_pages_of_named_origins_alone_may_read(home: Settings, keys: dict[str, str]) -> None:
    web = WebSettings(origins=("https://desk.example",), hsts_s=600)
    rates = RateSettings(per_key=0, per_address=0)
    with TestClient(create_app(having(home, mode="production", web=web, rates=rates))) as client:
        desk, other = {"origin": "https://desk.example"}, {"origin": "https://other.example"}
        asked = client.options("/retrain", headers={**desk, "access-control-request-method": "POST"})
        assert (asked.status_code, asked.headers["access-control-allow-origin"]) == (204, "https://desk.example")
        assert asked.headers["access-control-allow-headers"] == "authorization, content-type, x-api-key"
        refused = client.options("/retrain", headers={**other, "access-control-request-method": "POST"})
        assert (refused.status_code, "access-control-allow-origin" in refused.headers) == (401, False)
        for path, status in (("/", 200), ("/nowhere", 404)):
            answer = client.get(path, headers={**desk, **bearer(keys["viewer"])})
            assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (status, "https://desk.example")
            assert "retry-after" in answer.headers["access-control-expose-headers"]
            assert (answer.headers["vary"], answer.headers["strict-transport-security"]) == ("Origin", "max-age=600")
        assert client.get("/", headers=desk).headers["access-control-allow-origin"] == "https://desk.example"
        assert "access-control-allow-origin" not in client.get("/", headers={**other, **bearer(keys["viewer"])}).headers


def test_of_a_named_origin_only_what_a_browser_asks_first_needs_no_key_and_that_is_counted(
    home: Settings, keys: dict[str, str]
) -> None:
    web, rates = WebSettings(origins=("https://desk.example",)), RateSettings(per_key=0, per_address=0.01, burst_s=400)
    desk = {"origin": "https://desk.example"}
    with TestClient(create_app(having(home, mode="production", web=web, rates=rates))) as client:
        for path in ("/predict", "/nowhere"):  # anybody can name that origin
            answer = client.options(path, headers=desk)
            assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
        assert client.options("/predict", headers={**desk, **bearer(keys["viewer"])}).headers["allow"]
        first = {**desk, "access-control-request-method": "POST"}
        assert [client.options("/retrain", headers=first).status_code for _ in range(3)] == [204, 204, 429]


def test_rates_of_keys_and_of_addresses_are_counted_apart(home: Settings, keys: dict[str, str]) -> None:
    rates = RateSettings(per_key=0.01, per_address=0.005, burst_s=400)
    with TestClient(create_app(having(home, mode="production", rates=rates))) as client:
        for role in ("viewer", "operator"):
            answers = [client.get("/", headers=bearer(keys[role])) for _ in range(5)]
            assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 429]
            assert [answer.headers["ratelimit"].partition(";t=")[0] for answer in answers] == [
                f'"key";r={left}' for left in (3, 2, 1, 0, 0)
            ]
        late = answers[-1]
        assert (late.json()["code"], late.headers["content-type"]) == ("rate_limited", "application/problem+json")
        assert late.headers["ratelimit-policy"] == '"key";q=4;w=400'
        assert 98 <= int(late.headers["retry-after"]) <= 100
        # One address may try two keys, whatever it asks for; and the write that was one too many is in the log.
        assert [client.get("/", headers=bearer(f"spx_0000000{n}_" + "A" * 43)).status_code for n in range(3)] == [401, 401, 429]
        assert client.post("/retrain").status_code == 429
        assert client.get("/health/live").status_code == 429
        assert (audited(home)[-1]["call"], audited(home)[-1]["status"]) == ("POST /retrain", 429)
        assert client.post("/retrain", headers=bearer(keys["viewer"])).status_code == 429
        assert (audited(home)[-1]["who"], audited(home)[-1]["status"]) == ("the viewer", 429)


def test_production_has_rates_and_the_local_mode_none(home: Settings, keys: dict[str, str]) -> None:
    with TestClient(create_app(having(home, mode="production"))) as client:
        told = [client.get("/", headers=headers).headers["ratelimit-policy"] for headers in ({}, bearer(keys["viewer"]))]
    assert told == ['"address";q=40;w=2', '"key";q=1000;w=2']
    assert "ratelimit-policy" not in TestClient(create_app(home)).get("/").headers


def test_keys_that_cannot_be_read_close_production_and_leave_local_reads_open(
    clients: dict[str, TestClient[Any]], home: Settings, keys: dict[str, str]
) -> None:
    path = home.home / "keys" / "keys.json"
    whole = path.read_bytes()
    path.write_bytes(b"[{")
    try:
        answer = clients["production"].get("/", headers=bearer("spx_00000000_" + "B" * 43))
        assert (answer.status_code, answer.json()["code"]) == (503, "keys_unavailable")
        assert clients["local"].get("/", headers=bearer(keys["viewer"])).status_code == 200
        assert clients["local"].post("/retrain", headers=bearer("spx_00000000_" + "B" * 43)).json()["code"] == "keys_unavailable"
    finally:
        path.write_bytes(whole)


SOCKET = "/ws/market-stream"


def test_a_browser_names_its_key_among_the_protocols_of_a_socket(production: TestClient[Any], keys: dict[str, str]) -> None:
    with production.websocket_connect(SOCKET, subprotocols=["spx", keys["viewer"]]) as socket:
        assert socket.accepted_subprotocol == "spx"
        assert "spx_websockets_open 1.0" in production.get("/metrics", headers=bearer(keys["viewer"])).text
    with production.websocket_connect(SOCKET, headers=bearer(keys["viewer"])) as socket:
        assert socket.accepted_subprotocol is None
    wrong = ["spx", "spx_00000000_" + "A" * 43]
    with pytest.raises(WebSocketDisconnect) as refused, production.websocket_connect(SOCKET, subprotocols=wrong):
        pass
    assert (refused.value.code, refused.value.detail) == (1008, "unauthorized")


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost:9999"])
def test_a_strangers_page_on_this_machine_neither_posts_nor_listens(local: TestClient[Any], origin: str) -> None:
    answer = local.post("/predict", headers={"origin": origin}, json={"instrument": "SPX500_USD"})
    assert (answer.status_code, answer.json()["code"]) == (403, "foreign_origin")
    assert local.get("/", headers={"origin": origin}).status_code == 200
    with pytest.raises(WebSocketDisconnect) as refused, local.websocket_connect(SOCKET, headers={"origin": origin}):
        pass
    assert (refused.value.code, refused.value.detail) == (1008, "foreign_origin")


def test_pages_of_the_service_itself_and_programs_do(local: TestClient[Any]) -> None:
    for headers in ({}, {"host": "localhost:8000", "origin": "http://localhost:8000"}):
        assert local.post("/predict", headers=headers, json={"instrument": "SPX500_USD"}).json()["code"] != "foreign_origin"
        with local.websocket_connect(SOCKET, headers=headers) as socket:
            assert socket.accepted_subprotocol is None


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8000", 200),
        ("[::1]:8000", 200),
        ("localhost", 200),
        ("dev-box:8000", 200),
        ("box.local", 200),
        ("rebound.evil.example:8000", 421),
        ("127.0.0.1.evil.example", 421),
    ],
)
def test_a_public_name_that_points_here_opens_nothing_in_local_mode(
    local: TestClient[Any], production: TestClient[Any], keys: dict[str, str], host: str, status: int
) -> None:
    answer = local.get("/", headers={"host": host})
    assert (answer.status_code, answer.json().get("code")) == (status, "foreign_host" if status == 421 else None)
    assert production.get("/", headers={"host": host, **bearer(keys["viewer"])}).status_code == 200
