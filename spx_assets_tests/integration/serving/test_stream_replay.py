"""A day of real candles replayed at full speed: each served vector is the row that a batch run makes of the same bar."""

import shutil
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from serving.model_store import INPUTS
from serving.stream.worker import Worker
from serving.vectors import Vector, VectorStore
from spx_assets.calendar import ONE_MINUTE
from spx_assets.features import batch
from spx_assets.lake import Chunks, Lake
from spx_assets.scoring.sequences import F32
from spx_assets.settings import Settings, StreamSettings
from spx_assets.sources import bindings, feeds
from spx_assets.sources.bars import Bar
from spx_assets_tests import lakes
from spx_assets_tests.integration.serving import homes

FIRST = datetime(2019, 3, 3, 22, tzinfo=UTC)
"""The week before, over New York's clock change of 10 March 2019."""
CUT = datetime(2019, 3, 12, 19, 30, tzinfo=UTC)
END = datetime(2019, 3, 13, 21, tzinfo=UTC)
"""The stream takes the last minutes of one trading day and all of the next, 13 March."""
ROWS = 3


@dataclass
class Watched:
    """The service's vectors, and each that was put there."""

    vectors: VectorStore
    since: datetime
    seen: dict[datetime, Vector] = field(default_factory=dict)
    bars: list[Bar] = field(default_factory=list)
    blank: list[str] = field(default_factory=list)

    def rows(self, _: str) -> int:
        return ROWS

    def put(self, vector: Vector) -> None:
        self.vectors.put(vector)
        if vector.ts >= self.since:  # the one before was made of the lake when the worker began
            self.seen[vector.ts] = vector

    def tell(self, bar: Bar) -> None:
        self.bars.append(bar)
        made = self.vectors.vectors.get("SPX500_USD")
        assert made is None or made.ts == bar.ts  # who is told of a bar finds its vector, never an older one

    def withdraw(self, instrument: str) -> None:
        self.vectors.withdraw(instrument)
        self.blank.append(instrument)

    def release(self) -> None:
        self.vectors.release()

    def look(self) -> None:
        pass

    def problems(self) -> list[str]:
        return []


def daily_run(lake: Lake) -> pl.DataFrame:
    """Candles to gold of every week, as a run makes them; the model inputs."""
    homes.commit(lake, "bronze.candles", Chunks([feeds.candles(lake, feeds.weeks_with_rows(lake))]))
    homes.commit(lake, "silver.daily_bars", batch.daily_bars(homes.window(lake, "bronze.candles")))
    return homes.model_inputs(lake)


def over_its_socket(home: Path, replayed: Path, *, bars: int) -> dict[datetime, F32]:
    """What GET /features of a service that replays those candles says, of so many bars."""
    found: dict[datetime, F32] = {}
    stream = {"SPX_STREAM__SOURCE": "replay", "SPX_STREAM__REPLAY": str(replayed), "SPX_STREAM__SPEED": "1800"}
    last = f"{CUT - ONE_MINUTE:%Y-%m-%dT%H:%M:%SZ}"
    with homes.running(home, **stream) as service:
        for _ in range(bars):
            said = service.until("/features/SPX500_USD", lambda answer, last=last: answer.json()["timestamp"] > last).json()
            assert said["timestamp"] > last
            last = said["timestamp"]
            found[datetime.fromisoformat(last)] = np.array([said["features"][name] for name in INPUTS], np.float32)
    return found


