"""The worker against real providers and real deaths: killed without warning, and beside a provider's own history."""

import dataclasses
import os
import re
import shutil
import threading
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import httpx
import polars as pl
import pytest
from pydantic import SecretStr

from serving import frames, journal
from serving.stream import feeding, keeper, modes
from serving.stream.lone import LakeOutlet
from serving.stream.modes import StreamBusyError, StreamError, StreamWorkersError
from serving.stream.worker import Worker
from serving.vectors import VectorStore
from spx_assets.features import batch
from spx_assets.lake import Chunks, Lake
from spx_assets.settings import OandaSettings, Settings, StreamSettings
from spx_assets.sources import bindings, feeds, history, official
from spx_assets_tests import lakes
from spx_assets_tests.integration.serving import homes
from spx_assets_tests.integration.serving.forks import forker
from spx_assets_tests.integration.serving.test_stream_replay import Watched
from spx_assets_tests.integration.sources import prices
from spx_assets_tests.integration.sources.provider import TOKEN

PRICED = ["ts", "open", "high", "low", "close", "bid_close", "ask_close", "spread", "volume", "known_at"]


def made(lake: Lake) -> None:
    """Candles and daily bars of every week the feed has."""
    homes.commit(lake, "bronze.candles", Chunks([feeds.candles(lake, feeds.weeks_with_rows(lake))]))
    homes.commit(lake, "silver.daily_bars", batch.daily_bars(homes.window(lake, "bronze.candles")))


@pytest.fixture
def streaming(fed: Path, tmp_path: Path) -> Settings:
    """A home with a simulated market, made, that streams as fast as it can."""
    found = homes.settings_of(Path(shutil.copytree(fed, tmp_path / "home")))
    return found.model_copy(update={"stream": StreamSettings(source="simulator", speed=0)})


def journalled(settings: Settings) -> list[datetime]:
    """Starts of the bars that the journal of a dead worker holds."""
    found = []
    for path in journal.paths(keeper.folder(settings)):
        found += [part for part in frames.scan(path.read_bytes()) if isinstance(part, frames.Frame)]
    return sorted(keeper.decode(part.payload).ts for part in found)


@pytest.mark.parametrize("rounds", [1, pytest.param(5, marks=pytest.mark.long)])
def test_no_bar_is_lost_or_doubled_when_the_worker_is_killed(streaming: Settings, tmp_path: Path, rounds: int) -> None:
    settings = streaming
    lake = Lake.open(settings)
    end = bindings.feeds(lake)["SPX500_USD"].end
    env = {**os.environ, "SPX_HOME": str(settings.home), "SPX_STREAM__FLUSH_S": "0.3", "SPX_SERVING__POLL_S": "0.05"}
    env |= {"SPX_SIMULATOR__DAYS": "5", "SPX_STREAM__SPEED": "1500"}
    for _ in range(rounds):
        worker = forker().fork(homes.STREAM, [], env=env, log=tmp_path / "worker.log")
        stored = lake.count("bronze.candles_live")
        # Some bars in the lake, further ones in the journal only.
        _until(lambda stored=stored: lake.count("bronze.candles_live") > stored and bool(journalled(settings)), patience_s=60.0)  # type: ignore[misc]
        worker.kill()
        worker.wait(60)
        left = journalled(settings)
        # The next worker comes the whole way: what it takes itself is one bar.
        Worker(settings, LakeOutlet()).run(bars=1)
        assert journal.paths(keeper.folder(settings)) == []
        feed = bindings.feeds(lake)["SPX500_USD"]
        rows = lake.read("bronze.candles_live")
        assert feed.end == rows["ts"][-1] + timedelta(minutes=1)
        assert set(left) <= set(rows["ts"].to_list())
        again = feeds.candles(lake, feeds.weeks_with_rows(lake)).frame.filter(pl.col("ts") >= end)
        assert rows.select(PRICED).equals(again.select(PRICED))


