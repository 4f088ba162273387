"""A worker that says in a real Redis that it lives, until it ends or falls silent."""

import time
from pathlib import Path

import pytest

from serving.stream import redis_store
from serving.stream.redis_store import RedisStore
from serving.stream.shared import RedisOutlet
from spx_assets.settings import Settings
from spx_assets_tests.integration.serving.test_stream_redis import vector
from spx_assets_tests.redis_server import RedisServer, redis_server

__all__ = ["redis_server"]


def test_a_worker_lives_while_it_says_so(redis_server: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = RedisStore(Settings(home=tmp_path / "home", redis_url=redis_server.url))
    outlet = RedisOutlet(store, lambda _: 1)
    assert not store.alive()
    outlet.put(vector())
    assert store.alive()
    outlet.release()  # an orderly end
    assert not store.alive()
    outlet.look()
    assert store.alive()
    monkeypatch.setattr(redis_store, "SILENCE_S", 0.2)
    outlet.look()
    time.sleep(0.4)  # it was killed
    assert not store.alive()
    assert store.get("SPX500_USD") is not None
