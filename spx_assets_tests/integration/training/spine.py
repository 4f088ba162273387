"""The platform's main job without Dagster: candles -> features -> labels -> dataset -> model -> verdict.

Belongs here: calling the libraries in their order, in memory or through a lake. Does not: any arithmetic of theirs.
"""

from datetime import date

import numpy as np
import polars as pl

from spx_assets import calendar
from spx_assets.features import batch, catalog, inputs
from spx_assets.features.bars import Bars, DailyBars
from spx_assets.labels import forward
from spx_assets.lake import Chunk, Lake, tables
from spx_assets.news import signals
from spx_assets.settings import Settings, SimulatorSettings
from spx_assets.sources import feeds, simulator
from spx_assets.training import dataset, gate
from spx_assets.training.learn import Learned, learn

INSTRUMENT = "SPX500_USD"


def of_market(settings: Settings, *, days: int = 120, edge: float = 1.0, seed: int = 7) -> Settings:
    """Settings of another simulated market, learned on one thread."""
    boosters = {name: getattr(settings.models, name).model_copy(update={"threads": 1}) for name in ("lightgbm", "xgboost")}
    models = settings.models.model_copy(update=boosters)
    market = SimulatorSettings(days=days, edge=edge, seed=seed)
    return settings.model_copy(update={"simulator": market, "models": models})


def simulated(settings: Settings) -> pl.DataFrame:
    """The simulator's whole history as candles of one instrument."""
    rows = simulator.generate(settings.simulator, *simulator.history(settings.simulator))
    return as_candles(rows)


def as_candles(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(pl.lit(INSTRUMENT).alias("instrument"), calendar.trading_day_expr(pl.col("ts")).alias("trading_day"))


def market_features(candles: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    """Model inputs of every bar, a trading day at a time on anchor..day end."""
    bars = Bars.from_frame(candles)
    days = candles["trading_day"].unique().sort().to_list()
    spans = batch.day_spans(bars.ts, days, lookback_days=settings.lookback_days)
    daily = DailyBars.from_frame(batch.daily_frame(candles))
    made: dict[str, np.ndarray] = {}
    for family in catalog.MARKET_FAMILIES:
        made |= batch.features_of(bars, spans, family, daily)
    return candles.select("instrument", "ts").with_columns(pl.Series(f.name, made[f.name]) for f in catalog.market_inputs())


def model_inputs(candles: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    """Market features beside the signals of a market without news."""
    return inputs.join(market_features(candles, settings), without_news(candles))


def without_news(candles: pl.DataFrame) -> pl.DataFrame:
    return signals.signals(candles.select(signals.BAR), tables.table("silver.news_sentiment").empty())


def labels(candles: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    clock = candles["ts"].max() + calendar.ONE_MINUTE
    return forward.forward_returns(
        candles, horizons=settings.labels.horizons, tolerance_min=settings.labels.tolerance_min, clock=clock
    )


def datasets(candles: pl.DataFrame, settings: Settings, *, horizons: tuple[int, ...] = (30, 60)) -> dict[int, dataset.Dataset]:
    """The dataset of each horizon."""
    features, told = model_inputs(candles, settings), labels(candles, settings)
    return {horizon: joined(features, told, horizon) for horizon in horizons}


def joined(features: pl.DataFrame, told: pl.DataFrame, horizon: int) -> dataset.Dataset:
    return dataset.of(
        features,
        told.filter(pl.col("horizon_minutes") == horizon),
        features_in_order=[feature.name for feature in catalog.model_inputs()],
        horizon_minutes=horizon,
        instruments=(INSTRUMENT,),
        snapshot=0,
        tolerance_min=5,
    )


def last_week(data: dataset.Dataset) -> date:
    return calendar.week_of(data.instant(len(data.ts) - 1))


def learned(data: dataset.Dataset, settings: Settings) -> tuple[Learned, gate.Judgement]:
    """A model of the dataset and what the gate says of it when there is no champion."""
    name = f"spx500_h{data.horizon_minutes}"
    model = learn(data, settings, name=name, family="lightgbm", week=last_week(data), run_id="test")
    return model, gate.judge(model.manifest.metrics, settings.models.gate)


def entered(data: dataset.Dataset, settings: Settings) -> tuple[Learned, gate.Judgement]:
    """The first-ranked of the settings' families, and what the gate says of it when there is no champion."""
    name, week = f"spx500_h{data.horizon_minutes}", last_week(data)
    models = [learn(data, settings, name=name, family=family, week=week, run_id="test") for family in settings.models.families]
    candidates = [(model.manifest.family, *(model.manifest.metrics[m] for m in gate.RANKED_BY[1:])) for model in models]
    first = gate.ranked(candidates, settings.models.gate)[0]
    model = next(model for model in models if model.manifest.family == first)
    return model, gate.judge(model.manifest.metrics, settings.models.gate)


def fill(lake: Lake) -> None:
    """Binds the simulator and puts the model inputs and labels of its whole history into the lake; there are no news."""
    feeds.bind_simulator(lake, INSTRUMENT)
    weeks = tuple(feeds.weeks_with_rows(lake))
    candles = feeds.candles(lake, weeks).frame
    made = {
        "gold.market_features": market_features(candles, lake.settings).with_columns(candles["trading_day"]).fill_nan(None),
        "gold.news_signals": without_news(candles),
        "gold.labels": labels(candles, lake.settings),
    }
    for name, frame in made.items():
        chunk = Chunk(weeks, frame.select(tables.table(name).schema().keys()))
        asset, hashes = name.replace(".", "/"), dict.fromkeys(weeks, "test")
        lake.replace(name, chunk, asset=asset, run_id="test", read_snapshot=lake.snapshot(), inputs_hashes=hashes)
