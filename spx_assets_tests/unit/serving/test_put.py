"""Vectors from a stream beside those from the lake: the newest bar answers, wherever it came from."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from serving.vectors import Vector, VectorStore
from spx_assets.lake import Lake
from spx_assets.settings import Settings
from spx_assets_tests import lakes

START = datetime(2025, 10, 15, 15, 0, tzinfo=UTC)


def vector(minute: int, *, rows: int = 1) -> Vector:
    ts = START + timedelta(minutes=minute)
    stamps = np.arange(rows, dtype=np.int64)
    return Vector("SPX500_USD", ts, 6650.0, np.zeros((rows, 2), np.float32), stamps, ts + timedelta(minutes=1))


@pytest.fixture
def store(settings: Settings) -> VectorStore:
    return VectorStore(settings, lambda: START)


def made_of_the_lake(store: VectorStore, *vectors: Vector, failed: Mapping[str, str] | None = None) -> None:
    store._made, store.failed = {each.instrument: each for each in vectors}, dict(failed or {})
    store._merge()


def answering(store: VectorStore) -> Vector | None:
    return store.vectors.get("SPX500_USD")


def test_the_newer_bar_answers(store: VectorStore) -> None:
    old, new, newest = vector(1), vector(2), vector(3)
    made_of_the_lake(store, old)
    store.put(new)
    assert answering(store) is new
    made_of_the_lake(store, newest)
    assert answering(store) is newest


def test_of_one_bar_the_longer_vector_answers_then_the_streams(store: VectorStore) -> None:
    of_stream, of_lake, longer = vector(1), vector(1), vector(1, rows=60)
    store.put(of_stream)
    made_of_the_lake(store, of_lake)
    assert answering(store) is of_stream  # the same object as before: forecasts made of it are remembered
    made_of_the_lake(store, longer)
    assert answering(store) is longer


def test_a_streamed_vector_answers_where_the_lake_has_none(store: VectorStore) -> None:
    streamed = vector(1)
    store.put(streamed)
    made_of_the_lake(store, failed={"SPX500_USD": "bronze/candles hold older ones", "EUR_USD": "no bars"})
    assert answering(store) is streamed
    assert store.failed == {"EUR_USD": "no bars"}


def test_what_is_withdrawn_answers_no_more_and_what_is_released_goes_on(store: VectorStore) -> None:
    of_lake, streamed = vector(1), vector(2)
    made_of_the_lake(store, of_lake)
    store.put(streamed)
    store.release()
    assert answering(store) is streamed
    store.withdraw("SPX500_USD")
    assert answering(store) is of_lake


def test_a_read_that_failed_is_made_again_though_the_snapshot_is_the_same(
    store: VectorStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake, reads = lakes.fresh(store._settings), list[int]()

    def bound(_: Lake) -> dict[str, object]:
        reads.append(lake.snapshot())
        if len(reads) == 2:
            raise OSError("a disk that was away")
        return {}

    monkeypatch.setattr("serving.vectors.feeds.feeds", bound)
    store.refresh({})
    store.put(vector(1))
    store.release()
    store.refresh({})
    assert store.unreadable == "a disk that was away"
    store.refresh({})
    assert len(reads) == 3
    store.refresh({})
    assert len(reads) == 3
    lake.close()


def test_a_model_that_looks_at_more_bars_has_the_vector_made_again(store: VectorStore) -> None:
    asked: list[tuple[str, int]] = []
    store.put(vector(1))
    assert not store._reaches("SPX500_USD", 60)  # of a stream elsewhere: the lake has to make it
    store.remake = lambda instrument, rows: asked.append((instrument, rows))
    assert store._reaches("SPX500_USD", 60)
    assert asked == [("SPX500_USD", 60)]
