"""Landed headlines to signals at bars: half a year of a busy newsroom through bronze, silver and gold as Dagster runs."""

import dagster as dg

from spx_assets.automation.backfill import Backfill
from spx_assets.lake import Lake
from spx_assets.lake.news_tables import NEWS_SENTIMENT
from spx_assets.settings import load
from spx_assets.settings.news import NewsSimulatorSettings
from spx_assets.sources import feeds, news, simulator
from spx_assets_tests.benchmarks.line import Line, spent

# Mean articles of one of the simulator's 120 trading days: in all 100,000 different titles, and 17,000 told again or corrected.
PER_DAY = 890
ASSETS = ["bronze/news", "silver/news_sentiment", "gold/news_signals"]


def run() -> list[Line]:
    home = load()
    busy = home.news.model_copy(update={"simulator": NewsSimulatorSettings(per_day=PER_DAY)})
    settings = home.model_copy(update={"news": busy})
    lake = Lake.open(settings)
    feed = feeds.bind_simulator(lake, "SPX500_USD")
    news.import_simulated(lake, simulator.history(feed.simulator)[0], feed.end)
    with dg.DagsterInstance.ephemeral() as instance:
        plan = Backfill(settings, instance)
        plan.run(["bronze/candles"])
        with spent() as used:
            made = plan.run(ASSETS)
    texts = lake.read(NEWS_SENTIMENT, columns=["text_hash"])["text_hash"].n_unique()
    work = f"{texts:,} different headlines, bronze -> gold, embedded, {made['gold/news_signals']} weeks"
    return [Line(work, used.wall_s, 300.0, "s"), Line("the same", used.cpu_s, None, "CPU s")]
