"""Verdicts on answered forecasts by hand-made bars."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from spx_assets.lake.serving_tables import OUTCOMES
from spx_assets.scoring.settlement import judge

T = datetime(2025, 10, 15, 14, 0, tzinfo=UTC)  # 10:00 New York; the trading day ends at 21:00 UTC
MINUTE = timedelta(minutes=1)


def bars(minutes: Sequence[int], *, start: datetime = T, opens: float = 100.0) -> pl.DataFrame:
    """Bars at `start` plus so many minutes; minute k opens at opens + k / 100 and closes a hundredth above."""
    return pl.DataFrame(
        {
            "instrument": ["SPX500_USD"] * len(minutes),
            "ts": [start + k * MINUTE for k in minutes],
            "open": [opens + k / 100 for k in minutes],
            "close": [opens + (k + 1) / 100 for k in minutes],
        },
        schema_overrides={"ts": pl.Datetime("us", "UTC")},
    )


def forecasts(*times: datetime, prediction: str = "up", horizon: int = 30, tolerance: int = 5) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "instrument": "SPX500_USD",
            "ts": list(times),
            "horizon_minutes": horizon,
            "model_digest": "d",
            "prediction": prediction,
            "tolerance_min": tolerance,
        },
        schema={name: OUTCOMES.schema()[name] for name in OUTCOMES.key} | {"tolerance_min": pl.Int32()},
    )


def verdict(asked: pl.DataFrame, found: pl.DataFrame, *, known: datetime | None = None) -> tuple[object, ...]:
    """(status, realised_return_bp, hit) of one forecast; () while it waits."""
    judged = judge(asked, found, known=known or (found["ts"][-1] if found.height else None), table="bronze.candles")
    return judged.select("status", "realised_return_bp", "hit").row(0) if judged.height else ()


def test_the_realised_return_is_from_the_open_after_the_bar_to_the_last_close_of_the_horizon() -> None:
    # entry: minute 1 opens at 100.01; exit: minute 30 closes at 100.31.
    status, realised, hit = verdict(forecasts(T), bars(range(31)))
    assert (status, hit) == ("settled", True)
    assert realised == pytest.approx(1e4 * (100.31 / 100.01 - 1), abs=1e-9) == pytest.approx(29.997, abs=1e-3)
    assert verdict(forecasts(T, prediction="down"), bars(range(31)))[2] is False


def test_a_fall_is_a_hit_of_down_and_a_tie_of_neither() -> None:
    falling = bars(range(31)).with_columns(open=200 - pl.col("open"), close=200 - pl.col("close"))
    assert verdict(forecasts(T, prediction="down"), falling)[2] is True
    assert verdict(forecasts(T), falling)[2] is False
    flat = bars(range(31)).with_columns(open=pl.lit(100.0), close=pl.lit(100.0))
    assert verdict(forecasts(T), flat) == ("settled", 0.0, None)


def test_nothing_is_said_before_the_horizons_last_bar_is_known() -> None:
    assert verdict(forecasts(T), bars(range(30))) == ()
    assert verdict(forecasts(T), bars([])) == ()
    # The exit may be a bar up to the tolerance earlier, once a later bar shows that no other comes.
    early = bars([*range(28), 33])
    assert verdict(forecasts(T), early.filter(pl.col("ts") < T + 30 * MINUTE)) == ()
    status, realised, _ = verdict(forecasts(T), early)
    assert (status, realised) == ("settled", pytest.approx(1e4 * (100.28 / 100.01 - 1), abs=1e-9))


@pytest.mark.parametrize(
    "minutes",
    [
        pytest.param([*range(10), *range(15, 40)], id="two bars more than the tolerance apart"),
        pytest.param([*range(26), *range(31, 40)], id="no bar in the last five minutes"),
        pytest.param([0, *range(31, 40)], id="no entry"),
    ],
)
def test_a_gap_is_marked_and_not_waited_for(minutes: list[int]) -> None:
    assert verdict(forecasts(T), bars(minutes)) == ("gap", None, None)


def test_the_tolerance_is_that_of_the_forecast() -> None:
    gap = bars([*range(10), *range(15, 40)])
    assert verdict(forecasts(T, tolerance=6), gap)[0] == "settled"
    mixed = pl.concat([forecasts(T), forecasts(T, tolerance=6, horizon=20)])
    found = judge(mixed, gap, known=gap["ts"][-1], table="t")
    assert found.select("horizon_minutes", "status").rows() == [(20, "settled"), (30, "gap")]


def test_a_bar_that_never_came_officially_has_no_outcome() -> None:
    assert verdict(forecasts(T), bars(range(1, 40))) == ("no_bar", None, None)


@pytest.mark.parametrize(("minute", "status"), [(29, "settled"), (30, "crosses_close")])
def test_a_label_that_lives_past_the_trading_day_is_marked_at_once(minute: int, status: str) -> None:
    at = datetime(2025, 10, 15, 20, minute, tzinfo=UTC)  # 16:29 and 16:30 New York: it ends 17:00 or 17:01
    day = bars(range(31), start=at)
    assert verdict(forecasts(at), day)[0] == status
    if status == "crosses_close":
        assert verdict(forecasts(at), bars([])) == (status, None, None)


def test_the_day_ends_at_five_in_new_york_in_winter_too() -> None:
    at = datetime(2025, 12, 15, 21, 29, tzinfo=UTC)
    assert verdict(forecasts(at), bars(range(31), start=at))[0] == "settled"
    assert verdict(forecasts(at + MINUTE), bars([]))[0] == "crosses_close"


def test_verdicts_have_the_columns_of_the_table() -> None:
    judged = judge(forecasts(T, T + MINUTE), bars(range(31)), known=T + 30 * MINUTE, table="bronze.candles")
    assert judged.schema == {name: OUTCOMES.schema()[name] for name in judged.columns}
    assert judged.columns == [c.name for c in OUTCOMES.columns if c.name not in ("settled_at", "bars_snapshot")]
    assert judged.select("ts", "bars").rows() == [(T, "bronze.candles")]
