"""Daily scores of walk-forward forecasts: literal values on a hand-made day, null where no label can tell."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from spx_assets.scoring import forecast_scores
from spx_assets.settings import Settings
from spx_assets_tests.unit.scoring import toy

START = datetime(2025, 10, 15, 14, tzinfo=UTC)
DAY = date(2025, 10, 15)


def rows(**columns: list[float | int | None]) -> pl.DataFrame:
    n = len(columns["return_bp"])
    return pl.DataFrame(
        {
            "instrument": ["SPX500_USD"] * n,
            "ts": [START + timedelta(minutes=k) for k in range(n)],
            "trading_day": [DAY] * n,
            "model_name": ["spx500_h30"] * n,
            "family": ["lightgbm"] * n,
            "version": ["20251015T160000Z-0001"] * n,
            "horizon_minutes": [30] * n,
            "expected_return_bp": [1.0] * n,
            "interval_low_bp": [-11.5] * n,
            "interval_high_bp": [13.5] * n,
            "asked": [None] * n,
            **columns,
        },
        schema_overrides={
            "horizon_minutes": pl.Int32,
            "return_bp": pl.Float64,
            "asked": pl.Float64,
            "direction": pl.Int8,
            "ts": pl.Datetime("us", "UTC"),
        },
    )


@pytest.fixture
def fitted(tmp_path: Path) -> forecast_scores._Fitted:
    settings = Settings(home=tmp_path)
    toy.write(settings.artifacts, toy.manifest(conformal_quantiles={"0.5": (5.0,), "0.9": (12.5,), "0.99": (20.0,)}), [1.0, 1.0])
    return forecast_scores._Fitted(settings)


def test_a_day_is_scored_beside_its_baselines(fitted: forecast_scores._Fitted) -> None:
    joined = rows(return_bp=[4.0, -2.0, 14.0, None], direction=[1, 0, 1, None], probability_up=[0.6, 0.7, 0.8, 0.9])
    day = forecast_scores.of_week(joined, fitted).row(0, named=True)
    assert (day["trading_day"], day["rows"], day["labelled"]) == (DAY, 4, 3)
    assert day["rmse_bp"] == pytest.approx(((9 + 9 + 169) / 3) ** 0.5)
    assert day["rmse_zero_bp"] == pytest.approx(((16 + 4 + 196) / 3) ** 0.5)
    assert day["auc"] == pytest.approx(0.5)  # of the two pairs up-down one is in order
    assert day["hit_rate"] == pytest.approx(2 / 3)
    assert day["log_loss"] == pytest.approx(0.64598, abs=1e-5)
    assert day["log_loss_half"] == pytest.approx(0.69315, abs=1e-5)
    assert day["coverage_interval"] == pytest.approx(2 / 3)
    assert day["coverage_split"] == pytest.approx(2 / 3)


def test_the_split_interval_is_told_beside_the_one_that_was_forecast(fitted: forecast_scores._Fitted) -> None:
    wide = {"asked": [0.99] * 3, "interval_low_bp": [-19.0] * 3, "interval_high_bp": [21.0] * 3}
    joined = rows(return_bp=[4.0, 14.0, 22.0], direction=[1, 1, 1], probability_up=[0.6, 0.7, 0.8], **wide)
    day = forecast_scores.of_week(joined, fitted).row(0, named=True)
    assert (day["coverage_interval"], day["coverage_split"]) == (pytest.approx(2 / 3), pytest.approx(1 / 3))


def test_a_day_without_outcomes_has_forecasts_and_no_scores(fitted: forecast_scores._Fitted) -> None:
    joined = rows(return_bp=[None, None], direction=[None, None], probability_up=[0.6, 0.7])
    day = forecast_scores.of_week(joined, fitted).row(0, named=True)
    assert (day["rows"], day["labelled"]) == (2, 0)
    assert (day["rmse_bp"], day["auc"], day["coverage_split"]) == (None, None, None)


def test_a_week_without_forecasts_has_no_rows(fitted: forecast_scores._Fitted) -> None:
    none = rows(return_bp=[], direction=[], probability_up=[])
    assert forecast_scores.of_week(none, fitted).is_empty()


def test_a_version_whose_artifact_is_gone_keeps_its_other_scores(tmp_path: Path) -> None:
    joined = rows(return_bp=[4.0, -2.0], direction=[1, 0], probability_up=[0.6, 0.4])
    day = forecast_scores.of_week(joined, forecast_scores._Fitted(Settings(home=tmp_path))).row(0, named=True)
    assert (day["coverage_split"], day["coverage_interval"], day["auc"]) == (None, 1.0, 1.0)


def test_the_weeks_numbers_for_people_are_of_all_its_rows_together() -> None:
    joined = rows(return_bp=[4.0, -2.0, 4.0, -2.0], direction=[1, 0, 1, 0], probability_up=[0.4, 0.3, 0.7, 0.6])
    days = joined.with_columns(trading_day=pl.Series([DAY, DAY, DAY + timedelta(days=1), DAY + timedelta(days=1)]))
    told = forecast_scores.summary(days)
    assert told["spx500_h30 lightgbm auc"] == 0.75  # 1 within each day
    assert told["spx500_h30 lightgbm rmse_bp"] == pytest.approx(9**0.5)
    assert forecast_scores.summary(joined.clear()) == {}
