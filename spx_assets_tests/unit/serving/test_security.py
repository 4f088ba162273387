"""Who is let in: every route of the application, in both modes; what every answer carries; what is logged of whom."""

from typing import Any

import pytest
from litestar.exceptions import WebSocketDisconnect
from litestar.routes import WebSocketRoute
from litestar.testing import TestClient

from serving import security
from serving.app import create_app
from serving.gate import OPEN
from spx_assets.settings import Settings
from spx_assets.settings.serving import RateSettings
from spx_assets_tests.unit.serving.secured import audited, bearer, calls, clients, having, home, keys, local, production, writes

__all__ = ["clients", "home", "keys", "local", "production"]


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
    posted = {(method, path) for method, path in calls(local.app) if method not in ("GET", "HEAD")}
    assert posted - set(writes(local)) <= {("POST", f"/predict{part}") for part in ("", "/batch", "/matrix")}


def test_in_production_every_read_asks_for_a_key(production: TestClient[Any], keys: dict[str, str]) -> None:
    reads = [(method, path) for method, path in calls(production.app) if not security.writes(method, path)]
    assert {("GET", "/docs"), ("GET", "/metrics"), ("POST", "/predict"), ("GET", "/health")} <= set(reads)
    for method, path in [*reads, ("GET", "/nowhere"), ("OPTIONS", "/predict")]:
        answer = production.request(method, path)
        if path in OPEN:
            assert answer.status_code in (200, 503)
            continue
        assert answer.status_code == 401, (method, path)
        assert method == "HEAD" or answer.json()["code"] == "unauthorized", (method, path)
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


def test_a_batch_counts_as_the_requests_that_it_holds(home: Settings, keys: dict[str, str]) -> None:
    def ask(requests: int) -> tuple[int, str]:
        body = {"requests": [{"instrument": "SPX500_USD"}] * requests}
        answer = client.post("/predict/batch", json=body, headers=bearer(keys["viewer"]))
        return answer.status_code, answer.headers["ratelimit"].partition(";t=")[0]

    with TestClient(create_app(having(home, mode="production", rates=RateSettings(per_key=0.01, burst_s=1000)))) as client:
        assert [ask(4), ask(1), ask(6)] == [(200, '"key";r=6'), (200, '"key";r=5'), (429, '"key";r=0')]
    with TestClient(create_app(having(home, mode="production", rates=RateSettings(per_key=0.01, burst_s=400)))) as client:
        assert [ask(100), ask(1)] == [(200, '"key";r=0'), (429, '"key";r=0')]  # more than may ever come at once: all of it


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
