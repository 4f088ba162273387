"""Kernels against values worked out by hand: microstructure, volume, timeframes, calendar.

A formula cannot drift unnoticed.
"""

from datetime import UTC, date, datetime

import numpy as np
import pytest

from spx_assets.features.bars import DailyBars
from spx_assets.features.compute import compute
from spx_assets_tests.unit.features import market
from spx_assets_tests.unit.features.hand_made import NAN, flat, last, rows


def test_pressure_and_wicks() -> None:
    made = compute("microstructure", rows([(105.0, 110.0, 100.0, 107.5)] * 60))
    assert made["buy_pressure_5"][-1] == pytest.approx(0.75)
    assert made["sell_pressure_30"][-1] == pytest.approx(0.25)
    assert made["wick_imbalance_60"][-1] == pytest.approx(0.25)  # (5 - 2.5) / 10
    assert made["buy_pressure_30_x_range"][-1] == pytest.approx(0.5)


def test_effective_spreads() -> None:
    bounce = compute("microstructure", market.bars([100.0, 100.0 * np.exp(1e-3)] * 50))
    assert bounce["effective_spread_roll"][-1] == pytest.approx(20.0)  # 2 sqrt(10^2)
    # Corwin-Schultz: bars that all run from bid to ask have beta = 2 s^2 and gamma = s^2, so alpha = s.
    same = rows([(100.0, 100.0 * np.exp(5e-4), 100.0 * np.exp(-5e-4), 100.0)] * 80)
    assert last("microstructure", "spread_proxy", same) == pytest.approx(10.0, rel=1e-6)


def test_quoted_spread_uses_the_known_ones_only() -> None:
    bars = rows(flat(4))
    bars.spread[:] = [1.0, NAN, 3.0, 2.0]
    made = compute("microstructure", bars)
    assert made["spread_pct"].tolist() == pytest.approx([100.0, NAN, 300.0, 200.0], nan_ok=True)
    assert made["spread_ratio_60"].tolist() == pytest.approx([1.0, NAN, 1.5, 1.0], nan_ok=True)


def test_volume_features() -> None:
    made = compute("microstructure", rows(flat(60), volume=[10.0] * 59 + [210.0]))
    assert made["volume_ma20"][-1] == pytest.approx(20.0)
    assert made["volume_ratio"][-1] == pytest.approx(10.5)
    assert made["volume_zscore"][-1] == pytest.approx(6.9296464556)  # 196 / (200 / sqrt(50))
    assert made["volume_velocity"][-1] == pytest.approx(np.log(5.0))  # 250 / 50
    assert made["volume_acceleration"][-1] == pytest.approx(np.log(5.0))


def test_order_flow_impact_and_illiquidity() -> None:
    close = [100.0, 100.0 * np.exp(1e-3)] * 130
    made = compute("microstructure", rows([(p, p, p, p) for p in close], volume=[1.0, 3.0] * 130))
    assert made["order_flow_imbalance"][-1] == pytest.approx(0.5)
    assert made["tick_imbalance_30"][-1] == pytest.approx(0.0)
    assert made["price_impact"][-1] == pytest.approx(6.6666666667)  # 10 bp, usual volume 2, here 3
    assert made["price_impact_ma20"][-1] == pytest.approx(10.0)
    assert made["illiquidity"][-2] == pytest.approx(0.1)  # 10 bp / (1 x 100)
    assert made["illiquidity_ratio"][-1] == pytest.approx(1.0)


def test_vwap_starts_anew_each_trading_day() -> None:
    candles = [(100.0, 100.0, 100.0, 100.0), (103.0, 103.0, 103.0, 103.0), (50.0, 50.0, 50.0, 50.0), (52.0, 52.0, 52.0, 52.0)]
    made = compute("microstructure", rows(candles, volume=[1.0, 2.0, 4.0, 4.0], minutes=[0, 1, 1440, 1441]))
    assert made["vwap"].tolist() == pytest.approx([100.0, 102.0, 50.0, 51.0])
    assert made["close_vwap_ratio"][1] == pytest.approx(103.0 / 102.0)
    assert made["vwap_deviation"].tolist() == pytest.approx([NAN, 0.7071067812, NAN, 1.0], nan_ok=True)


