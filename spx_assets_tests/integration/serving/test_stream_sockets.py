"""New bars and forecasts over real sockets: a service that streams the simulated market, and those who listen."""

import asyncio
import json
import shutil
import socket
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus
from websockets.http11 import Response

from spx_assets_tests.integration.serving import homes
from spx_assets_tests.integration.serving.homes import Running

HEARTBEAT_S = 0.2
LISTENERS = 200
SPEED = {
    "SPX_STREAM__SOURCE": "simulator",
    "SPX_STREAM__SPEED": "600",  # ten bars a second
    "SPX_STREAM__HEARTBEAT_S": str(HEARTBEAT_S),
    "SPX_STREAM__FLUSH_S": "1",
}


@pytest.fixture(scope="module")
def streaming(market: tuple[Path, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The service of a copy of the simulated home, whose market goes on ten minutes a second."""
    home = tmp_path_factory.mktemp("streaming") / "home"
    shutil.copytree(market[0], home)
    homes.model(homes.settings_of(home))
    with homes.running(home, **SPEED, SPX_STREAM__BACKLOG="40") as service:
        yield service


def address(service: Running, query: str = "") -> str:
    return str(service.client.base_url).replace("http://", "ws://").rstrip("/") + f"/ws/market-stream{query}"


async def events(listener: ClientConnection, *, patience_s: float = 60.0, **enough: int) -> list[dict[str, Any]]:
    """What is heard until there are so many of each kind."""
    found, left = [], Counter(enough)
    async with asyncio.timeout(patience_s):
        while left.total() > 0:
            found.append(event := json.loads(await listener.recv()))
            left -= Counter([event["type"]])
    return found


def test_every_bar_comes_with_its_forecast_and_a_heartbeat_in_between(streaming: Running) -> None:
    async def listen() -> list[dict[str, Any]]:
        async with connect(address(streaming, "?instrument=SPX500_USD")) as listener:
            return await events(listener, bar=10, heartbeat=3)

    began = time.monotonic()
    heard = asyncio.run(listen())
    seconds = time.monotonic() - began
    bars = [event for event in heard if event["type"] == "bar"]
    forecasts = {event["forecast"]["timestamp"]: event["forecast"] for event in heard if event["type"] == "forecast"}
    assert [bar["timestamp"] for bar in bars] == sorted({bar["timestamp"] for bar in bars})
    assert {bar["timestamp"] for bar in bars[:-1]} <= forecasts.keys()
    assert all(forecasts[bar["timestamp"]]["predicted_price"] == pytest.approx(bar["close"], rel=0.05) for bar in bars[:-1])
    assert bars[0]["low"] <= bars[0]["close"] <= bars[0]["high"]
    assert bars[0]["provider"] == "simulator"
    assert 3 <= sum(event["type"] == "heartbeat" for event in heard) <= 1 + seconds / HEARTBEAT_S


def test_a_bar_that_was_heard_is_what_predict_answers_from(streaming: Running) -> None:
    async def listen() -> str:
        async with connect(address(streaming)) as listener:
            while (event := json.loads(await listener.recv()))["type"] != "bar":
                pass
            return str(event["timestamp"])

    heard = asyncio.run(listen())
    answer = streaming.predict()
    assert answer.status_code == 200
    assert answer.json()["timestamp"] >= heard
    assert answer.json()["feature_age_s"] == 0.0  # a played market stands at its last bar
    assert streaming.get("/health").json()["status"] == "healthy"


TOO_MANY = f"/ws/market-stream?{'&instrument=A' * 65}"


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [("/ws/nowhere", 404, "not_found"), ("/predict", 404, "not_found"), (TOO_MANY, 400, "bad_request")],
)
def test_a_socket_that_does_not_open_says_why(streaming: Running, path: str, status: int, code: str) -> None:
    url = str(streaming.client.base_url).replace("http://", "ws://").rstrip("/") + path

    async def refused() -> Response:
        with pytest.raises(InvalidStatus) as caught:
            await connect(url).__aenter__()
        return caught.value.response

    answer = asyncio.run(refused())
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert json.loads(answer.body)["code"] == code


def test_an_instrument_nobody_streams_is_only_heartbeats(streaming: Running) -> None:
    async def listen() -> list[dict[str, Any]]:
        async with connect(address(streaming, "?instrument=EUR_USD")) as listener:
            return await events(listener, heartbeat=3)

    assert {event["type"] for event in asyncio.run(listen())} == {"heartbeat"}  # over six bars of another


def test_two_hundred_listeners_hear_every_bar_beside_one_who_never_reads(streaming: Running) -> None:
    """The deaf one is cut off; nobody waits for it."""

    heard: list[list[str]] = []
    opened, newest = 0, ""

    async def listen(asked: asyncio.Event) -> None:
        """Until it has heard twelve bars since all were there, however long it took them to come, and the service was asked."""
        nonlocal opened, newest
        own: list[str] = []
        heard.append(own)
        async with connect(address(streaming), compression=None) as listener:
            opened += 1
            while len(own) < 12:
                event = json.loads(await listener.recv())
                if event["type"] == "bar" and opened < LISTENERS:
                    newest = max(newest, event["timestamp"])
                elif event["type"] == "bar" and event["timestamp"] > newest:
                    own.append(event["timestamp"])
            await asked.wait()

    async def crowd() -> list[float]:
        host, port = str(streaming.client.base_url).removeprefix("http://").rstrip("/").split(":")
        deaf = socket.create_connection((host, int(port)))
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.sendall(
            f"GET /ws/market-stream HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        asked, waits = asyncio.Event(), list[float]()
        async with asyncio.timeout(60), asyncio.TaskGroup() as listening:
            for _ in range(LISTENERS):
                listening.create_task(listen(asked))
            while min(map(len, heard), default=0) < 12:
                await asyncio.sleep(0.01)
            for _ in range(20):
                began = time.perf_counter()
                assert (await asyncio.to_thread(streaming.predict)).status_code == 200
                waits.append(time.perf_counter() - began)
            asked.set()
        deaf.close()
        return waits

    waits = asyncio.run(crowd())
    assert len(heard) == LISTENERS
    together = set.intersection(*(set(each) for each in heard))
    assert len(together) >= 5
    for each in heard:
        inside = [ts for ts in each if min(together) <= ts <= max(together)]
        assert inside == sorted(together)  # none misses a bar that the others heard
    assert sorted(waits)[10] < 2.0  # on a busy machine, too; who waited for the deaf one would wait until it is cut


def test_server_sent_events_are_the_same(streaming: Running) -> None:
    with streaming.client.stream("GET", "/market-stream", params={"instrument": "SPX500_USD"}) as answer:
        assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
        found: dict[str, dict[str, Any]] = {}
        kind = ""
        for line in answer.iter_lines():
            if line.startswith("event: "):
                kind = line.removeprefix("event: ")
            elif line.startswith("data: "):
                found.setdefault(kind, json.loads(line.removeprefix("data: ")))
            if len(found) == 3:
                break
    assert found.keys() == {"bar", "forecast", "heartbeat"}
    assert found["bar"]["instrument"] == found["forecast"]["instrument"] == "SPX500_USD"
