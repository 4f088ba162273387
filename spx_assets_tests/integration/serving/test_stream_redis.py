"""A worker of its own and services that share its stream through a real redis-server, which goes away and comes back."""

import asyncio
import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from websockets.asyncio.client import connect

from serving.keys import KeyStore
from serving.model_store import INPUTS
from serving.stream import redis_store
from serving.stream.redis_store import RedisStore
from serving.stream.shared import LOOK_S
from serving.vectors import Vector
from spx_assets.settings import Settings
from spx_assets_tests.integration.serving import homes
from spx_assets_tests.integration.serving.forks import forker
from spx_assets_tests.integration.serving.homes import Running
from spx_assets_tests.integration.serving.test_stream_sockets import address
from spx_assets_tests.redis_server import PASSWORD, RedisServer, redis_server

__all__ = ["redis_server"]


@contextmanager
def worker(home: Path, **environment: str) -> Iterator[None]:
    """`spx stream` of a home, five bars a second."""
    env = {**os.environ, "SPX_HOME": str(home), "SPX_STREAM__SPEED": "300", "SPX_STREAM__FLUSH_S": "0.5", **environment}
    process = forker().fork(homes.STREAM, [], env=env, log=home.parent / "worker.log")
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)


class Asking(threading.Thread):
    """Asks for one forecast after the other; remembers what it got."""

    def __init__(self, service: Running) -> None:
        super().__init__(daemon=True)
        self._service, self._stop_asking = service, threading.Event()
        self.answers: list[tuple[float, int, str]] = []

    def run(self) -> None:
        while not self._stop_asking.wait(0.05):
            answer = self._service.predict()
            self.answers.append((time.monotonic(), answer.status_code, answer.json().get("timestamp", answer.text)))

    def end(self) -> list[tuple[float, int, str]]:
        self._stop_asking.set()
        self.join()
        return self.answers


def problems(service: Running) -> str:
    return " ".join(service.get("/health").json()["problems"])


def moves(service: Running, *, patience_s: float = 60.0) -> str:
    """The first newer bar that a service answers from."""
    before = service.predict().json()["timestamp"]
    answer = service.until("/predict", lambda answer: answer.json().get("timestamp", "") > before, patience_s=patience_s)
    assert answer.json()["timestamp"] > before, answer.text
    return str(answer.json()["timestamp"])


def test_answers_go_on_while_redis_is_away_and_recover_when_it_is_back(own_home: Path, redis_server: RedisServer) -> None:
    homes.model(homes.settings_of(own_home))
    shared = {"SPX_REDIS_URL": redis_server.url}
    with (
        worker(own_home, **shared),
        homes.running(own_home, **shared) as one,
        homes.running(own_home, **shared) as other,
    ):
        for service in (one, other):
            moves(service)
            health = service.until("/health", lambda answer: answer.json()["status"] == "healthy").json()
            assert health["status"] == "healthy", health

        async def listen() -> dict[str, Any]:
            async with connect(address(other)) as listener:
                while (event := json.loads(await asyncio.wait_for(listener.recv(), 30)))["type"] != "forecast":
                    pass
                return dict(event["forecast"])

        assert asyncio.run(listen())["instrument"] == "SPX500_USD"

        asking = Asking(one)
        asking.start()
        redis_server.stop()
        away = one.until("/health", lambda answer: "does not answer" in " ".join(answer.json()["problems"])).json()
        assert away["status"] == "degraded"
        assert "does not answer" in " ".join(away["problems"])
        assert PASSWORD not in json.dumps(away)
        moves(one)  # through the lake, where the worker's bars arrive every half second
        redis_server.start()
        back = one.until("/health", lambda answer: answer.json()["status"] == "healthy").json()
        assert back["status"] == "healthy", back
        moves(one)
        moves(other)
        answers = asking.end()
        assert {status for _, status, _ in answers} == {200}, [text for _, status, text in answers if status != 200][:3]
        assert [ts for _, _, ts in answers] == sorted(ts for _, _, ts in answers)
    assert PASSWORD not in (own_home.parent / "worker.log").read_text()


@pytest.mark.long
def test_a_model_of_several_bars_that_is_loaded_by_hand_answers_at_once_and_of_every_bar(
    own_home: Path, redis_server: RedisServer
) -> None:
    settings = homes.settings_of(own_home)
    homes.model(settings, version="20251014T160000Z-0001", input_rows=20)
    homes.model(settings)
    _, key = KeyStore(settings).create("ops", "operator")
    shared = {"SPX_REDIS_URL": redis_server.url}
    with worker(own_home, **shared, SPX_STREAM__SPEED="60"), homes.running(own_home, **shared) as service:
        moves(service)
        version = {"version": "20251014T160000Z-0001"}
        loaded = service.client.post("/models/spx500_h30/load", json=version, headers={"x-api-key": key})
        assert loaded.status_code == 200
        asking = Asking(service)
        asking.start()
        moves(service)
        time.sleep(LOOK_S)  # the worker looks as often at what is served
        moves(service)
        answers = asking.end()
    assert {status for _, status, _ in answers} == {200}, [text for _, status, text in answers if status != 200][:3]
    assert len({ts for _, _, ts in answers}) > 5


@pytest.fixture
def store(redis_server: RedisServer, tmp_path: Path) -> RedisStore:
    return RedisStore(Settings(home=tmp_path / "home", redis_url=redis_server.url))  # type: ignore[arg-type]


def vector() -> Vector:
    at = datetime(2025, 10, 15, 15, 59, tzinfo=UTC)
    recent = np.arange(2 * len(INPUTS), dtype=np.float32).reshape(2, -1)
    recent[0, 3] = np.nan
    stamps = np.array([1760543880000000, 1760543940000000])
    return Vector("SPX500_USD", at, 6650.5, recent, stamps, at + timedelta(minutes=1), "news are old", "of a market")


def test_a_vector_comes_back_as_it_was_put(store: RedisStore) -> None:
    assert store.get("SPX500_USD") is None
    store.put(vector())
    found = store.get("SPX500_USD")
    assert found is not None
    assert (found.ts, found.close, found.clock, found.news) == (vector().ts, 6650.5, vector().clock, "news are old")
    assert found.binding == "of a market"
    assert found.recent.tobytes() == vector().recent.tobytes()
    assert found.stamps.tolist() == vector().stamps.tolist()
    assert store.instruments() == ["SPX500_USD"]
    store.forget("SPX500_USD")
    assert store.get("SPX500_USD") is None


def test_a_value_that_is_too_old_or_of_other_features_is_absent() -> None:
    now = datetime(2025, 10, 15, 16, 0, tzinfo=UTC)
    value = redis_store.encode(vector(), ttl_s=900.0, now=now)
    assert redis_store.decode(value, now=now + timedelta(seconds=900)) is not None
    assert redis_store.decode(value, now=now + timedelta(seconds=900.001)) is None  # though Redis may have kept it
    stored = msgspec.msgpack.decode(value, type=redis_store.Stored)
    for changed in ({"features": "of another release"}, {"schema": redis_store.SCHEMA + 1}):
        assert redis_store.decode(msgspec.msgpack.encode(msgspec.structs.replace(stored, **changed)), now=now) is None
    assert redis_store.decode(b"\x00 not a value", now=now) is None
