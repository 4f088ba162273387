"""Which weeks of which assets are stale, asked of the graph and the lake.

Belongs here: fingerprints of what weeks are made of beside their upstream, the state of the inputs of a training. Does not: what
stale means (`lake.staleness`), making anything.
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import dagster as dg
from dagster._core.definitions.assets.graph.asset_graph import AssetGraph

from spx_assets import calendar
from spx_assets.assets.graph import OF_ARTICLES, asset_name, node, weeks_of_source
from spx_assets.labels import batch as labelling
from spx_assets.lake import Lake
from spx_assets.lake.staleness import status
from spx_assets.monitoring import data_quality, news_drift, served
from spx_assets.news import silver
from spx_assets.scoring import walk_forward
from spx_assets.settings import Settings
from spx_assets.sources import feeds, news_feeds

LEARNED = ("bronze/candles", "bronze/news", "gold/market_features", "gold/news_signals", "gold/labels")
"""What a training reads, and what that is made of beside silver/*."""


def fingerprints(lake: Lake, key: dg.AssetKey, weeks: Sequence[date]) -> Mapping[date, str]:
    """What each week of the asset is made of beside its upstream."""
    name = asset_name(key)
    if name == "bronze/candles":
        return feeds.fingerprints(lake, weeks)
    if name == "bronze/news":
        return news_feeds.fingerprints(lake, weeks)
    if name == "silver/news_sentiment":
        return silver.fingerprints(lake, weeks)
    if name == "gold/labels":
        return labelling.fingerprints(lake, weeks, feeds.clocks(lake), snapshot=lake.snapshot())
    if name == "gold/forecasts":
        return walk_forward.fingerprints(lake, weeks, snapshot=lake.snapshot())
    if name == "monitoring/data_quality":
        return data_quality.fingerprints(lake.settings, weeks)
    if name == "monitoring/news_drift":
        return news_drift.fingerprints(lake, weeks, snapshot=lake.snapshot())
    if key.path[0] == "monitoring" and name not in ("monitoring/reports", "monitoring/costs"):
        return served.fingerprints(lake, weeks, snapshot=lake.snapshot())
    return {}


def features(graph: AssetGraph) -> list[dg.AssetKey]:
    """Assets of candles, news, features and labels, in order."""
    return [
        key
        for key in graph.toposorted_asset_keys
        if key in graph.materializable_asset_keys and (key.path[0] == "silver" or asset_name(key) in LEARNED)
    ]


def weeks_of_features(lake: Lake, settings: Settings, graph: AssetGraph) -> list[date]:
    """From the first week that changed for some asset to the newest, of those a training made now would read; else none.

    A week that was never made has not changed, unless it is newer than all that were, or the asset is.
    """
    candles, articles = (weeks_of_source(lake, source) for source in ("bronze/candles", "bronze/news"))
    newest = max(candles, default=None)
    if newest is None:
        return []
    first = newest - timedelta(weeks=settings.models.training_weeks - 1)
    changed: set[date] = set()
    for key in features(graph):
        source = articles if asset_name(key) in OF_ARTICLES else candles
        weeks = [week for week in source if first <= week <= newest]
        states = status(lake, node(graph, key), weeks, fingerprints(lake, key, weeks))
        made = max((week for week, state in states.items() if state != "missing"), default=date.min)
        changed |= {week for week, state in states.items() if state == "stale" or week > made}
    return calendar.week_range(min(changed), newest) if changed else []
