"""Which pages of which origins may read, post and listen."""

from typing import Any

import pytest
from litestar.exceptions import WebSocketDisconnect
from litestar.testing import TestClient

from serving.app import create_app
from spx_assets.settings import Settings
from spx_assets.settings.serving import RateSettings, WebSettings
from spx_assets_tests.unit.serving.secured import bearer, clients, having, home, keys, local, production

__all__ = ["clients", "home", "keys", "local", "production"]


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
        for path, status, vary in (("/", 200, "Accept, Origin"), ("/nowhere", 404, "Origin")):
            answer = client.get(path, headers={**desk, **bearer(keys["viewer"])})
            assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (status, "https://desk.example")
            assert "retry-after" in answer.headers["access-control-expose-headers"]
            assert (answer.headers["vary"], answer.headers["strict-transport-security"]) == (vary, "max-age=600")
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
