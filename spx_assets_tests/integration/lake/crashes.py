"""The kill -9 proof, shared by the short and the long suite."""

import random
import time
from datetime import date

from spx_assets.lake import Lake, hashing, tables
from spx_assets.lake.records import newest
from spx_assets.settings import Settings
from spx_assets_tests import lakes


def hashes_of(lake: Lake) -> dict[date, str]:
    """The content hash of every week of the candles as they lie in the lake."""
    frame, bounds = hashing.by_week(tables.CANDLES, lake.read("bronze.candles"), lakes.WEEKS)
    return hashing.week_hashes(tables.CANDLES, frame, bounds)


def kill_and_rerun(settings: Settings, times: int, seed: int = 7) -> None:
    """Kill a warm writer at random moments: the lake holds the old weeks or the new, and a re-run makes the expected ones."""
    lake, rng = Lake.open(settings), random.Random(seed)
    expected = {}
    for level in (3000.0, 3001.0):
        lakes.replace(lake, lakes.WEEKS, level=level, bars=400)
        expected[level] = hashes_of(lake)
    assert expected[3000.0] != expected[3001.0]
    for _ in range(times):
        warm = lakes.CONTEXT.Event()
        writer = lakes.CONTEXT.Process(target=lakes.replace_until_killed, args=(settings, warm), daemon=True)
        writer.start()
        while not warm.wait(0.02):
            assert writer.is_alive(), "the writer ended before it was warm"
        time.sleep(rng.uniform(0.0, 0.25))
        writer.kill()
        writer.join()
        left = hashes_of(lake)
        assert left in expected.values()
        assert {week: record.content_hash for week, record in newest(lake, "bronze.candles", "bronze/candles").items()} == left
        again = rng.choice((3000.0, 3001.0))
        lakes.replace(lake, lakes.WEEKS, level=again, bars=400)
        assert hashes_of(lake) == expected[again]
    assert lake.count("bronze.candles") == 400 * len(lakes.WEEKS)
