"""Kernels against values worked out by hand, so that a formula cannot drift unnoticed."""

from datetime import UTC, date, datetime

import numpy as np
import pytest

from spx_assets.features.bars import Bars, DailyBars
from spx_assets.features.compute import compute
from spx_assets_tests.unit.features import market

START = datetime(2019, 5, 1, 21, tzinfo=UTC)  # Wednesday 17:00 New York: the trading day 2019-05-02 begins
NAN = float("nan")


def _bars(rows: list[tuple[float, float, float, float]], *, volume: list[float] | None = None, minutes: list[int] | None = None) -> Bars:
    o, h, low, c = (np.array(x, dtype=np.float64) for x in zip(*rows, strict=True))
    ts = round(START.timestamp()) * 1_000_000 + 60_000_000 * np.array(minutes if minutes is not None else range(len(rows)))
    v = np.array(volume, dtype=np.float64) if volume is not None else np.zeros(len(rows))
    return Bars(ts, o, h, low, c, v, np.full(len(rows), NAN))


def _last(family: str, name: str, bars: Bars, days: DailyBars | None = None) -> float:
    return float(compute(family, bars, days)[name][-1])


def _flat(n: int, *, price: float = 100.0) -> list[tuple[float, float, float, float]]:
    return [(price, price, price, price)] * n


def test_moving_averages_and_distances() -> None:
    bars = market.bars([10, 11, 12, 13, 14, 15])
    made = compute("technical", bars)
    assert made["sma_5"].tolist()[3:] == pytest.approx([NAN, 12.0, 13.0], nan_ok=True)
    assert made["ema_5"].tolist()[4:] == pytest.approx([12.0, 13.0])  # 12 + (15 - 12) * 2 / 6
    assert made["sma_distance_5"][-1] == pytest.approx(1538.4615384615)  # 15 / 13 - 1


def test_rsi_is_wilders() -> None:
    close = [100.0]
    for step in [2.0, -1.0] * 7 + [2.0]:
        close.append(close[-1] + step)
    rsi = compute("technical", market.bars(close))["rsi_14"]
    assert rsi[14] == pytest.approx(66.6666666667)  # gains 14/14, losses 7/14
    assert rsi[15] == pytest.approx(69.7674418605)  # gains (13 + 2)/14, losses 6.5/14


def test_indicators_of_a_price_that_never_moves_are_in_the_middle_or_null() -> None:
    made = {k: v[-1] for k, v in compute("technical", _bars(_flat(300), volume=[5.0] * 300)).items()}
    assert (made["rsi_14"], made["stoch_k"], made["stoch_d"], made["williams_r_14"], made["cci_20"]) == (50, 50, 50, -50, 0)
    assert np.isnan(made["bb_position"])
    assert made["bb_width"] == 0.0
    assert np.isnan(made["mfi_14"])


def test_macd_of_a_line_is_the_difference_of_the_averages_lags() -> None:
    made = compute("technical", market.bars([100.0 + i for i in range(60)]))
    assert made["macd"][-1] == pytest.approx(7.0)  # lags 12.5 and 5.5 bars
    assert made["macd_signal"][-1] == pytest.approx(7.0)
    assert made["macd_histogram"][-1] == pytest.approx(0.0, abs=1e-9)
    assert made["macd_bp"][-1] == pytest.approx(7.0 / 159.0 * 1e4)
    assert made["trend_slope_60"][-1] == pytest.approx(1.0 / 159.0 * 1e4)


def test_bollinger_bands() -> None:
    made = compute("technical", market.bars([99.0, 101.0] * 15))
    got = [made[k][-1] for k in ("bb_upper", "bb_middle", "bb_lower", "bb_width", "bb_position")]
    assert got == pytest.approx([102.0, 100.0, 98.0, 400.0, 0.75])


def test_average_true_range_and_momentum() -> None:
    rows = [(100.0, 101.0, 99.0, 100.0)] * 15 + [(100.0, 108.0, 99.0, 107.0)]
    made = compute("technical", _bars(rows))
    assert made["atr_14"][14:].tolist() == pytest.approx([2.0, 2.5])  # (13 * 2 + 9) / 14
    assert made["atr_14_bp"][-1] == pytest.approx(2.5 / 107.0 * 1e4)
    assert made["momentum_5"][-1] == pytest.approx(7.0)
    assert made["momentum_5_atr"][-1] == pytest.approx(2.8)
    assert made["roc_12"][-1] == pytest.approx(700.0)