def test_while_the_lake_is_gone_a_stream_is_forecast_its_bars_wait_and_no_other_lake_is_made(streaming: Settings) -> None:
    homes.model(streaming)
    lake, answers = Lake.open(streaming), list[int]()
    end, folder = bindings.feeds(lake)["SPX500_USD"].end, streaming.home / "lake"
    lake.close()
    env = {"SPX_SIMULATOR__DAYS": "5", "SPX_STREAM__SOURCE": "simulator", "SPX_STREAM__SPEED": "1500"}

    def waiting(health: httpx.Response) -> int:
        """How many bars the lake was last said not to take; -1 once it takes them."""
        said = re.search(r"(\d+) new bars wait for the lake", " ".join(health.json()["problems"]))
        return int(said[1]) if said else -1

    with homes.running(streaming.home, SPX_STREAM__FLUSH_S="0.6", **env) as service:
        # Before the service has written to it, and after.
        for seen in (lambda: journalled(streaming), lambda: lake.count("bronze.candles_live")):
            _until(lambda seen=seen: bool(seen()))  # type: ignore[misc]
            lake.close()
            folder.rename(streaming.home / "away")
            assert waiting(service.until("/health", lambda health: waiting(health) > 20)) > 20
            answers.append(service.predict().status_code)
            assert not folder.exists()
            (streaming.home / "away").rename(folder)
            assert waiting(service.until("/health", lambda health: waiting(health) < 0)) == -1
    assert answers[0] == 200  # the second may be on the next trading day, whose news are in the lake
    rows = lake.read("bronze.candles_live")
    assert rows.height > 10
    again = feeds.candles(lake, feeds.weeks_with_rows(lake)).frame.filter(pl.col("ts") >= end)
    assert rows.select(PRICED).equals(again.select(PRICED))


def test_a_live_feed_follows_its_provider_and_its_streamed_bars_give_way_to_the_providers_own(tmp_path: Path) -> None:
    start = datetime(2025, 3, 4, 14, 0, tzinfo=UTC)
    clock = start + timedelta(hours=2)
    with prices.serving() as server:
        server.candles = prices.minutes(start, 120)
        where = {"url": server.url, "stream_url": server.url, "account": prices.ACCOUNT}
        settings = Settings(
            home=tmp_path / "home",
            oanda=OandaSettings(token=SecretStr(TOKEN), timeout_s=5.0, silence_s=30.0, **where),
            stream=StreamSettings(source="oanda", flush_s=0.05, grace_ms=0),
        )
        settings = settings.model_copy(update={"serving": settings.serving.model_copy(update={"poll_s": 0.05})})
        lake = lakes.fresh(settings)
        history.download(lake, provider="oanda", instrument="SPX500_USD", start=start, end=clock)
        made(lake)
        watched = Watched(VectorStore(settings, lambda: clock), clock)
        worker = Worker(settings, watched, now=lambda: clock)
        thread = threading.Thread(target=worker.run, daemon=True)
        thread.start()
        _until(lambda: getattr(worker._source, "heard_from", None) is not None)
        assert bindings.feeds(lake)["SPX500_USD"].live  # before a single bar has come
        for minute in range(4):
            clock = start + timedelta(minutes=120 + minute, seconds=10)
            server.price(clock, 5900.0 + minute, 5900.5 + minute)
            _until(server.stream.empty)
        _until(lambda: lake.count("bronze.candles_live") == 3)
        assert watched.vectors.vectors["SPX500_USD"].ts == start + timedelta(minutes=122)
        worker.stop()
        thread.join(60)
        assert lake.read("bronze.candles_live")["close"].to_list() == [5900.25, 5901.25, 5902.25]
        week = date(2025, 3, 2)
        assert feeds.candles(lake, [week]).frame["close"].to_list()[-4:] == [5759.5, 5900.25, 5901.25, 5902.25]

        # The next daily run asks the provider what those minutes were: of one there was no trade.
        server.candles |= prices.minutes(start + timedelta(minutes=120), 3, level=5899.0)
        del server.candles[start + timedelta(minutes=121)]
        (chunk,) = official.by_week(lake, [week])
        assert chunk.frame["close"].to_list()[-3:] == [5759.5, 5899.0, 5900.0]
        assert bindings.feeds(lake)["SPX500_USD"].live
        with pytest.raises(StreamError, match="could stream"):
            Worker(settings.model_copy(update={"stream": StreamSettings(source="replay")}), watched).run()
        asked = len(server.asked)
        list(official.by_week(lake, [week - timedelta(days=7)]))
        assert len(server.asked) == asked  # a week before the stream asks for nothing


