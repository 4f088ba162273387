"""Outcomes as the page counts them: rates of what was settled, the newest first."""

from datetime import UTC, datetime, timedelta

import polars as pl

from serving.dashboard import record
from serving.dashboard.record import EMPTY

START = datetime(2025, 10, 15, 14, 0, tzinfo=UTC)


def rows(*outcomes: tuple[str | None, float | None, bool | None]) -> pl.DataFrame:
    """Forecasts a minute apart with an interval of -10 to 12 bp: status, realised return, hit."""
    said = {"prediction": "up", "model_version": "v1", "confidence": 0.55, "signal": "hold", "expected_return_bp": 1.0}
    band = {"low_bp": -10.0, "high_bp": 12.0, "level": 0.9}
    made = [
        said | band | {"ts": START + timedelta(minutes=k), "status": status, "realised_return_bp": realised, "hit": hit}
        for k, (status, realised, hit) in enumerate(outcomes)
    ]
    return pl.DataFrame(made, schema=EMPTY)


def test_rates_are_of_settled_forecasts_and_a_tie_is_neither_right_nor_wrong() -> None:
    found = record.told(
        rows(("settled", 5.0, True), ("settled", -20.0, False), ("settled", 0.0, None), ("gap", None, None), (None, None, None))
    )
    assert (found.answered, found.settled) == (5, 3)
    assert found.hit_rate == 0.5
    assert found.coverage == 2 / 3
    assert found.level == 0.9
    assert [(row.status, row.hit, row.covered) for row in found.forecasts] == [
        (None, None, None),
        ("gap", None, None),
        ("settled", None, True),
        ("settled", False, False),
        ("settled", True, True),
    ]
    assert found.running_hit_rate == [1.0, 0.5, 0.5]
    assert found.running_coverage == [1.0, 0.5, 2 / 3]
    assert found.running_ts[1] - found.running_ts[0] == 60_000


def test_running_rates_forget_what_is_older_than_their_window() -> None:
    found = record.told(rows(*[("settled", 50.0, False)] * 50, *[("settled", 1.0, True)] * record.WINDOW))
    assert found.hit_rate == record.WINDOW / (record.WINDOW + 50)
    assert found.running_hit_rate[-1] == 1.0
    assert len(found.forecasts) == record.SHOWN


def test_a_long_record_is_drawn_with_few_points() -> None:
    found = record.told(rows(*[("settled", 1.0, True)] * 1000))
    assert len(found.running_ts) <= record.POINTS
    assert found.settled == 1000


def test_without_a_forecast_there_is_no_rate() -> None:
    found = record.told(rows())
    assert (found.answered, found.settled, found.forecasts) == (0, 0, [])
    assert (found.hit_rate, found.coverage, found.level) == (None, None, None)