def test_stochastic_and_williams() -> None:
    rows = [(105.0, 110.0, 100.0, 105.0)] * 18 + [(105.0, 110.0, 100.0, 108.0)]
    made = compute("technical", _bars(rows))
    assert made["williams_r_14"][-2:].tolist() == pytest.approx([-50.0, -20.0])
    assert made["stoch_k"][-1] == pytest.approx(60.0)  # (50 + 50 + 80) / 3
    assert made["stoch_d"][-1] == pytest.approx(53.3333333333)


def test_commodity_channel_index() -> None:
    made = _last("technical", "cci_20", _bars([*_flat(19), (102.0, 102.0, 102.0, 102.0)]))
    assert made == pytest.approx(666.6666666667)  # 1.9 / (0.015 * 0.19)


def test_directional_movement_of_a_pure_uptrend() -> None:
    rows = [(100.0 + i, 101.0 + i, 100.0 + i, 101.0 + i) for i in range(60)]
    made = compute("technical", _bars(rows))
    assert made["adx_14"][-1] == pytest.approx(100.0)
    assert made["di_spread_14"][-1] == pytest.approx(100.0)
    assert made["rsi_14_x_adx_14"][-1] == pytest.approx(50.0)


def test_money_flow_index() -> None:
    rows = [(p, p, p, p) for p in [100.0, 101.0] * 10]
    assert _last("technical", "mfi_14", _bars(rows, volume=[10.0] * 20)) == pytest.approx(50.2487562189)  # 101 / 201


def test_returns_are_over_minutes_of_the_clock() -> None:
    bars = _bars([(p, p, p, p) for p in (100.0, 101.0, 102.0, 104.0, 108.0)], minutes=[0, 1, 2, 9, 10])
    made = compute("returns", bars)
    assert made["return_1"].tolist() == pytest.approx([NAN, 100.0, 99.00990099, 196.07843137, 384.61538462], nan_ok=True)
    # Five minutes before 17:09 the last price known was that of 17:02.
    assert made["return_5"].tolist() == pytest.approx([NAN, NAN, NAN, 196.07843137, 588.23529412], nan_ok=True)
    assert made["return_10"].tolist() == pytest.approx([NAN] * 4 + [800.0], nan_ok=True)
    assert made["log_return_1"][1] == pytest.approx(99.50330853)


def test_day_return_and_opening_gap() -> None:
    bars = _bars([(100, 100, 100, 100), (100, 101, 100, 101), (102, 102, 102, 102), (103, 104, 103, 104)], minutes=[0, 5, 1440, 1441])
    made = compute("returns", bars)
    assert made["day_return"].tolist() == pytest.approx([0.0, 100.0, 0.0, 196.07843137])
    assert made["opening_gap"].tolist() == pytest.approx([NAN, NAN, 99.00990099, 99.00990099], nan_ok=True)


def test_shape_of_a_straight_and_of_a_zigzag_path() -> None:
    straight = compute("returns", market.bars([100.0 * 1.0001**i for i in range(70)]))
    assert straight["efficiency_ratio_30"][-1] == pytest.approx(1.0)
    zigzag = compute("returns", market.bars([100.0, 100.1] * 40))
    assert zigzag["efficiency_ratio_30"][-1] == pytest.approx(0.0, abs=1e-9)
    assert zigzag["return_autocorrelation_60"][-1] == pytest.approx(-1.0)
    # Alternating moves of 9.995 bp have that deviation (60/59 of it in sample terms); return_5 is one move.
    assert zigzag["return_5_sigma"][-1] == pytest.approx(np.sqrt(59 / 60) / np.sqrt(5), rel=1e-3)


BAR = (100.0, 100.0 * np.exp(5e-4), 100.0 * np.exp(-5e-4), 100.0)  # 10 basis points from low to high, close = open


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("parkinson_vol", 35.4158044),  # sqrt(10^2 / (4 ln 2)) bp x sqrt(347,760) / 100
        ("gk_vol", 41.6989209),  # sqrt(10^2 / 2)
        ("rs_vol", 41.6989209),  # sqrt(5^2 + 5^2)
        ("yz_vol", 38.6914681),  # sqrt((1 - 0.139044) x 50)
        ("hl_range_pct", 10.0),
        ("realized_range", 46.5192709),  # sqrt(60 x 10^2 / (4 ln 2))
        ("realized_range_ma", 46.5192709),
    ],
)
def test_range_based_volatility(name: str, expected: float) -> None:
    assert _last("volatility", name, _bars([BAR] * 300)) == pytest.approx(expected, rel=1e-6)


