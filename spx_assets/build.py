"""The table of contents of the platform: assets, checks, resources and jobs, with the policies mapped over them.

Belongs here: what the code location holds, and per layer who owns it, how it is partitioned and backfilled. Does not:
bodies, arithmetic.
"""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from spx_assets.assets import bronze, costs, gold, models, monitoring, news, news_feeds, silver
from spx_assets.assets.checks import contract_check, newest_day_present, news_quarantine, quarantine
from spx_assets.assets.describe import described
from spx_assets.assets.io import LakeIOManager
from spx_assets.assets.mlflow_runs import MlflowRuns
from spx_assets.automation import alerts, champions, market_time, measured, settlement, upkeep
from spx_assets.automation.jobs import jobs
from spx_assets.automation.schedules import schedules
from spx_assets.automation.sensors import sensors
from spx_assets.features.inputs import learns_from_news
from spx_assets.partitions import trading_weeks
from spx_assets.settings import Settings, load

LAKE_ASSETS = [
    bronze.candles,
    news.news,
    silver.returns,
    silver.technical,
    silver.volatility,
    silver.microstructure,
    silver.calendar,
    silver.daily_bars,
    silver.timeframes,
    news.news_sentiment,
    gold.market_features,
    gold.news_signals,
    gold.labels,
]


def build_defs(settings: Settings | None = None, overrides: Mapping[str, Any] | None = None) -> dg.Definitions:
    """The code location for one home; `overrides` replaces resources by name, for tests."""
    settings = settings or load()
    weeks = trading_weeks(settings.history_start)
    trained = models.model_assets(settings)
    families = [models.family_key(name, family) for name, _, _ in settings.model_names for family in settings.models.families]
    news_used = any(learns_from_news(settings, name) for name, _, _ in settings.model_names)
    streamed = [
        *LAKE_ASSETS,
        gold.forecasts(families, news=news_used),
        gold.forecast_scores,
        monitoring.data_quality,
        monitoring.feature_drift(news=news_used),
        monitoring.target_drift,
        monitoring.prediction_drift,
        monitoring.performance,
        monitoring.reports,
        monitoring.news_drift,
        costs.costs,
    ]
    assets = [
        news_feeds.news_feeds,
        *(asset.with_attributes(backfill_policy=dg.BackfillPolicy.single_run()) for asset in streamed),
        *(asset.with_attributes(backfill_policy=dg.BackfillPolicy.multi_run(max_partitions_per_run=1)) for asset in trained),
    ]
    made = jobs(settings)
    resources = {
        "settings": settings,
        "io_manager": LakeIOManager(settings),
        "mlflow": MlflowRuns(settings),
        **(overrides or {}),
    }
    return dg.Definitions(
        assets=list(dg.map_asset_specs(lambda spec: market_time.held_to(described(spec, settings, weeks), settings), assets)),
        asset_checks=[*(contract_check(asset.key) for asset in streamed), quarantine, news_quarantine, newest_day_present],
        jobs=[*made, settlement.settle, *alerts.jobs(), upkeep.maintenance],
        schedules=[
            *schedules(settings),
            *market_time.schedules(settings),
            settlement.schedule(settings),
            *alerts.schedules(settings),
            upkeep.schedule(settings),
        ],
        sensors=[
            *sensors(settings),
            *measured.sensors(settings, made),
            champions.sensor(settings),
            *alerts.sensors(settings),
        ],
        resources=resources,
        # Steps share one process and one lake connection: a process a step would spend 3 s each on imports.
        executor=dg.in_process_executor,
    )