def test_levels_look_at_the_bars_before() -> None:
    candles = [(100.0, 101.0, 99.0, 100.0)] * 60 + [(100.0, 104.0, 99.0, 103.0), (103.0, 103.0, 97.0, 98.0)]
    made = compute("microstructure", rows(candles))
    assert made["breakout_60"][-3:].tolist() == pytest.approx([NAN, 1.0, -1.0], nan_ok=True)
    atr = compute("technical", rows(candles))["atr_14"]
    assert made["resistance_distance_60"][-2:].tolist() == pytest.approx([-2.0 / atr[-2], 6.0 / atr[-1]])
    assert made["support_distance_60"][-1] == pytest.approx(-1.0 / atr[-1])
    assert made["day_range_position"][-2:].tolist() == pytest.approx([0.8, 1.0 / 7.0])


def test_trading_density_counts_minutes_that_traded() -> None:
    made = compute("microstructure", rows(flat(32), minutes=[*range(0, 60, 2), 60, 90]))["trading_density_60"]
    assert made[-2:].tolist() == pytest.approx([30 / 60, 16 / 60])  # 2, 4, ..., 58, 60; and 32, ..., 58, 60, 90


def test_a_higher_bar_counts_from_its_end() -> None:
    close = [100.0] * 5 + [101.0] * 5 + [103.0] * 6
    at = compute("timeframes", market.bars(close))["return_5m"]
    assert at[8:].tolist() == pytest.approx([NAN] + [100.0] * 5 + [198.01980198] * 2, nan_ok=True)


def test_a_higher_bar_whose_last_minute_is_missing_counts_from_the_next_bar() -> None:
    minutes = [0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11]
    bars = rows([(p, p, p, p) for p in [100.0] * 5 + [101.0] * 4 + [103.0] * 2], minutes=minutes)
    assert compute("timeframes", bars)["return_5m"].tolist() == pytest.approx([NAN] * 9 + [100.0] * 2, nan_ok=True)


def test_daily_indicators_are_of_completed_days() -> None:
    first = (date(2019, 4, 25) - date(1970, 1, 1)).days
    days = DailyBars(
        np.array(
            [first, first + 1, first + 4, first + 5, first + 6, first + 7]
        ),  # Thu, Fri, Mon, Tue, Wed, and the bar's own Thu
        np.array([101.0, 102.0, 103.0, 104.0, 107.0, 999.0]),
        np.array([99.0, 98.0, 97.0, 96.0, 95.0, 1.0]),
        np.array([100.0, 101.0, 102.0, 103.0, 105.0, 500.0]),
    )
    made = {k: v[-1] for k, v in compute("timeframes", market.bars([104.0]), days).items()}
    assert made["return_1d"] == pytest.approx(194.17475728)
    assert np.isnan(made["return_5d"])  # five completed days hold four returns
    assert made["previous_high_distance_1d"] == pytest.approx(288.46153846)
    assert made["previous_low_distance_1d"] == pytest.approx(947.36842105)


@pytest.mark.parametrize(
    ("at", "minute", "weekday", "session", "left"),
    [
        (datetime(2019, 5, 2, 14, 30, tzinfo=UTC), 630, 3, "us", 390),  # 10:30 in summer
        (datetime(2019, 3, 8, 14, 30, tzinfo=UTC), 570, 4, "us", 450),  # 09:30, the last winter Friday
        (datetime(2019, 3, 10, 21, 0, tzinfo=UTC), 1020, 0, "asia", 1440),  # Sunday 17:00, clocks changed that morning
        (datetime(2018, 11, 4, 22, 0, tzinfo=UTC), 1020, 0, "asia", 1440),  # and back
        (datetime(2018, 11, 5, 9, 0, tzinfo=UTC), 240, 0, "europe", 780),
        (datetime(2018, 11, 5, 21, 30, tzinfo=UTC), 990, 0, "", 30),
    ],
)
def test_calendar(at: datetime, minute: int, weekday: int, session: str, left: int) -> None:
    made = {k: v[-1] for k, v in compute("calendar", market.bars([1.0], start=at)).items()}
    assert (made["minute_of_day"], made["day_of_week"], made["minutes_to_day_end"]) == (minute, weekday, left)
    assert [s for s in ("asia", "europe", "us") if made[f"session_{s}"]] == ([session] if session else [])
    assert made["time_of_day_sin"] == pytest.approx(np.sin(2 * np.pi * minute / 1440))
    assert made["day_of_week_cos"] == pytest.approx(np.cos(2 * np.pi * weekday / 5))
