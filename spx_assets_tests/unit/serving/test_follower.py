"""A service beside a shared store that goes away, comes back without a value, or holds what is no vector."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import numpy as np
import pytest
from pydantic import SecretStr

from serving.health import report
from serving.model_store import INPUTS
from serving.service import Service
from serving.stream import redis_store
from serving.stream.follower import Follower
from serving.stream.redis_store import RedisDownError, Stored
from serving.vectors import Vector, VectorStore
from spx_assets.settings import Settings
from spx_assets.sources.bars import Bar

AT = datetime(2025, 10, 15, 15, 59, tzinfo=UTC)
NAMES = ("EUR_USD", "SPX500_USD")


def vector(instrument: str = "SPX500_USD", *, minute: int = 0) -> Vector:
    ts = AT + timedelta(minutes=minute)
    recent, stamps = np.zeros((1, len(INPUTS)), np.float32), np.zeros(1, np.int64)
    return Vector(instrument, ts, 6650.5, recent, stamps, ts + timedelta(minutes=1), binding="of a market")


def value(made: Vector, **changes: Any) -> bytes:
    """As a worker stored it just now."""
    stored = msgspec.msgpack.decode(redis_store.encode(made, ttl_s=900.0, now=datetime.now(UTC)), type=Stored)
    return msgspec.msgpack.encode(msgspec.structs.replace(stored, **changes))


@dataclass
class Shared:
    """What Redis holds, read as a value of Redis is. The connection breaks once everything was read."""

    values: dict[str, bytes]
    stop: threading.Event
    lives: bool = True
    where = "localhost:6379"

    def alive(self) -> bool:
        return self.lives

    def instruments(self) -> list[str]:
        return sorted(self.values)

    def get(self, instrument: str) -> Vector | None:
        return redis_store.decode(self.values.get(instrument), now=datetime.now(UTC))

    def heard(self) -> Iterator[Bar | None]:
        yield None
        self.stop.set()
        raise RedisDownError("Redis does not answer")


@pytest.fixture
def vectors(settings: Settings) -> VectorStore:
    return VectorStore(settings, lambda: AT)


@pytest.fixture
def follower(settings: Settings, vectors: VectorStore) -> Follower:
    return Follower(settings.model_copy(update={"redis_url": SecretStr("redis://localhost:6379/0")}), vectors, lambda _: None)


def connects(follower: Follower, lives: bool = True, /, **values: bytes) -> None:
    """Once, from the connection to its break, as its thread does."""
    follower._stop.clear()
    follower._store = Shared(values, follower._stop, lives)  # type: ignore[assignment]
    follower._follow()


@pytest.mark.parametrize("left", [{}, {"EUR_USD": b"of another release"}])
def test_what_redis_has_no_more_once_it_is_back_answers_no_more(
    follower: Follower, vectors: VectorStore, left: dict[str, bytes]
) -> None:
    connects(follower, **{name: value(vector(name)) for name in NAMES})
    kept = vectors.vectors["SPX500_USD"]
    assert sorted(vectors.vectors) == sorted(NAMES)
    connects(follower, **left, SPX500_USD=value(vector()))
    assert vectors.vectors == {"SPX500_USD": kept}  # the same object: forecasts made of it are remembered
    connects(follower, **left)
    assert vectors.vectors == {}


def test_what_redis_has_still_is_relied_on_again(
    follower: Follower, vectors: VectorStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    connects(follower, SPX500_USD=value(vector()))
    assert vectors._followed == set()  # it broke off
    monkeypatch.setattr(vectors, "release", lambda: None)
    connects(follower, SPX500_USD=value(vector()))
    assert vectors._followed == {"SPX500_USD"}


@pytest.mark.parametrize(
    "changes",
    [
        {"rows": 0},
        {"rows": 2},
        {"rows": -1},
        {"recent": b"\0" * 7},
        {"recent": b""},
        {"recent": b"\0" * 4},
        {"stamps": b"\0" * 9},
        {"stamps": b""},
        {"written_at": datetime(2025, 10, 15)},  # noqa: DTZ001
        {"ttl_s": float("nan")},
    ],
    ids=str,
)
def test_a_value_that_is_no_vector_is_absent_and_the_others_are_followed(
    follower: Follower, vectors: VectorStore, changes: dict[str, Any]
) -> None:
    connects(follower, EUR_USD=value(vector("EUR_USD"), **changes), SPX500_USD=value(vector()))
    assert list(vectors.vectors) == ["SPX500_USD"]


def test_what_a_silent_worker_left_is_relied_on_only_until_the_lake_has_as_much(
    follower: Follower, vectors: VectorStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = value(vector())
    connects(follower, SPX500_USD=left)
    follower._down = None  # the break behind it is not what this is about
    assert follower.problems() == []
    connects(follower, False, SPX500_USD=left)
    follower._down = None
    assert (list(vectors.vectors), vectors._followed) == (["SPX500_USD"], set())
    (problem,) = follower.problems()
    assert problem == "stream: no worker fills Redis at localhost:6379; start `spx stream`, answers go on from the lake"
    with monkeypatch.context() as connected:
        connected.setattr(vectors, "release", lambda: None)  # what the break does
        connects(follower, SPX500_USD=left)
    follower._down = None
    assert (follower.problems(), vectors._followed) == ([], {"SPX500_USD"})


def test_health_says_what_brings_new_bars(settings: Settings, follower: Follower) -> None:
    answering = Service(settings)
    assert report(answering).stream is None
    answering.stream.part = follower
    assert report(answering).stream == "a worker of its own, through Redis at localhost:6379"
