"""Listeners whose key is revoked while they listen."""

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest
import uvloop
from litestar.exceptions import WebSocketDisconnect
from litestar.testing import TestClient

from serving.app import create_app
from serving.keys import KeyStore
from serving.security import CALLER, presented
from spx_assets.settings import load
from spx_assets.settings.serving import ServingSettings
from spx_assets_tests.unit.serving.sockets import EVENTS, WEBSOCKET, listening

SAID = b"the key is no longer valid"


@pytest.mark.parametrize(
    ("request_", "told"),
    [
        (EVENTS, b'event: dropped\ndata: {"reason": "the key is no longer valid"}'),
        (WEBSOCKET, b"\x03\xf0the key is no longer valid"),
    ],
    ids=["events", "websocket"],
)
def test_who_listens_is_told_and_cut_as_soon_as_the_key_is_revoked(tmp_path: Path, request_: str, told: bytes) -> None:
    keys = KeyStore(load(tmp_path / "home"))
    (first, secret), (_, other) = keys.create("a desk", "viewer"), keys.create("another", "viewer")

    def gate(app: Any) -> Any:
        async def named(scope: Any, receive: Any, send: Any) -> None:
            scope["state"][CALLER] = keys.holder(presented(scope["headers"]))
            await app(scope, receive, send)

        return named

    async def listen() -> None:
        async with listening(wrap=gate, heartbeat_s=60) as stream:
            stream.hub.opens = keys.opens
            ends, stays = [await stream.connect(request_, more=f"X-API-Key: {key}\r\n") for key in (secret, other)]
            await stream.until(lambda: stream.hub.listeners == 2)
            keys.revoke(first.id)
            began, found, loop = time.monotonic(), b"", asyncio.get_running_loop()
            while told not in found:
                found += (got := await asyncio.wait_for(loop.sock_recv(ends, 4096), 30))
                assert got, found
            assert time.monotonic() - began < 10.0  # long before the next heartbeat
            assert (stream.hub.listeners, stream.hub.dropped) == (1, 0)
            for client in (ends, stays):
                client.close()

    uvloop.run(listen())


def test_a_socket_of_the_service_in_production_ends_with_its_key(tmp_path: Path) -> None:
    settings = load(tmp_path / "home").model_copy(update={"serving": ServingSettings(mode="production")})
    keys = KeyStore(settings)
    key, secret = keys.create("a desk", "viewer")
    with (
        TestClient(create_app(settings)) as client,
        client.websocket_connect("/ws/market-stream", subprotocols=["spx", secret]) as socket,
    ):
        keys.revoke(key.id)
        with pytest.raises(WebSocketDisconnect) as ended:
            socket.receive_json(timeout=30)
    assert (ended.value.code, ended.value.detail) == (1008, SAID.decode())
