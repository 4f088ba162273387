"""Jobs named for what people want.

Belongs here: asset selections under a name. Does not: schedules' times, backfill planning.
"""

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition
from dagster._core.storage.tags import MAX_RUNTIME_SECONDS_TAG

from spx_assets.assets import news_feeds
from spx_assets.settings import Settings
from spx_assets.sources.news_drop import JOB as NEWS_ONLINE

POLLED = dg.AssetSelection.assets(news_feeds.KEY)
"""What asks the world: made by the online job alone."""

NEWS_MAX_RUNTIME_S = 900
"""A run of the online job takes a minute; one that is under way after a quarter of an hour was killed, and holds up no other."""


def jobs(settings: Settings) -> list[UnresolvedAssetJobDefinition]:
    """`daily`: candles to gold for a week; `retrain`: every forecaster and its verdict; `monitoring`: what is measured of it;
    `news_online`: news to signals.
    """
    models = dg.AssetSelection.groups("models")
    heard = dg.AssetSelection.assets(["bronze", "news"], ["silver", "news_sentiment"], ["gold", "news_signals"])
    return [
        dg.define_asset_job(
            "daily",
            selection=dg.AssetSelection.groups("bronze", "silver", "gold") - POLLED,
            description="Candles, news, features, labels and forecasts of a week; run it again while the week is open.",
        ),
        dg.define_asset_job(
            "retrain", selection=models, description="Train every forecaster for a week and let the gate judge it."
        ),
        dg.define_asset_job(
            "monitoring",
            selection=dg.AssetSelection.groups("monitoring"),
            description="Measure a week: data quality, drift and performance; run it again while the week is open.",
        ),
        dg.define_asset_job(
            NEWS_ONLINE,
            selection=POLLED | heard,
            tags={MAX_RUNTIME_SECONDS_TAG: str(NEWS_MAX_RUNTIME_S)},
            description="Hear the news: new articles, their sentiment, and the signals of the current week.",
        ),
    ]
