"""Lines over the weeks: one name whatever the day."""

from datetime import date

import polars as pl

from spx_assets.monitoring import plots


def test_a_week_is_told_by_its_newest_day_under_the_same_name() -> None:
    rows = pl.DataFrame(
        {
            "trading_day": [date(2025, 10, 6), date(2025, 10, 8), date(2025, 10, 13), date(2025, 10, 13)],
            "instrument": ["A", "A", "A", "B"],
            "share": [0.5, 0.1, 0.2, 0.3],
            "worst_statistic": [0.9, 0.8, None, 0.7],
        }
    )
    told = plots.newest(rows, [date(2025, 10, 5), date(2025, 10, 12)], of=["instrument"], values=["share", "worst_statistic"])
    assert told == {
        date(2025, 10, 5): {"A share": 0.1, "A worst statistic": 0.8},
        date(2025, 10, 12): {"A share": 0.2, "B share": 0.3, "B worst statistic": 0.7},
    }


def test_a_week_without_rows_is_told_nothing() -> None:
    rows = pl.DataFrame(schema={"trading_day": pl.Date, "instrument": pl.String, "share": pl.Float64})
    assert plots.newest(rows, [date(2025, 10, 5)], of=["instrument"], values=["share"]) == {date(2025, 10, 5): {}}
