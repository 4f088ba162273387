"""Gold: the inputs of the models, their labels, and walk-forward forecasts.

Belongs here: one asset a table. Does not: merging, signal windows, label rules, inference.
"""

import dagster as dg

from spx_assets.assets import score_plots
from spx_assets.features import batch
from spx_assets.labels import batch as labelling
from spx_assets.lake import Chunks, Window
from spx_assets.news import signal_weeks
from spx_assets.partitions import BEFORE, ONE_WEEK_BACK
from spx_assets.scoring import forecast_scores as daily
from spx_assets.scoring import walk_forward
from spx_assets.sources import feeds

FAMILIES = ("returns", "technical", "volatility", "microstructure", "timeframes", "calendar")


@dg.asset(key=["gold", "market_features"], ins={family: dg.AssetIn(["silver", family]) for family in FAMILIES})
def market_features(
    returns: Window, technical: Window, volatility: Window, microstructure: Window, timeframes: Window, calendar: Window
) -> Chunks:
    """Every model input made of candles, one row a bar."""
    return batch.market_features(returns, technical, volatility, microstructure, timeframes, calendar)


@dg.asset(
    key=["gold", "news_signals"],
    ins={
        "candles": dg.AssetIn(["bronze", "candles"]),
        "sentiment": dg.AssetIn(["silver", "news_sentiment"], partition_mapping=ONE_WEEK_BACK),
    },
)
def news_signals(candles: Window, sentiment: Window) -> Chunks:
    """What the articles known in the last 60 and 15 minutes said, one row a bar; counts of 0 where there were none."""
    return signal_weeks.by_week(candles, sentiment)


@dg.asset(key=["gold", "labels"], ins={"candles": dg.AssetIn(["bronze", "candles"])})
def labels(candles: Window) -> Chunks:
    """Forward return and direction of every bar at every horizon, null where the horizon crosses a gap or the day's end."""
    return labelling.by_week(candles, clocks=feeds.clocks(candles.lake, snapshot=candles.snapshot))


def forecasts(model_keys: list[dg.AssetKey], *, news: bool) -> dg.AssetsDefinition:
    """The forecasts asset; `model_keys` are its lineage: the versions of earlier weeks it may use.

    `news`: some forecaster learns from them.
    """
    tables = ("market_features", "news_signals") if news else ("market_features",)

    @dg.asset(
        key=["gold", "forecasts"],
        ins={table: dg.AssetIn(["gold", table], partition_mapping=ONE_WEEK_BACK) for table in (*tables, "labels")},
        deps=[dg.AssetDep(key, partition_mapping=BEFORE) for key in model_keys],
    )
    def _forecasts(**inputs: Window) -> Chunks:
        """Per bar and family, the forecast of the newest version trained before the week began.

        models.interval_levels is made with it: at which level each day's intervals hold what they promise.
        """
        return walk_forward.forecasts(inputs["market_features"], inputs.get("news_signals"), inputs["labels"])

    return _forecasts


@dg.asset(
    key=["gold", "forecast_scores"],
    ins={"forecasts": dg.AssetIn(["gold", "forecasts"]), "labels": dg.AssetIn(["gold", "labels"])},
)
def forecast_scores(forecasts: Window, labels: Window) -> Chunks:
    """Per trading day, forecaster and family: error, rank, coverage, each beside its baseline."""
    return score_plots.beside(daily.scores(forecasts, labels), forecasts)
