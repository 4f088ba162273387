"""Many processes on one lake: no errors, no duplicates, nobody starves."""

import math
import time
from collections import Counter
from collections.abc import Sequence
from datetime import date
from multiprocessing.synchronize import Event
from typing import Any

import polars as pl
import pytest

from spx_assets import calendar
from spx_assets.lake import Lake, hashing, tables
from spx_assets.lake.errors import LakeBusyError
from spx_assets.lake.records import newest
from spx_assets.settings import Settings, SimulatorSettings
from spx_assets.sources import feeds
from spx_assets_tests import lakes


def _start(target: Any, *args: Any) -> Any:
    process = lakes.CONTEXT.Process(target=target, args=args, daemon=True)
    process.start()
    return process


def _wait(warm: Sequence[Event], processes: Sequence[Any], timeout_s: float = 120.0) -> None:
    """Until every process has written once; fails at once if one dies."""
    end = time.monotonic() + timeout_s
    while not all(event.is_set() for event in warm):
        assert all(process.is_alive() for process in processes), "a process ended before it was warm"
        assert time.monotonic() < end
        time.sleep(0.02)


def assert_whole(frame: pl.DataFrame, weeks: int | None = None, bars: int = 120) -> None:
    """Every week there is has all rows of exactly one writer, once."""
    levels: dict[date, set[float]] = {}
    for week, ts_rows in (
        frame.with_columns(week=calendar.week_expr(pl.col("trading_day"))).partition_by("week", as_dict=True).items()
    ):
        assert ts_rows.height == bars, f"{week} has {ts_rows.height} rows"
        assert ts_rows["ts"].n_unique() == bars
        levels[week[0]] = set((ts_rows["close"] - pl.Series([i * 0.25 for i in range(bars)])).round(6))
    assert all(len(found) == 1 for found in levels.values()), levels
    assert weeks is None or len(levels) == weeks


def test_four_processes_replace_partitions_of_one_table_while_a_reader_sees_only_whole_weeks(made_settings: Settings) -> None:
    Lake.open(made_settings).ensure("bronze.candles")
    lake, out, stop, reads = Lake.open(made_settings, read_only=True), lakes.CONTEXT.Queue(), lakes.CONTEXT.Event(), 0
    warm = [lakes.CONTEXT.Event() for _ in range(4)]
    writers = [_start(lakes.keep_replacing, made_settings, seed, warm[seed - 1], stop, out) for seed in (1, 2, 3, 4)]
    _wait(warm, writers)
    began = time.monotonic()
    while reads < 10 or time.monotonic() - began < 2.0:
        assert_whole(lake.read("bronze.candles"))
        reads += 1
    stop.set()
    results = [out.get(timeout=60) for _ in writers]
    assert [error for _, error in results] == [None] * 4
    assert sum(done for done, _ in results) >= 8
    frame = lake.read("bronze.candles")
    assert_whole(frame)
    grouped, bounds = hashing.by_week(tables.CANDLES, frame, lakes.WEEKS)
    hashes = hashing.week_hashes(tables.CANDLES, grouped, bounds)
    recorded = newest(lake, "bronze.candles", "bronze/candles")
    assert {week: record.content_hash for week, record in recorded.items()} == {week: hashes[week] for week in recorded}


def test_two_first_writes_of_one_new_partition_leave_the_rows_of_one(made_settings: Settings) -> None:
    lake = Lake.open(made_settings)
    lake.ensure("bronze.candles")
    out = lakes.CONTEXT.Queue()
    for week in lakes.WEEKS[:2]:
        ready = lakes.CONTEXT.Barrier(2)
        both = [_start(lakes.replace_once, made_settings, week, level, ready, out) for level in (1000.0, 2000.0)]
        assert [out.get(timeout=60) for _ in both] == [None, None]
        for process in both:
            process.join(30)
    assert_whole(lake.read("bronze.candles"), weeks=2)
    runs = lake.sql("SELECT week, count(*) AS n FROM bronze.candles_partitions GROUP BY week")
    assert set(runs["n"]) == {2}


def test_a_flusher_beside_four_forced_backfills_is_never_starved(made_settings: Settings) -> None:
    settings = made_settings.model_copy(update={"simulator": SimulatorSettings(days=6)})
    lake = Lake.open(settings)
    feeds.bind_simulator(lake, "SPX500_USD")
    weeks = len(feeds.weeks_with_rows(lake))
    out, waits, stop = lakes.CONTEXT.Queue(), lakes.CONTEXT.Queue(), lakes.CONTEXT.Event()
    warm = [lakes.CONTEXT.Event() for _ in range(5)]
    backfills = [_start(lakes.keep_backfilling, settings, ["bronze/candles"], event, stop, out) for event in warm[:4]]
    flusher = _start(lakes.keep_appending, settings, 0.1, warm[4], stop, waits)
    _wait(warm, [*backfills, flusher])
    # Open until the flusher has had some turns, however slow the machine: one that starves is seen by its waits.
    began, flushed = time.monotonic(), lake.count("models.promotions")
    while lake.count("models.promotions") < flushed + 10 and time.monotonic() - began < 60.0:
        time.sleep(0.2)
    stop.set()
    waited = sorted(waits.get(timeout=120))
    results = [out.get(timeout=60) for _ in backfills]
    for process in (flusher, *backfills):
        process.join(30)
    assert [error for _, error in results] == [None] * 4
    assert all(made == {"bronze/candles": weeks} for done, _ in results for made in done)
    assert len(waited) >= 10
    assert waited[math.ceil(0.99 * len(waited)) - 1] <= 5.0
    assert lake.read("models.promotions")["version"].to_list() == [f"v{n:06d}" for n in range(len(waited) + 1)]
    runs = lake.sql("SELECT count(DISTINCT run_id) AS n FROM bronze.candles_partitions").item()
    assert runs == sum(len(done) + 1 for done, _ in results) >= 8


def test_waiting_too_long_for_a_lock_names_its_holder(made_settings: Settings) -> None:
    hurried = made_settings.model_copy(update={"lake": made_settings.lake.model_copy(update={"lock_timeout_s": 0.3})})
    lake = Lake.open(hurried)
    lakes.replace(lake, lakes.WEEKS[:1])
    held = lakes.CONTEXT.Event()
    holder = _start(lakes.hold_lock, made_settings, 30.0, held)
    assert held.wait(60)
    began = time.monotonic()
    with pytest.raises(LakeBusyError, match=rf"a long compaction \(pid {holder.pid} on .*SPX_LAKE__LOCK_TIMEOUT_S"):
        lakes.replace(lake, lakes.WEEKS[:1], level=1.0)
    assert time.monotonic() - began < 5.0
    holder.kill()
    holder.join()
    # A killed holder frees its lock.
    lakes.replace(lake, lakes.WEEKS[:1], level=2.0)
    assert lake.read("bronze.candles")["close"][0] == 2.0


def test_records_count_every_replacement_once(lake: Lake) -> None:
    for level in (1.0, 2.0, 3.0):
        lakes.replace(lake, lakes.WEEKS[:2], level=level)
    counted = Counter(lake.sql("SELECT week FROM bronze.candles_partitions")["week"].to_list())
    assert counted == {lakes.WEEKS[0]: 3, lakes.WEEKS[1]: 3}
