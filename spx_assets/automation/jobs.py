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

LIGHT = ("data_quality", "feature_drift", "performance")
EXCLUSIVE = "spx/exclusive"
"""Tag of jobs of which one run goes on at a time."""

DAILY, RETRAIN, MONITORING, HOURLY, WALK_FORWARD, COSTS = "daily", "retrain", "monitoring", "hourly", "walk_forward", "costs"

NEWS_MAX_RUNTIME_S = 900
"""A run of the online job takes a minute; one that is under way after a quarter of an hour was killed, and holds up no other."""
OPEN_WEEK_MAX_RUNTIME_S = 3600
"""The open week takes 20 s, a range of five years three minutes; what takes an hour hangs. A training may take four."""


def jobs(settings: Settings) -> list[UnresolvedAssetJobDefinition]:
    """`daily`: candles to gold for a week, and what is measured of it; `monitoring` and `hourly` are parts of it.

    `retrain`: every forecaster and its verdict; `walk_forward`: forecasts again and their scores; `news_online`: news to signals.
    """
    models = dg.AssetSelection.groups("models")
    heard = dg.AssetSelection.assets(["bronze", "news"], ["silver", "news_sentiment"], ["gold", "news_signals"])
    spine = dg.AssetSelection.groups("bronze", "silver", "gold") - POLLED
    # The days of costs are the wall's, those of everything else the market's.
    costs = dg.AssetSelection.assets(["monitoring", "costs"])
    measured = dg.AssetSelection.groups("monitoring") - costs
    judged = dg.AssetSelection.assets(["gold", "forecasts"], ["gold", "forecast_scores"])
    # Pages, scores of whole days and news of the day before are for people who look once a day.
    light = spine - judged | dg.AssetSelection.assets(*(["monitoring", name] for name in LIGHT))
    soon = {MAX_RUNTIME_SECONDS_TAG: str(OPEN_WEEK_MAX_RUNTIME_S)}
    return [
        dg.define_asset_job(
            DAILY,
            selection=spine | measured,
            tags=soon,
            description="Candles, news, features, labels and forecasts of a week, and what is measured of it; run it again "
            "while the week is open.",
        ),
        dg.define_asset_job(
            RETRAIN,
            selection=models,
            # However many ask at once, one training runs after the other (dagster.yaml).
            tags={EXCLUSIVE: RETRAIN},
            description="Train every forecaster for a week and let the gate judge it.",
        ),
        dg.define_asset_job(
            MONITORING,
            selection=measured,
            tags=soon,
            description="Measure a week: data quality, drift and performance; run it again while the week is open.",
        ),
        dg.define_asset_job(
            COSTS,
            selection=costs,
            tags=soon,
            description="Count what a week of the wall took: calls of providers, minutes of runs.",
        ),
        dg.define_asset_job(
            HOURLY,
            selection=light,
            tags=soon,
            description="The open week up to now, and how far its newest day has drifted or become worse.",
        ),
        dg.define_asset_job(
            WALK_FORWARD,
            selection=judged,
            tags=soon,
            description="Forecasts of a week by the versions trained before it, and how they came out.",
        ),
        dg.define_asset_job(
            NEWS_ONLINE,
            selection=POLLED | heard,
            tags={MAX_RUNTIME_SECONDS_TAG: str(NEWS_MAX_RUNTIME_S)},
            description="Hear the news: new articles, their sentiment, and the signals of the current week.",
        ),
    ]
