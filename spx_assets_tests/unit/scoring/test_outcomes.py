"""Scores of stored forecasts: intervals that hold over days, baselines beside them."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy import stats

from spx_assets.scoring import outcomes

KEY = {"instrument": "SPX500_USD", "horizon_minutes": 30}


class Tables:
    """What `scores` reads of a lake."""

    def __init__(self, day: np.ndarray, p: np.ndarray, up: np.ndarray) -> None:
        ts = [datetime(2025, 1, 1, tzinfo=UTC) + timedelta(minutes=k) for k in range(len(p))]
        keys = pl.DataFrame({"ts": ts}).with_columns(**{name: pl.lit(value) for name, value in KEY.items()})
        days = [date(2025, 1, 1) + timedelta(days=int(k)) for k in day]
        self.forecasts = keys.with_columns(
            trading_day=pl.Series(days), model_name=pl.lit("spx500_h30"), family=pl.lit("lightgbm"), probability_up=pl.Series(p)
        )
        self.labels = keys.with_columns(direction=pl.Series(up, dtype=pl.Int8))

    def read(self, table: str, *, columns: list[str], start: None = None, end: None = None) -> pl.DataFrame:
        return (self.forecasts if table == "gold.forecasts" else self.labels).select(columns)


def scored(day: Any, p: Any, up: Any) -> dict[str, Any]:
    tables = Tables(np.asarray(day), np.asarray(p, dtype=np.float64), np.asarray(up))
    return outcomes.scores(tables).row(0, named=True)  # type: ignore[arg-type]


def test_one_row_a_day_is_delongs_interval() -> None:
    rng = np.random.default_rng(1)
    n = 400
    up = rng.integers(0, 2, n)
    p = np.round(1 / (1 + np.exp(-(0.8 * up - 0.4 + rng.normal(size=n)))), 2)  # with ties
    got = scored(np.arange(n), p, up)
    wins = (p[up == 1][:, None] > p[up == 0]) + 0.5 * (p[up == 1][:, None] == p[up == 0])
    area = wins.mean()
    # DeLong: variance of the placements of each direction over its number of rows, n for n - 1.
    error = np.sqrt(wins.mean(1).var() / (up == 1).sum() + wins.mean(0).var() / (up == 0).sum())
    half = stats.t.ppf(0.975, n - 1) * error * np.sqrt(n / (n - 1))
    assert got["auc"] == pytest.approx(area, abs=1e-12)
    assert (got["auc_low"], got["auc_high"]) == pytest.approx((area - half, area + half), abs=1e-6)


def test_rows_of_one_day_that_repeat_each_other_do_not_narrow_the_interval() -> None:
    rng = np.random.default_rng(2)
    up, p = rng.integers(0, 2, 60), rng.uniform(0.3, 0.7, 60)
    once = scored(np.arange(60), p, up)
    often = scored(np.repeat(np.arange(60), 50), np.repeat(p, 50), np.repeat(up, 50))
    for name in ("auc", "auc_low", "auc_high"):
        assert often[name] == pytest.approx(once[name], abs=1e-9)
    assert (often["labelled"], often["days"]) == (3000, 60)


def test_the_interval_of_forecasts_that_know_nothing_holds_a_half() -> None:
    rng, missed = np.random.default_rng(3), 0
    day = np.repeat(np.arange(20), 120)
    for _ in range(200):
        moods = np.repeat(rng.normal(size=20 * 4), 30)  # half an hour that rises or falls as one
        up = (moods + 0.3 * rng.normal(size=2400) > 0).astype(int)
        p = 0.5 + 0.1 * np.tanh(np.repeat(rng.normal(size=20 * 4), 30))
        got = scored(day, p, up)
        missed += not got["auc_low"] <= 0.5 <= got["auc_high"]
    assert 1 <= missed <= 22  # 10 expected; by rows in place of days it would be over a hundred


def test_log_loss_stands_beside_that_of_the_base_rate() -> None:
    got = scored([0, 0, 0, 0], [0.9, 0.8, 0.3, 0.6], [1, 1, 0, 1])
    assert got["log_loss"] == pytest.approx(-np.log([0.9, 0.8, 0.7, 0.6]).mean())
    assert got["log_loss_base"] == pytest.approx(0.5623351446188083)  # the entropy of three in four
    assert (got["auc"], got["auc_low"]) == (1.0, None)


def test_without_outcomes_there_is_a_row_and_no_score() -> None:
    got = scored([0, 1], [0.4, 0.6], [None, None])
    assert (got["rows"], got["labelled"], got["auc"], got["log_loss"], got["log_loss_base"]) == (2, 0, None, None, None)
    one_sided = scored([0, 1], [0.4, 0.6], [1, 1])
    assert (one_sided["auc"], one_sided["log_loss_base"]) == (None, 0.0)


@pytest.mark.parametrize("freedom", [4, 6, 10, 30, 300])
def test_students_quantile(freedom: int) -> None:
    assert outcomes._student(freedom) == pytest.approx(stats.t.ppf(0.975, freedom), rel=3e-3)


def test_a_forecast_of_return_to_the_mean_has_no_skill_on_a_random_walk_though_its_days_have() -> None:
    """Why all rows are ranked together: within a day what is above its mean has been followed by what is below it."""
    rng = np.random.default_rng(5)
    days, bars, horizon = 400, 600, 30
    price = rng.standard_normal((days, bars + horizon)).cumsum(axis=1)
    up = (price[:, horizon:] > price[:, :-horizon]).astype(int)
    p = 1 / (1 + np.exp(0.02 * price[:, :-horizon]))
    got = scored(np.repeat(np.arange(days), bars), p.ravel(), up.ravel())
    daily = [
        (stats.rankdata(row)[it == 1].sum() / it.sum() - (it.sum() + 1) / 2) / (it == 0).sum()
        for row, it in zip(p, up, strict=True)
    ]
    assert np.mean(daily) - 5 * np.std(daily) / np.sqrt(days) > 0.5
    assert got["auc_low"] < 0.5 < got["auc_high"]
    assert abs(got["auc"] - 0.5) < 0.2 * (np.mean(daily) - 0.5)
