"""Monitoring: what is measured of each trading day.

Belongs here: one asset a table. Does not: statistics, thresholds, telling people.
"""

import dagster as dg

from spx_assets.assets.io import weeks_of
from spx_assets.lake import Chunks, Lake, Window
from spx_assets.monitoring import data_quality as quality
from spx_assets.partitions import ONE_WEEK_BACK, key_of, look_back
from spx_assets.settings import Settings

BASELINE = look_back(quality.WEEKS_BEFORE)
NEWS_BASELINE = look_back(12)


@dg.asset(
    key=["monitoring", "data_quality"],
    ins={"features": dg.AssetIn(["gold", "market_features"], partition_mapping=BASELINE)},
)
def data_quality(features: Window) -> Chunks:
    """Per trading day what was missing, far off or refused, against the four weeks before."""
    return quality.quality(features)


def feature_drift(*, news: bool) -> dg.AssetsDefinition:
    """The drift asset; `news`: some forecaster learns from them."""
    tables = ("market_features", "news_signals") if news else ("market_features",)

    @dg.asset(
        key=["monitoring", "feature_drift"],
        ins={table: dg.AssetIn(["gold", table], partition_mapping=ONE_WEEK_BACK) for table in tables},
    )
    def _feature_drift(**inputs: Window) -> Chunks:
        """Per trading day and input, the newest days against the training window of the model that is served.

        monitoring.drift_reports is made with it: one verdict a day.
        """
        from spx_assets.monitoring import feature_drift as measuring

        return measuring.drift(inputs["market_features"], inputs.get("news_signals"))

    return _feature_drift


@dg.asset(key=["monitoring", "reports"], ins={"drift": dg.AssetIn(["monitoring", "feature_drift"])})
def reports(context: dg.AssetExecutionContext, settings: dg.ResourceParam[Settings], drift: Window) -> Chunks:
    """An HTML page for the newest measured day of each week that drifted, and of the newest: distributions from a sample."""
    from spx_assets.monitoring import report

    pages, chunks = report.draw(drift)
    for page in pages:
        day = f"{page.row['instrument']} {page.row['trading_day']}"
        shown = dg.MetadataValue.url(f"{settings.links.dashboard.rstrip('/')}/dashboard/reports/{page.path.name}")
        linked = {day: shown, f"{day}, file": dg.MetadataValue.path(str(page.path))}
        context.add_asset_metadata(linked, partition_key=key_of(page.week))
    return Chunks(chunks)


@dg.asset(
    key=["monitoring", "target_drift"],
    ins={"labels": dg.AssetIn(["gold", "labels"], partition_mapping=ONE_WEEK_BACK)},
)
def target_drift(labels: Window) -> Chunks:
    """Per trading day and forecaster, realised returns against those the served model was trained on."""
    from spx_assets.monitoring import output_drift

    return output_drift.target(labels)


@dg.asset(
    key=["monitoring", "prediction_drift"],
    ins={"forecasts": dg.AssetIn(["gold", "forecasts"], partition_mapping=ONE_WEEK_BACK)},
)
def prediction_drift(forecasts: Window) -> Chunks:
    """Per trading day and forecaster, forecasts, answers and the inputs of answers against those of the training window."""
    from spx_assets.monitoring import output_drift

    return output_drift.predictions(forecasts)


@dg.asset(
    key=["monitoring", "news_drift"],
    ins={"sentiment": dg.AssetIn(["silver", "news_sentiment"], partition_mapping=NEWS_BASELINE)},
)
def news_drift(sentiment: Window) -> Chunks:
    """Per trading day and instrument, how many articles there were and how they sound, against the twelve weeks before."""
    from spx_assets.monitoring import news_drift as measuring

    return measuring.drift(sentiment)


@dg.asset(key=["monitoring", "performance"], deps=[["gold", "labels"]])
def performance(context: dg.AssetExecutionContext, settings: dg.ResourceParam[Settings]) -> Chunks:
    """Per trading day and version, how the answers that were given came out, beside what the gate saw."""
    from spx_assets.monitoring import performance as measuring

    return measuring.by_week(Lake.open(settings), weeks_of(context))
