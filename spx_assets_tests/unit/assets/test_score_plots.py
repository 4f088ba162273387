"""Pictures of daily scores: one a forecaster, from two scored days on, the same file for the same rows."""

from datetime import UTC, date, datetime, timedelta
from io import BytesIO

import polars as pl
from PIL import Image

from spx_assets.assets import score_plots
from spx_assets.lake.tables import FORECAST_SCORES


def days(n: int, **columns: object) -> pl.DataFrame:
    first = date(2025, 10, 13)
    rows = [
        {
            "trading_day": first + timedelta(days=k),
            "ts": datetime(2025, 10, 12, 21, tzinfo=UTC) + timedelta(days=k),
            "model_name": name,
            "family": family,
            "labelled": 100,
            "rmse_bp": 9.0 + k,
            "rmse_zero_bp": 10.0,
            "auc": None if k == 1 else 0.5,
            "coverage_interval": 0.9,
            **columns,
        }
        for k in range(n)
        for name in ("spx500_h30", "spx500_h60")
        for family in ("lightgbm", "xgboost")
    ]
    return pl.DataFrame(rows, schema=FORECAST_SCORES.schema())


def test_each_forecaster_has_a_picture_of_its_days() -> None:
    files = score_plots.files(days(4))
    assert list(files) == ["spx500_h30 by day", "spx500_h60 by day"]
    assert files == score_plots.files(days(4))
    with Image.open(BytesIO(files["spx500_h30 by day"])) as picture:
        assert picture.size == (576, 432)
        assert len(picture.convert("RGB").getcolors(1 << 16) or ()) > 10
    assert len(files["spx500_h30 by day"]) < 40_000


def test_one_day_or_days_without_outcomes_have_none() -> None:
    assert score_plots.files(days(1)) == {}
    assert score_plots.files(days(4, labelled=0)) == {}
    assert score_plots.files(FORECAST_SCORES.empty()) == {}
