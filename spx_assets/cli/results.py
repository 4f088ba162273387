"""What demo and train print: models beside baselines, verdicts, walk-forward forecasts.

Belongs here: selecting columns of the lake's tables for people. Does not: computing metrics.
"""

from collections.abc import Sequence
from datetime import date

import polars as pl

from spx_assets import calendar
from spx_assets.lake import Lake
from spx_assets.scoring import outcomes
from spx_assets.training import catalogue

MODEL_COLUMNS = (
    "model_name",
    "family",
    "week",
    "verdict",
    "auc",
    "auc_low",
    "auc_high",
    "log_loss",
    "log_loss_base",
    "p_direction",
    "rmse_bp",
    "rmse_zero_bp",
    "rmse_ar1_bp",
    "r2_zero",
    "p_return",
    "effective_obs",
    "version",
)


def models(lake: Lake, weeks: Sequence[date]) -> pl.DataFrame:
    """The newest version of each forecaster, family and week with metrics, baselines and what the gate last said of it."""
    versions = lake.read("models.versions").filter(pl.col("week").is_in(list(weeks)))
    newest = versions.sort("version").group_by("model_name", "family", "week", maintain_order=True).last()
    return (
        newest.join(catalogue.verdicts(lake), on="version", how="left").select(MODEL_COLUMNS).sort("model_name", "family", "week")
    )


def news(lake: Lake, week: date) -> pl.DataFrame:
    """What the newest bar of each instrument in `week` knows of the news."""
    start, end = calendar.week_window(week)
    columns = ("instrument", "ts", "article_count", "avg_sentiment", "signal_strength", "trading_signal", "latest_headline")
    rows = lake.read("gold.news_signals", start=start, end=end, columns=columns)
    return rows.group_by("instrument", maintain_order=True).last().select(columns)


def walk_forward_scores(lake: Lake) -> pl.DataFrame:
    """How the stored walk-forward forecasts came out beside their baselines, per forecaster and family."""
    return outcomes.scores(lake)


def walk_forward(lake: Lake, weeks: Sequence[date], names: Sequence[str]) -> pl.DataFrame:
    """Per forecaster and family over `weeks`: AUC and log loss of all rows, means of the days' other scores, beside baselines."""
    start, end = calendar.week_window(weeks[0])[0], calendar.week_window(weeks[-1])[1]
    means = ("rmse_bp", "rmse_zero_bp", "coverage_interval", "coverage_split")
    days = lake.read("gold.forecast_scores", start=start, end=end)
    told = days.group_by("model_name", "family").agg(
        versions=pl.col("version").n_unique(), **{name: pl.col(name).mean() for name in means}
    )
    ranked = outcomes.scores(lake, start=start, end=end).filter(pl.col("model_name").is_in(list(names)))
    return ranked.join(told, on=["model_name", "family"], how="left", maintain_order="left")
