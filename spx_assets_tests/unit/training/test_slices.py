"""Which rows belong to which session, tercile and month: literal New York times, and the features of the same names."""

from datetime import UTC, datetime

import numpy as np

from spx_assets.features.market_time import microseconds
from spx_assets.training.dataset import Dataset
from spx_assets.training.evaluation import slices


def data(instants, volatility=None):
    ts = np.array([microseconds(datetime.fromisoformat(text).replace(tzinfo=UTC)) for text in instants])
    value = np.zeros(len(ts)) if volatility is None else np.array(volatility)
    return Dataset(
        features=("a", slices.VOLATILITY) if volatility is not None else ("a", "b"),
        instruments=("SPX500_USD",),
        horizon_minutes=1,
        X=np.column_stack([np.zeros(len(ts)), value]).astype(np.float32),
        instrument=np.zeros(len(ts), np.int32),
        ts=ts,
        label_end=ts,
        return_bp=value,
        up=value,
        snapshot=0,
        hash="",
        tolerance_min=5,
    )


def parts(found):
    return {name: np.flatnonzero(mask).tolist() for name, mask in found.items()}


def test_sessions_follow_new_york_on_both_sides_of_a_clock_change():
    """New York leaves summer time on 2025-11-02: 03:00 there is 07:00 UTC before and 08:00 after."""
    summer = [
        "2025-10-30 21:00",
        "2025-10-31 06:59",
        "2025-10-31 07:00",
        "2025-10-31 13:29",
        "2025-10-31 13:30",
        "2025-10-31 19:59",
    ]
    winter = [
        "2025-11-02 22:00",
        "2025-11-03 07:59",
        "2025-11-03 08:00",
        "2025-11-03 14:29",
        "2025-11-03 14:30",
        "2025-11-03 20:59",
    ]
    rows = data([*summer, "2025-10-31 20:30", *winter, "2025-11-03 21:00"])
    found = slices.of(rows, np.arange(14), np.arange(14))["session"]
    assert parts(found) == {"asia": [0, 1, 7, 8], "europe": [2, 3, 9, 10], "us": [4, 5, 11, 12]}


def test_a_month_is_that_of_the_trading_day():
    """2025-09-30 21:00 UTC is 17:00 New York: the trading day of 1 October begins."""
    rows = data(["2025-09-30 20:59", "2025-09-30 21:00", "2025-10-31 20:00"])
    assert parts(slices.of(rows, np.arange(3), np.arange(3))["month"]) == {"2025-09": [0], "2025-10": [1, 2]}


def test_terciles_have_the_edges_of_the_fit_rows():
    minute = [f"2025-09-15 12:{k:02d}" for k in range(9)]
    rows = data(minute, [0.0, 3.0, 6.0, np.nan, 1.9, 2.0, 4.1, 100.0, np.nan])
    found = slices.of(rows, np.arange(4, 9), np.arange(4))["volatility"]
    assert parts(found) == {"low": [0], "middle": [1], "high": [2, 3]}


def test_a_forecaster_without_the_input_has_no_terciles():
    rows = data(["2025-09-15 12:00", "2025-09-15 12:01"])
    assert slices.of(rows, np.arange(2), np.arange(2))["volatility"] == {}
