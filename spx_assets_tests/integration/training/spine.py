"""The platform's main job in memory: candles -> features -> labels -> dataset -> model -> verdict, without a lake.

Belongs here: calling the libraries in their order. Does not: any arithmetic of theirs.
"""

from datetime import date

import numpy as np
import polars as pl

from spx_assets import calendar
from spx_assets.features import catalog, compute
from spx_assets.features.bars import Bars, DailyBars
from spx_assets.labels import forward
from spx_assets.settings import Settings
from spx_assets.sources import simulator
from spx_assets.training import dataset, gate, train

INSTRUMENT = "SPX500_USD"


def simulated(settings: Settings) -> pl.DataFrame:
    """The simulator's whole history as candles of one instrument."""
    rows = simulator.generate(settings.simulator, *simulator.history(settings.simulator))
    return with_days(rows)


def with_days(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(
        pl.lit(INSTRUMENT).alias("instrument"), calendar.trading_day_expr(pl.col("ts")).alias("trading_day")
    )


def market_features(candles: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    """Model inputs of every bar, a trading day at a time on anchor..day end."""
    days = DailyBars.from_frame(
        candles.group_by("trading_day", maintain_order=True).agg(
            pl.col("high").max(), pl.col("low").min(), pl.col("close").last()
        )
    )
    dates = candles["trading_day"].unique(maintain_order=True).to_list()
    X = np.concatenate([_day(candles, days, day, settings) for day in dates])
    names = [feature.name for feature in catalog.model_inputs()]
    return candles.select("instrument", "ts").with_columns(pl.Series(name, X[:, k]) for k, name in enumerate(names))


def _day(candles: pl.DataFrame, days: DailyBars, day: date, settings: Settings) -> np.ndarray:
    ends = calendar.day_window(day)
    first, start, stop = candles["ts"].search_sorted(pl.Series([calendar.anchor(day, settings.lookback_days), *ends], dtype=candles["ts"].dtype))
    seen = Bars.from_frame(candles[first:stop])
    made: dict[str, np.ndarray] = {}
    for family in catalog.FAMILIES:
        made |= compute.compute(family, seen, days, model_inputs_only=True)
    return np.column_stack([compute.stored(f, made[f.name])[start - first :] for f in catalog.model_inputs()])


def labels(candles: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    clock = candles["ts"].max() + calendar.ONE_MINUTE
    return forward.forward_returns(
        candles, horizons=settings.labels.horizons, tolerance_min=settings.labels.tolerance_min, clock=clock
    )


def datasets(candles: pl.DataFrame, settings: Settings) -> dict[int, dataset.Dataset]:
    """The dataset of each horizon."""
    features, told = market_features(candles, settings), labels(candles, settings)
    names = [feature.name for feature in catalog.model_inputs()]
    return {
        h: dataset.of(
            features,
            told.filter(pl.col("horizon_minutes") == h),
            features_in_order=names,
            horizon_minutes=h,
            instruments=(INSTRUMENT,),
            snapshot=0,
        )
        for h in settings.labels.horizons
    }


def learned(data: dataset.Dataset, settings: Settings) -> tuple[train.Learned, gate.Judgement]:
    """A model of the dataset and what the gate says of it when there is no champion."""
    week = calendar.week_of(data.instant(len(data.ts) - 1))
    name = f"spx500_h{data.horizon_minutes}"
    model = train.learn(data, settings, name=name, family="lightgbm", week=week, run_id="test")
    return model, gate.judge(model.manifest.metrics, settings.models.gate)
