"""Online features for one new bar: the kernels over anchor..now, the last row kept."""

import time
from datetime import timedelta

import numpy as np

from spx_assets import calendar
from spx_assets.features import batch, online
from spx_assets.features.bars import Bars, DailyBars
from spx_assets.lake import Lake
from spx_assets.news.signals import Articles
from spx_assets.settings import SimulatorSettings, load
from spx_assets.sources import feeds
from spx_assets_tests.benchmarks.line import Line
from spx_assets_tests.benchmarks.pipeline import commit, window
from spx_assets_tests.unit.news import scored

DAYS = 40
ROUNDS = 200
ARTICLES = 400
"""Of four days: 100 a day, as a busy news provider has them."""


def run() -> list[Line]:
    settings = load().model_copy(update={"simulator": SimulatorSettings(days=DAYS)})
    lake = Lake.open(settings)
    feeds.bind_simulator(lake, "SPX500_USD")
    weeks = tuple(feeds.weeks_with_rows(lake))
    commit(lake, "bronze.candles", feeds.by_week(lake, weeks))
    commit(lake, "silver.daily_bars", batch.daily_bars(window(lake, "bronze.candles", weeks)))
    # As the worker keeps them: candles in one piece, days as they are used until the next one begins.
    candles = lake.read("bronze.candles", start=calendar.week_window(weeks[-2])[0]).rechunk()
    daily = DailyBars.from_frame(lake.read("silver.daily_bars"))
    end = candles["ts"][-1]
    articles = Articles.from_frame(scored.at_random(end - timedelta(days=4), end, ARTICLES))
    seconds, cpu = [], []
    # Each round has one bar more than the round before, as a feed gives them.
    for rows in range(candles.height - ROUNDS, candles.height):
        known = candles[: rows + 1]
        began, spent = time.perf_counter(), time.thread_time()
        bars = Bars.from_frame(known)
        online.from_bars(bars, daily, articles, instrument="SPX500_USD", lookback_days=settings.lookback_days)
        seconds.append(time.perf_counter() - began)
        cpu.append(time.thread_time() - spent)
    return [
        Line("online features for one new bar, median", float(np.median(seconds)) * 1e3, 5.0, "ms"),
        Line("its CPU", float(np.median(cpu)) * 1e3, None, "ms"),
    ]