def test_rogers_satchell_does_not_see_drift() -> None:
    rows = [(100.0 * 1.001**i, 100.0 * 1.001 ** (i + 1), 100.0 * 1.001**i, 100.0 * 1.001 ** (i + 1)) for i in range(40)]
    made = compute("volatility", _bars(rows))
    assert made["rs_vol"][-1] == pytest.approx(0.0, abs=1e-4)
    assert made["parkinson_vol"][-1] > 30


def test_close_to_close_volatility_of_alternating_returns() -> None:
    made = compute("volatility", market.bars([100.0, 100.0 * np.exp(1e-3)] * 150))
    assert made["volatility_20"][-1] == pytest.approx(10.2597835)  # 10 sqrt(20/19)
    assert made["hist_vol_20"][-1] == pytest.approx(60.5031549)
    assert made["hist_vol_50"][-1] == pytest.approx(59.5699129)  # 10 sqrt(50/49)
    assert made["ewma_vol"][-1] == pytest.approx(58.9711794)
    assert made["vol_of_vol"][-1] == pytest.approx(0.0, abs=1e-6)
    assert made["downside_share_60"][-1] == pytest.approx(0.5)
    assert made["jump_share_60"][-1] == 0.0  # bipower pi/2 above the variance


def test_one_jump_is_all_jump() -> None:
    made = compute("volatility", market.bars([100.0] * 70 + [99.0] * 10))
    assert made["jump_share_60"][-1] == 1.0
    assert made["downside_share_60"][-1] == 1.0


def test_volatility_percentile_of_rising_and_falling_volatility() -> None:
    sizes = np.linspace(1e-5, 1e-3, 1500)
    signs = np.where(np.arange(1500) % 2 == 0, 1.0, -1.0)
    for path, expected in ((sizes, (1.0, 0.0, 1.0)), (sizes[::-1], (0.0, 1.0, 0.0))):
        made = compute("volatility", market.bars((100.0 * np.exp(np.cumsum(signs * path))).tolist()))
        names = ("volatility_percentile", "vol_regime_low", "vol_regime_high")
        assert tuple(made[name][-1] for name in names) == expected


def test_pressure_and_wicks() -> None:
    made = compute("microstructure", _bars([(105.0, 110.0, 100.0, 107.5)] * 60))
    assert made["buy_pressure_5"][-1] == pytest.approx(0.75)
    assert made["sell_pressure_30"][-1] == pytest.approx(0.25)
    assert made["wick_imbalance_60"][-1] == pytest.approx(0.25)  # (5 - 2.5) / 10
    assert made["buy_pressure_30_x_range"][-1] == pytest.approx(0.5)


def test_effective_spreads() -> None:
    bounce = compute("microstructure", market.bars([100.0, 100.0 * np.exp(1e-3)] * 50))
    assert bounce["effective_spread_roll"][-1] == pytest.approx(20.0)  # 2 sqrt(10^2)
    # Corwin-Schultz: bars that all run from bid to ask have beta = 2 s^2 and gamma = s^2, so alpha = s.
    same = _bars([(100.0, 100.0 * np.exp(5e-4), 100.0 * np.exp(-5e-4), 100.0)] * 80)
    assert _last("microstructure", "spread_proxy", same) == pytest.approx(10.0, rel=1e-6)


def test_quoted_spread_uses_the_known_ones_only() -> None:
    bars = _bars(_flat(4))
    bars.spread[:] = [1.0, NAN, 3.0, 2.0]
    made = compute("microstructure", bars)
    assert made["spread_pct"].tolist() == pytest.approx([100.0, NAN, 300.0, 200.0], nan_ok=True)
    assert made["spread_ratio_60"].tolist() == pytest.approx([1.0, NAN, 1.5, 1.0], nan_ok=True)