def test_one_worker_streams_for_a_home_and_says_what_stands_against_it(streaming: Settings) -> None:
    settings = streaming
    watched = Watched(VectorStore(settings, lambda: datetime.now(UTC)), datetime.now(UTC))
    busy: list[str] = []

    class Nosy(Watched):
        def tell(self, bar: object) -> None:
            if not busy:
                with pytest.raises(StreamBusyError, match="another worker streams") as caught:
                    Worker(settings, watched).run()
                busy.append(str(caught.value))

    Worker(settings, Nosy(watched.vectors, watched.since)).run(bars=2)
    assert len(busy) == 1
    oanda = settings.model_copy(update={"stream": StreamSettings(source="oanda")})
    with pytest.raises(StreamError, match="import some history first"):
        Worker(oanda, watched).run()
    with pytest.raises(StreamError, match="NAS100_USD"):
        feeding.bound(Lake.open(settings), settings.model_copy(update={"stream": StreamSettings(instruments=("NAS100_USD",))}))


def test_a_worker_without_a_made_market_streams_bars_and_says_why_there_is_no_vector(tmp_path: Path) -> None:
    settings = homes.settings_of(tmp_path / "home").model_copy(update={"stream": StreamSettings(source="simulator", speed=0)})
    lake = lakes.fresh(settings)
    feeds.bind_simulator(lake, "SPX500_USD")

    class Unmade(Watched):
        def tell(self, bar: object) -> None:
            problems.append(worker.problems())

    problems: list[list[str]] = []
    watched = Unmade(VectorStore(settings, lambda: datetime.now(UTC)), datetime.now(UTC))
    worker = Worker(settings, watched)
    worker.run(bars=3)
    assert problems[0] == ["stream: SPX500_USD: SPX500_USD: no bar in bronze.candles; import its candles or materialise the week"]
    assert lake.count("bronze.candles_live") == 3
    assert watched.vectors.vectors == {}


def test_a_market_bound_anew_ends_the_stream_of_the_old_one(streaming: Settings) -> None:
    settings = streaming.model_copy(update={"serving": streaming.serving.model_copy(update={"poll_s": 0.02})})
    lake = Lake.open(settings)
    watched = Watched(VectorStore(settings, lambda: datetime.now(UTC)), datetime(2025, 1, 1, tzinfo=UTC))
    worker = Worker(settings, watched)
    thread = threading.Thread(target=worker.run, daemon=True)
    thread.start()
    _until(lambda: len(watched.bars) > 5)
    feed = bindings.feeds(lake)["SPX500_USD"]
    config = {name: value for name, value in feed.config.items() if not name.startswith("streamed")}
    anew = dataclasses.replace(feed, config={**config, "seed": 12345, "end": "2025-10-15T16:00:00+00:00"})
    bindings.write(lake, [anew])
    _until(lambda: "SPX500_USD" in watched.blank)
    _until(lambda: bool(lake.read("bronze.candles_live").height) and bindings.feeds(lake)["SPX500_USD"].streamed is not None)
    worker.stop()
    thread.join(60)
    rows = lake.read("bronze.candles_live")
    batch_rows = feeds.candles(lake, feeds.weeks_with_rows(lake)).frame.filter(pl.col("ts") >= anew.end)
    assert rows.select(PRICED).equals(batch_rows.select(PRICED))  # of the new market alone
    assert "bound or imported anew" in " ".join(worker.problems())


def test_several_processes_do_not_each_stream(settings: Settings) -> None:
    on = settings.model_copy(update={"stream": StreamSettings(source="simulator")})
    modes.require_one(on, 1)
    modes.require_one(settings, 4)
    with pytest.raises(StreamWorkersError, match="SPX_REDIS_URL"):
        modes.require_one(on, 2)
    modes.require_one(on.model_copy(update={"redis_url": SecretStr("redis://localhost:6379/0")}), 2)


def _until(holds: Callable[[], bool], *, patience_s: float = 60.0) -> None:
    deadline = time.monotonic() + patience_s
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)
