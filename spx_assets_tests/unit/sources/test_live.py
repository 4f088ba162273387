"""Streamed bars in the lake: stored once, with the feed's clock, behind what the provider's own history says."""

import dataclasses
import threading
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from spx_assets.lake import Lake
from spx_assets.settings import Settings, SimulatorSettings
from spx_assets.sources import bindings, feeds, live, market_replay
from spx_assets.sources.bars import Bar
from spx_assets_tests import lakes

WEEK = date(2019, 1, 6)
START = datetime(2019, 1, 7, 14, tzinfo=UTC)


def csv(path: Path, minutes: list[int], *, level: float = 2500.0) -> Path:
    rows = [f"{(START + timedelta(minutes=m)).isoformat()},{level + m},{level + m},{level + m},{level + m}" for m in minutes]
    path.write_text("\n".join(["ts,open,high,low,close", *rows]))
    return path


def bars(lake: Lake, minutes: list[int], *, level: float = 3000.0) -> list[Bar]:
    feed = bindings.feeds(lake)["SPX500_USD"]
    return [
        Bar(
            instrument="SPX500_USD",
            ts=START + timedelta(minutes=m),
            provider=feed.provider,
            binding=feed.binding,
            open=level + m,
            high=level + m,
            low=level + m,
            close=level + m,
            volume=1.0,
            known_at=START + timedelta(minutes=m + 1, milliseconds=300),
            bid_size=5.0,
        )
        for m in minutes
    ]


@pytest.fixture
def lake(settings: Settings, tmp_path: Path) -> Lake:
    """A feed of minutes 0 to 4."""
    made = lakes.fresh(settings)
    feeds.import_file(made, csv(tmp_path / "first.csv", [0, 1, 2, 3, 4]), instrument="SPX500_USD", tz="UTC")
    return made


def closes(lake: Lake) -> list[tuple[int, float]]:
    frame = feeds.candles(lake, [WEEK]).frame
    return [(int((row[0] - START) / timedelta(minutes=1)), row[1]) for row in frame.select("ts", "close").iter_rows()]


def test_a_bar_given_twice_is_stored_once_and_the_clock_moves_with_it(lake: Lake) -> None:
    assert live.store(lake, bars(lake, [5, 6])) == 2
    assert live.store(lake, bars(lake, [5, 6, 7])) == 1  # a worker that was killed gives again what its journal holds
    stored = lake.read("bronze.candles_live")
    assert stored["close"].to_list() == [3005.0, 3006.0, 3007.0]
    assert stored["known_at"][0] == START + timedelta(minutes=6, milliseconds=300)
    assert stored["bid_size"].to_list() == [5.0, 5.0, 5.0]
    feed = bindings.feeds(lake)["SPX500_USD"]
    assert (feed.end, feed.own_end) == (START + timedelta(minutes=8), START + timedelta(minutes=5))
    assert feeds.clocks(lake) == {"SPX500_USD": START + timedelta(minutes=8)}


def test_streamed_bars_fill_what_the_history_does_not_cover_and_give_way_where_it_does(lake: Lake, tmp_path: Path) -> None:
    before = feeds.fingerprints(lake, [WEEK])
    live.store(lake, bars(lake, [5, 6, 8, 9]))
    assert closes(lake)[4:] == [(4, 2504.0), (5, 3005.0), (6, 3006.0), (8, 3008.0), (9, 3009.0)]
    streamed = feeds.fingerprints(lake, [WEEK])
    assert streamed != before
    # The provider's own rows of minutes 5 to 8: another price, a minute that did not trade, one that the stream missed.
    feeds.import_file(lake, csv(tmp_path / "later.csv", [5, 7, 8], level=2600.0), instrument="SPX500_USD", tz="UTC")
    assert closes(lake)[4:] == [(4, 2504.0), (5, 2605.0), (7, 2607.0), (8, 2608.0), (9, 3009.0)]
    assert feeds.fingerprints(lake, [WEEK]) not in (before, streamed)
    assert bindings.feeds(lake)["SPX500_USD"].end == START + timedelta(minutes=10)
    rows = feeds.candles(lake, [WEEK]).frame
    assert rows["source"].to_list()[-1] == "files:stream"
    assert rows["known_at"].to_list()[-1] == START + timedelta(minutes=10, milliseconds=300)


def test_a_stream_of_a_feed_that_was_replaced_is_forgotten(lake: Lake, tmp_path: Path) -> None:
    old = bars(lake, [5, 6, 7, 8])
    live.store(lake, old[:3])
    feeds.import_file(lake, csv(tmp_path / "other.csv", [0, 1, 2], level=100.0), instrument="SPX500_USD", tz="UTC", replace=True)
    assert closes(lake) == [(0, 100.0), (1, 101.0), (2, 102.0)]
    assert live.store(lake, old[3:]) == 0  # of the other market
    assert live.store(lake, bars(lake, [3], level=200.0)) == 1
    assert lake.read("bronze.candles_live")["close"].to_list() == [203.0]
    assert closes(lake)[-1] == (3, 203.0)


def test_weeks_of_the_stream_are_weeks_of_the_feed(lake: Lake) -> None:
    assert feeds.weeks_with_rows(lake) == [WEEK]
    later = bars(lake, [5, 7 * 1440])
    live.store(lake, later)
    assert feeds.weeks_with_rows(lake, instrument="SPX500_USD") == [WEEK, WEEK + timedelta(days=7)]


def test_the_simulator_streams_what_a_batch_would_make_and_its_clock_does_not_go_back(settings: Settings) -> None:
    made = lakes.fresh(settings.model_copy(update={"simulator": SimulatorSettings(days=5)}))
    feed = feeds.bind_simulator(made)
    source = market_replay.SimulatedBars([feed], speed=0)
    stream = source.bars(threading.Event())
    taken = [next(stream) for _ in range(330)]  # over the daily break: from 12:00 to 17:00 and from 18:00 on
    assert (taken[0].ts, taken[-1].ts) == (feed.end, datetime(2025, 10, 15, 22, 29, tzinfo=UTC))
    live.store(made, taken)
    moved = bindings.feeds(made)["SPX500_USD"]
    assert moved.end == taken[-1].end
    batch = feeds.candles(made, [date(2025, 10, 12)]).frame.filter(pl.col("ts") >= feed.end)
    assert batch.height == 330
    names = ["ts", "open", "high", "low", "close", "bid_close", "ask_close", "spread", "volume", "known_at"]
    streamed = pl.DataFrame([{name: getattr(bar, name) for name in names} for bar in taken], schema_overrides=batch.schema)
    assert batch.select(names).equals(streamed.select(names))
    assert feeds.bind_simulator(made).end == moved.end
    other = made.settings.model_copy(update={"simulator": SimulatorSettings(days=5, seed=8)})
    assert feeds.bind_simulator(Lake.open(other)).end == feed.end


def test_a_binding_stays_the_same_while_its_feed_is_only_extended(lake: Lake, tmp_path: Path) -> None:
    before = bindings.feeds(lake)["SPX500_USD"]
    live.store(lake, bars(lake, [5]))
    feeds.import_file(lake, csv(tmp_path / "more.csv", [6, 7]), instrument="SPX500_USD", tz="UTC")
    after = bindings.feeds(lake)["SPX500_USD"]
    assert after.binding == before.binding
    assert after.streamed is not None
    assert dataclasses.replace(after, provider="oanda").binding != before.binding