def test_volume_features() -> None:
    made = compute("microstructure", _bars(_flat(60), volume=[10.0] * 59 + [210.0]))
    assert made["volume_ma20"][-1] == pytest.approx(20.0)
    assert made["volume_ratio"][-1] == pytest.approx(10.5)
    assert made["volume_zscore"][-1] == pytest.approx(6.9296464556)  # 196 / (200 / sqrt(50))
    assert made["volume_velocity"][-1] == pytest.approx(np.log(5.0))  # 250 / 50
    assert made["volume_acceleration"][-1] == pytest.approx(np.log(5.0))


def test_order_flow_impact_and_illiquidity() -> None:
    close = [100.0, 100.0 * np.exp(1e-3)] * 130
    made = compute("microstructure", _bars([(p, p, p, p) for p in close], volume=[1.0, 3.0] * 130))
    assert made["order_flow_imbalance"][-1] == pytest.approx(0.5)
    assert made["tick_imbalance_30"][-1] == pytest.approx(0.0)
    assert made["price_impact"][-1] == pytest.approx(6.6666666667)  # 10 bp, usual volume 2, here 3
    assert made["price_impact_ma20"][-1] == pytest.approx(10.0)
    assert made["illiquidity"][-2] == pytest.approx(0.1)  # 10 bp / (1 x 100)
    assert made["illiquidity_ratio"][-1] == pytest.approx(1.0)


def test_vwap_starts_anew_each_trading_day() -> None:
    rows = [(100.0, 100.0, 100.0, 100.0), (103.0, 103.0, 103.0, 103.0), (50.0, 50.0, 50.0, 50.0), (52.0, 52.0, 52.0, 52.0)]
    made = compute("microstructure", _bars(rows, volume=[1.0, 2.0, 4.0, 4.0], minutes=[0, 1, 1440, 1441]))
    assert made["vwap"].tolist() == pytest.approx([100.0, 102.0, 50.0, 51.0])
    assert made["close_vwap_ratio"][1] == pytest.approx(103.0 / 102.0)
    assert made["vwap_deviation"].tolist() == pytest.approx([NAN, 0.7071067812, NAN, 1.0], nan_ok=True)


def test_levels_look_at_the_bars_before() -> None:
    rows = [(100.0, 101.0, 99.0, 100.0)] * 60 + [(100.0, 104.0, 99.0, 103.0), (103.0, 103.0, 97.0, 98.0)]
    made = compute("microstructure", _bars(rows))
    assert made["breakout_60"][-3:].tolist() == pytest.approx([NAN, 1.0, -1.0], nan_ok=True)
    atr = compute("technical", _bars(rows))["atr_14"]
    assert made["resistance_distance_60"][-2:].tolist() == pytest.approx([-2.0 / atr[-2], 6.0 / atr[-1]])
    assert made["support_distance_60"][-1] == pytest.approx(-1.0 / atr[-1])
    assert made["day_range_position"][-2:].tolist() == pytest.approx([0.8, 1.0 / 7.0])


def test_trading_density_counts_minutes_that_traded() -> None:
    made = compute("microstructure", _bars(_flat(32), minutes=[*range(0, 60, 2), 60, 90]))["trading_density_60"]
    assert made[-2:].tolist() == pytest.approx([30 / 60, 16 / 60])  # 2, 4, ..., 58, 60; and 32, ..., 58, 60, 90


def test_a_higher_bar_counts_from_its_end() -> None:
    close = [100.0] * 5 + [101.0] * 5 + [103.0] * 6
    at = compute("timeframes", market.bars(close))["return_5m"]
    assert at[8:].tolist() == pytest.approx([NAN] + [100.0] * 5 + [198.01980198] * 2, nan_ok=True)


def test_a_higher_bar_whose_last_minute_is_missing_counts_from_the_next_bar() -> None:
    minutes = [0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11]
    bars = _bars([(p, p, p, p) for p in [100.0] * 5 + [101.0] * 4 + [103.0] * 2], minutes=minutes)
    assert compute("timeframes", bars)["return_5m"].tolist() == pytest.approx([NAN] * 9 + [100.0] * 2, nan_ok=True)


def test_daily_indicators_are_of_completed_days() -> None:
    first = (date(2019, 4, 25) - date(1970, 1, 1)).days
    days = DailyBars(
        np.array([first, first + 1, first + 4, first + 5, first + 6, first + 7]),  # Thu, Fri, Mon, Tue, Wed, and the bar's own Thu
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