def test_every_vector_of_a_replayed_day_is_its_batch_row_to_the_bit(shared_data: Path, tmp_path: Path) -> None:
    candles = pl.read_parquet(next((shared_data / "candles").glob("spx500usd_m1_2018_2019h1*")))
    ts = next(name for name in candles.columns if isinstance(candles.schema[name], pl.Datetime))
    past, replayed = tmp_path / "past.parquet", tmp_path / "day.parquet"
    candles.filter(pl.col(ts).is_between(FIRST, CUT, closed="left")).write_parquet(past)
    candles.filter(pl.col(ts).is_between(CUT, END, closed="left")).write_parquet(replayed)
    stream = StreamSettings(source="replay", speed=0, replay=str(replayed), flush_s=2)
    settings = Settings(home=tmp_path / "home", stream=stream)
    settings = settings.model_copy(update={"serving": settings.serving.model_copy(update={"poll_s": 0.1})})
    lake = lakes.fresh(settings)
    feeds.import_file(lake, past, instrument="SPX500_USD", tz="UTC")
    homes.commit(lake, "bronze.candles", Chunks([feeds.candles(lake, feeds.weeks_with_rows(lake))]))
    homes.commit(lake, "silver.daily_bars", batch.daily_bars(homes.window(lake, "bronze.candles")))
    lake.close()
    told = over_its_socket(Path(shutil.copytree(settings.home, tmp_path / "served")), replayed, bars=30)

    watched = Watched(VectorStore(settings, lambda: END), CUT)
    worker = Worker(settings, watched)
    worker.run()
    expected = candles.filter(pl.col(ts).is_between(CUT, END, closed="left")).height
    assert expected > 1200
    assert (len(watched.bars), len(watched.seen), watched.blank) == (expected, expected, [])

    # Stored once each, with the feed's clock; the next run takes them where no file says what there was.
    assert lake.count("bronze.candles_live") == expected
    assert bindings.feeds(lake)["SPX500_USD"].end == watched.bars[-1].end
    rows = daily_run(lake).filter(pl.col("ts") >= CUT)
    assert rows["ts"].to_list() == list(watched.seen)
    assert rows["trading_day"].unique().sort().to_list() == [date(2019, 3, 12), date(2019, 3, 13)]
    served = np.stack([vector.recent[-1] for vector in watched.seen.values()])
    assert served.tobytes() == rows.select(INPUTS).to_numpy().astype(np.float32).tobytes()
    assert {ts: row.tobytes() for ts, row in told.items()} == {ts: watched.seen[ts].recent[-1].tobytes() for ts in told}
    # The rows before it in its trading day are those of the bars before it.
    last = watched.seen[watched.bars[-1].ts]
    assert last.recent.tobytes() == served[-ROWS:].tobytes()
    opened = next(vector for vector in watched.seen.values() if vector.ts >= datetime(2019, 3, 12, 21, tzinfo=UTC))
    assert len(opened.recent) == 1

    # A service that starts now makes the same vector of the lake alone.
    store = VectorStore(settings, lambda: END)
    store.refresh({"SPX500_USD": ROWS})
    assert store.failed == {}
    assert store.vectors["SPX500_USD"].recent.tobytes() == last.recent.tobytes()


@pytest.mark.parametrize("made_since", [True, pytest.param(False, marks=pytest.mark.long)])
def test_a_worker_goes_on_where_another_ended_with_the_same_numbers(tmp_path: Path, made_since: bool) -> None:
    """Two workers, one after the other: `made_since` with a daily run between them."""
    stream = StreamSettings(source="simulator", speed=0, flush_s=0.2)
    settings = homes.settings_of(tmp_path / "home").model_copy(update={"stream": stream})
    lake = lakes.fresh(settings)
    feed = feeds.bind_simulator(lake, "SPX500_USD", end=datetime(2025, 10, 15, 20, 50, tzinfo=UTC))
    homes.commit(lake, "bronze.candles", Chunks([feeds.candles(lake, feeds.weeks_with_rows(lake))]))
    homes.commit(lake, "silver.daily_bars", batch.daily_bars(homes.window(lake, "bronze.candles")))
    watched = Watched(VectorStore(settings, lambda: END), feed.end)
    Worker(settings, watched).run(bars=25)  # into the next trading day
    if made_since:
        homes.commit(lake, "bronze.candles", Chunks([feeds.candles(lake, feeds.weeks_with_rows(lake))]))
        homes.commit(lake, "silver.daily_bars", batch.daily_bars(homes.window(lake, "bronze.candles")))
    Worker(settings, watched).run(bars=20)
    assert (len(watched.bars), len(watched.seen), watched.blank) == (45, 45, [])
    rows = daily_run(lake).filter(pl.col("ts") >= watched.bars[0].ts)
    served = np.stack([vector.recent[-1] for vector in watched.seen.values()])
    assert served.tobytes() == rows.select(INPUTS).to_numpy().astype(np.float32).tobytes()
