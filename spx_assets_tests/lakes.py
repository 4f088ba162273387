"""Rows and worker processes for tests of the lake.

Belongs here: small candle frames and what test processes do with them. Does not: assertions.
"""

import multiprocessing
import random
import sqlite3
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from functools import cache
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from spx_assets import calendar
from spx_assets.lake import Chunk, Lake
from spx_assets.lake.records import PartitionRecord
from spx_assets.settings import Settings

WEEKS = tuple(calendar.week_range(date(2019, 1, 6), date(2019, 2, 24)))
CONTEXT = multiprocessing.get_context("forkserver")
# What backfills need is loaded once for all processes that run them: 3 CPU s.
CONTEXT.set_forkserver_preload(
    [
        "spx_assets_tests.lakes",
        "spx_assets_tests.preloaded",
        "spx_assets.automation.backfill",
        "spx_assets.automation.instance",
    ]
)


def fresh(settings: Settings) -> Lake:
    """A new lake on a SQLite catalog, copied from one that was made once in this process: its 45 tables take 0.2 s of CPU."""
    place(settings)
    return Lake.open(settings)


def place(settings: Settings) -> None:
    """Give the home the catalog of a new lake, for whoever opens it first."""
    catalog = settings.home / "lake" / "catalog.sqlite"
    catalog.parent.mkdir(parents=True)
    catalog.write_bytes(_new_catalog())


@cache
def _new_catalog() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        Lake.open(Settings(home=Path(folder))).close()
        # Read through SQLite, which also finds what its write-ahead log still holds.
        with closing(sqlite3.connect(Path(folder) / "lake" / "catalog.sqlite")) as made:
            return made.serialize()


def candles(
    weeks: Sequence[date], *, level: float = 2500.0, bars: int = 120, instruments: Sequence[str] = ("SPX500_USD",)
) -> pl.DataFrame:
    """Bars of the contract `bronze.candles` from each week's open on; `level` marks whose rows they are."""
    frames = []
    for instrument in instruments:
        for week in weeks:
            start, _ = calendar.week_window(week)
            stamps = [start + timedelta(minutes=i) for i in range(bars)]
            price = level + np.arange(bars) * 0.25
            frames.append(
                pl.DataFrame(
                    {
                        "instrument": [instrument] * bars,
                        "ts": pl.Series(stamps, dtype=pl.Datetime("us", "UTC")),
                        "open": price,
                        "high": price + 1,
                        "low": price - 1,
                        "close": price,
                        "bid_close": price - 0.25,
                        "ask_close": pl.Series([None if i % 7 == 0 else p + 0.25 for i, p in enumerate(price)], dtype=pl.Float64),
                        "spread": pl.Series([None if i % 7 == 0 else 0.5 for i in range(bars)], dtype=pl.Float64),
                        "volume": [float(i) for i in range(bars)],
                        "source": ["test"] * bars,
                    }
                )
            )
    frame = pl.concat(frames)
    frame = frame.with_columns(
        trading_day=calendar.trading_day_expr(pl.col("ts")), known_at=pl.col("ts") + pl.duration(minutes=1)
    )
    return frame.select("instrument", "ts", "trading_day", pl.exclude("instrument", "ts", "trading_day"))


def replace(
    lake: Lake, weeks: Sequence[date], *, table: str = "bronze.candles", run_id: str = "test", **rows: Any
) -> list[PartitionRecord]:
    """Replace `weeks` of the candles with rows made by `candles`."""
    return lake.replace(
        table,
        Chunk(tuple(weeks), candles(weeks, **rows)),
        asset=table.replace(".", "/"),
        run_id=run_id,
        read_snapshot=lake.snapshot(),
        inputs_hashes=dict.fromkeys(weeks, "inputs"),
    )


def promotion(n: int, writer: str = "flusher") -> pl.DataFrame:
    """One row of `models.promotions`."""
    from spx_assets.lake.tables import PROMOTIONS

    known: dict[str, Any] = {
        "model_name": writer,
        "version": f"v{n:06d}",
        "decided_at": datetime(2026, 1, 1, tzinfo=UTC),
        "effective_at": datetime(2026, 1, 1, tzinfo=UTC),
        "week": WEEKS[0],
        "direction_ok": True,
        "return_ok": False,
        "moves_current": False,
        "rank": 1,
        "tests": n,
    }
    row = {c.name: [known.get(c.name, None if c.nullable else "x")] for c in PROMOTIONS.columns}
    return pl.DataFrame(row, schema=PROMOTIONS.schema())


def keep_replacing(settings: Settings, seed: int, warm: Event, stop: Event, out: Any) -> None:
    """Replace two random weeks at a time until told to stop; puts (replacements since warm, error or None)."""
    rng, done, lake = random.Random(seed), 0, Lake.open(settings)
    try:
        while not stop.is_set():
            weeks = sorted(rng.sample(WEEKS, 2))
            replace(lake, weeks, level=1000.0 * seed + done, run_id=f"writer {seed}")
            done += 1
            warm.set()
    except Exception as error:
        warm.set()
        out.put((done, repr(error)))
        raise
    out.put((done, None))


def keep_backfilling(settings: Settings, names: Sequence[str], warm: Event, stop: Event, out: Any) -> None:
    """`spx backfill NAMES --force` again and again until told to stop; puts (weeks made by each since warm, error or None)."""
    from spx_assets.cli import runs

    made: list[dict[str, int]] = []
    try:
        with runs.backfill(settings) as plan:
            plan.run(names, force=True)
            warm.set()
            while not (made and stop.is_set()):
                made.append(plan.run(names, force=True))
    except Exception as error:
        warm.set()
        out.put((made, repr(error)))
        raise
    out.put((made, None))


def replace_until_killed(settings: Settings, warm: Event) -> None:
    """Replace all weeks again and again with one of two contents."""
    lake, turn = Lake.open(settings), 0
    while True:
        replace(lake, WEEKS, level=3000.0 + turn % 2, bars=400, run_id="killed")
        turn += 1
        if turn == 2:
            warm.set()


def replace_once(settings: Settings, week: date, level: float, ready: Any, out: Any) -> None:
    """Open the lake, wait for the others, replace one week."""
    lake = Lake.open(settings)
    lake.snapshot()
    ready.wait(30)
    try:
        replace(lake, [week], level=level)
        out.put(None)
    except Exception as error:
        out.put(repr(error))
        raise


def keep_appending(settings: Settings, every_s: float, warm: Event, stop: Event, out: Any) -> None:
    """Append one promotion every `every_s` until told to stop; puts the seconds each append took."""
    lake, waits = Lake.open(settings), []
    lake.append("models.promotions", promotion(0))
    warm.set()
    n = 1
    while not stop.is_set():
        began = time.monotonic()
        lake.append("models.promotions", promotion(n))
        waits.append(time.monotonic() - began)
        n += 1
        time.sleep(max(0.0, every_s - (time.monotonic() - began)))
    out.put(waits)


def hold_lock(settings: Settings, seconds: float, held: Event) -> None:
    """Hold the lock of the candles."""
    from spx_assets.lake import locks
    from spx_assets.lake.location import Location

    with locks.hold(Location.of(settings), ["bronze.candles"], purpose="a long compaction"):
        held.set()
        time.sleep(seconds)
