"""The asset graph in the lake's terms: which table an asset fills, which weeks it has, and which weeks of which inputs it read.

Belongs here: translating Dagster's asset graph to `lake.staleness` nodes. Does not: deciding what is stale.
"""

from datetime import date

import dagster as dg
from dagster._core.definitions.assets.graph.asset_graph import AssetGraph

from spx_assets.lake import Lake
from spx_assets.lake.staleness import Input, Node, inputs_hashes
from spx_assets.partitions import week_of_key
from spx_assets.settings import Settings
from spx_assets.sources import feeds, news_feeds

# Made week by week of articles; everything else is made of candles, or beside them.
OF_ARTICLES = ("bronze/news", "silver/news_sentiment")
# Forecasts depend on model weeks for lineage only: the versions they used are part of their fingerprint instead. So are the
# landed articles part of those of bronze/news, however they were landed.
LINEAGE_ONLY = {"gold/forecasts": "models/", "bronze/news": "bronze/news_feeds"}


def asset_name(key: dg.AssetKey) -> str:
    """'silver/technical', the name used on the command line and in partition records."""
    return key.to_user_string()


def table_of(key: dg.AssetKey) -> str:
    """The lake table an asset fills."""
    if key.path[0] == "models":
        return "models.promotions" if key.path[-1] == "champion" else "models.versions"
    return ".".join(key.path)


def weeks_of_source(lake: Lake, asset: str) -> list[date]:
    """Weeks for which the source of an asset has rows, in order: articles, or candles.

    A week without articles is never missing: gold/news_signals has a row a candle whether there are news or not.
    """
    return news_feeds.weeks_with_articles(lake) if asset in OF_ARTICLES else feeds.weeks_with_rows(lake)


def offsets(mapping: dg.PartitionMapping | None) -> tuple[int, int]:
    """First and last upstream week of a mapping, relative to the week being made."""
    return (mapping.start_offset, mapping.end_offset) if isinstance(mapping, dg.TimeWindowPartitionMapping) else (0, 0)


def node(graph: AssetGraph, key: dg.AssetKey) -> Node:
    """The asset as the lake's staleness rules see it."""
    spec = graph.get(key)
    lineage_only = LINEAGE_ONLY.get(asset_name(key))
    inputs = []
    for parent in sorted(spec.parent_keys, key=asset_name):
        if lineage_only and asset_name(parent).startswith(lineage_only):
            continue
        first, last = offsets(spec.partition_mappings.get(parent))
        inputs.append(Input(asset=asset_name(parent), table=table_of(parent), first_offset=first, last_offset=last))
    return Node(asset=asset_name(key), table=table_of(key), inputs=tuple(inputs), code_version=spec.code_version or "")


def inputs_hash_of(context: dg.AssetExecutionContext, settings: Settings) -> str:
    """The inputs hash of the one week a model asset is being made for."""
    lake = Lake.open(settings)
    week = week_of_key(context.partition_key)
    target = node(context.job_def.asset_layer.asset_graph, context.asset_key)
    return inputs_hashes(lake, target, [week], fingerprints={}, snapshot=lake.snapshot())[week]
