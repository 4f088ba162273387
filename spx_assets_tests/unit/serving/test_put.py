"""Vectors from a stream beside those from the lake: the newest bar answers, wherever it came from."""

from datetime import UTC, datetime, timedelta
from typing import Any, cast

import numpy as np
import pytest

from serving.problems import NO_LAKE
from serving.stream.redis_store import RedisStore
from serving.stream.shared import RedisOutlet
from serving.vectors import Vector, VectorStore
from spx_assets import SpxError
from spx_assets.features.online import NoBarsError
from spx_assets.features.readiness import NotReadyError
from spx_assets.lake import Lake
from spx_assets.settings import Settings
from spx_assets.sources.bindings import Feed
from spx_assets_tests import lakes

START = datetime(2025, 10, 15, 15, 0, tzinfo=UTC)


def feed(*, seed: int = 1, instrument: str = "SPX500_USD") -> Feed:
    """A market that stands at its start."""
    config = {"seed": seed, "end": START.isoformat()}
    return Feed(instrument=instrument, provider="simulator", live=False, config=config, bound_at=START)


def vector(minute: int, *, rows: int = 1, seed: int = 1) -> Vector:
    ts = START + timedelta(minutes=minute)
    stamps = np.arange(rows, dtype=np.int64)
    recent = np.zeros((rows, 2), np.float32)
    return Vector("SPX500_USD", ts, 6650.0, recent, stamps, ts + timedelta(minutes=1), binding=feed(seed=seed).binding)


@pytest.fixture
def store(settings: Settings) -> VectorStore:
    return VectorStore(settings, lambda: START)


@pytest.fixture
def looks(store: VectorStore, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Lets the store look at a lake that has this vector of the instrument, or says this of it."""

    def look(said: Vector | SpxError, *, seed: int = 1, others: SpxError | None = None, rows: int = 1) -> None:
        def newest(_: Lake, asked: Feed, *__: object, **___: object) -> Vector:
            answer = others if asked.instrument == "EUR_USD" else said
            if isinstance(answer, Vector):
                return answer
            assert answer is not None
            raise answer

        monkeypatch.setattr("serving.vectors.newest", newest)
        bound = [feed(seed=seed)] + ([feed(instrument="EUR_USD")] if others else [])
        store._make(cast(Lake, None), [(each, rows) for each in bound], 1)

    return look


def answering(store: VectorStore) -> Vector | None:
    return store.vectors.get("SPX500_USD")


def test_the_newer_bar_answers(store: VectorStore, looks: Any) -> None:
    old, new, newest = vector(1), vector(2), vector(3)
    looks(old)
    store.put(new)
    assert answering(store) is new
    store.release()
    looks(newest)
    assert answering(store) is newest


def test_of_one_bar_the_longer_vector_answers_then_the_streams(store: VectorStore, looks: Any) -> None:
    of_stream, of_lake, longer = vector(1), vector(1), vector(1, rows=60)
    store.put(of_stream)
    store.release()
    looks(of_lake)
    assert answering(store) is of_stream  # the same object as before: forecasts made of it are remembered
    looks(longer)
    assert answering(store) is longer


@pytest.mark.parametrize(
    ("bar", "lakes", "rows", "who"),
    [
        (3, 1, 60, "lake"),
        (7, 1, 60, "stream"),
        (3, 1, 59, "stream"),
        (361, 359, 60, "stream"),
        (359, 361, 1, "lake"),
    ],
    ids=["reaches", "too long ago", "reaches no further", "another trading day", "the newer bar"],
)
def test_where_the_worker_knows_of_no_model_of_60_bars_the_lakes_vector_answers(
    store: VectorStore, looks: Any, bar: int, lakes: int, rows: int, who: str
) -> None:
    streamed, of_lake = vector(bar), vector(lakes, rows=rows)
    store.put(streamed)
    looks(of_lake, rows=60)
    assert answering(store) is {"lake": of_lake, "stream": streamed}[who]
    known = vector(bar, rows=60)
    store.put(known)
    assert answering(store) is (known if bar > lakes else of_lake)


def test_a_streamed_vector_answers_where_the_lake_has_none(store: VectorStore, looks: Any) -> None:
    streamed = vector(1)
    store.put(streamed)
    looks(NotReadyError("bronze/candles hold older ones"), others=NoBarsError("no bars"))
    assert answering(store) is streamed
    assert store.failed == {"EUR_USD": "no bars"}


def test_a_lake_that_refuses_is_heard_once_no_stream_is_followed(store: VectorStore, looks: Any) -> None:
    refusal = NotReadyError("bronze/candles hold older ones")
    looks(refusal)
    streamed = vector(1)
    store.put(streamed)
    assert (answering(store), dict(store.failed)) == (streamed, {})
    store.release()  # the worker has ended or waits after a crash; the lake is asked anew
    assert answering(store) is streamed
    looks(refusal)
    assert (answering(store), dict(store.failed)) == (None, {"SPX500_USD": "bronze/candles hold older ones"})
    again = vector(2)
    store.put(again)
    assert (answering(store), dict(store.failed)) == (again, {})


def test_a_vector_of_a_market_that_is_no_longer_bound_does_not_answer(store: VectorStore, looks: Any) -> None:
    later, anew = vector(30), vector(1, seed=2)
    store.put(later)
    store.release()
    looks(anew, seed=2)
    assert answering(store) is anew
    looks(NotReadyError("bound anew"), seed=1)
    assert answering(store) is None  # given up, though its market is bound once more


def test_a_worker_that_does_not_know_of_a_new_binding_yet_is_not_believed(store: VectorStore, looks: Any) -> None:
    anew, streamed = vector(1, seed=2), vector(2, seed=2)
    store.put(vector(30))
    looks(anew, seed=2)
    assert answering(store) is anew
    store.put(vector(31))
    assert answering(store) is anew
    store.put(streamed)  # begins again with the new market
    assert answering(store) is streamed


def test_a_worker_that_knows_of_a_new_binding_first_is_believed_once_the_lake_says_so(store: VectorStore, looks: Any) -> None:
    looks(vector(30))
    streamed = vector(1, seed=2)
    store.put(streamed)
    looks(NotReadyError("bound anew"), seed=2)
    assert answering(store) is streamed


def test_an_older_bar_of_the_same_market_replaces_nothing(store: VectorStore) -> None:
    new = vector(2)
    store.put(new)
    store.put(vector(1))
    assert answering(store) is new
    store.release()
    store.put(vector(1))
    assert "SPX500_USD" not in store._followed  # what lags behind is not relied on
    made_again, other = vector(2, rows=60), vector(1, seed=2)
    store.put(made_again)
    assert answering(store) is made_again
    store.put(other)
    assert answering(store) is other


def test_what_is_withdrawn_answers_no_more_and_what_is_released_goes_on(store: VectorStore, looks: Any) -> None:
    of_lake, streamed = vector(1), vector(2)
    looks(of_lake)
    store.put(streamed)
    store.release()
    looks(of_lake)
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
    assert store.unreadable == NO_LAKE
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


def test_a_worker_stores_no_older_bar_for_others_either() -> None:
    staged: list[Vector] = []

    class Store:
        put = staged.append

    outlet = RedisOutlet(cast(RedisStore, Store()), lambda _: 1)
    new, made_again, other = vector(2), vector(2, rows=60), vector(1, seed=2)
    for each in (new, vector(1), made_again, other):
        outlet.put(each)
    assert staged == [new, made_again, other]
