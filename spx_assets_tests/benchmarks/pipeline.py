"""Candles to silver to gold and labels over 1.7 million bars: the libraries and the lake, no Dagster."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any
from unittest.mock import patch

from spx_assets import calendar
from spx_assets.features import batch, catalog
from spx_assets.labels import batch as labelling
from spx_assets.lake import Chunks, Lake, Window, locks
from spx_assets.lake.tables import table
from spx_assets.settings import Settings, SimulatorSettings, load
from spx_assets.sources import feeds
from spx_assets_tests.benchmarks.line import Line, peak_rss_gib, spent

# 1,304 trading days in 261 weeks; 1,380 bars a full day.
DAYS = 1304


def five_years() -> Settings:
    """A home whose simulator spans 261 weeks."""
    return load().model_copy(update={"simulator": SimulatorSettings(days=DAYS)})


def run() -> list[Line]:
    settings = five_years()
    lake = Lake.open(settings)
    feeds.bind_simulator(lake, "SPX500_USD")
    weeks = tuple(feeds.weeks_with_rows(lake))
    commit(lake, "bronze.candles", feeds.by_week(lake, weeks))
    bars = lake.count("bronze.candles")
    with spent() as used, locked() as held:
        for family in catalog.MARKET_FAMILIES:
            if family != "timeframes":
                commit(lake, f"silver.{family}", batch.by_day(window(lake, "bronze.candles", weeks, back=1), family=family))
        commit(lake, "silver.daily_bars", batch.daily_bars(window(lake, "bronze.candles", weeks)))
        daily = window(lake, "silver.daily_bars", weeks, back=60)
        commit(lake, "silver.timeframes", batch.timeframes(window(lake, "bronze.candles", weeks, back=1), daily))
        silver = [window(lake, f"silver.{family}", weeks) for family in catalog.MARKET_FAMILIES]
        commit(lake, "gold.market_features", batch.market_features(*silver))
        commit(lake, "gold.labels", labelling.by_week(window(lake, "bronze.candles", weeks), clocks=feeds.clocks(lake)))
    return [
        Line(f"candles -> gold, {bars:,} bars, no Dagster", used.cpu_s / bars * 1e6, 10.0, "CPU s per million bars"),
        Line("its peak memory", peak_rss_gib(), 2.0, "GiB"),
        Line("its longest hold of the catalog's lock", max(held), 1.0, "s"),
    ]


@contextmanager
def locked() -> Iterator[list[float]]:
    """Seconds of every hold of the lake's locks in a block, waiting apart."""
    held: list[float] = []
    hold = locks.hold

    @contextmanager
    def timed(*args: Any, **kwargs: Any) -> Iterator[None]:
        with hold(*args, **kwargs):
            began = time.perf_counter()
            try:
                yield
            finally:
                held.append(time.perf_counter() - began)

    with patch.object(locks, "hold", timed):
        yield held


def window(lake: Lake, name: str, weeks: tuple[date, ...], *, back: int = 0) -> Window:
    """The window an asset over `weeks` would be given, `back` weeks of look-back included."""
    start, end = calendar.week_window(calendar.week_range(weeks[0], weeks[0])[0])[0], calendar.week_window(weeks[-1])[1]
    for _ in range(back):
        start = calendar.week_window(calendar.week_of(start - calendar.ONE_DAY))[0]
    return Window(lake=lake, table=table(name), start=start, end=end, weeks=weeks, snapshot=lake.snapshot())


def commit(lake: Lake, name: str, chunks: Chunks) -> None:
    """Commit as the IO manager does."""
    committed = lake.replace_all(
        name,
        chunks,
        asset=name.replace(".", "/"),
        run_id="bench",
        read_snapshot=lake.snapshot(),
        inputs_hashes=lambda chunk: dict.fromkeys(chunk.weeks, "bench"),
        clocks=feeds.clocks(lake),
    )
    for _ in committed:
        pass
