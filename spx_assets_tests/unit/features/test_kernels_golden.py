"""Kernels against values worked out by hand: technical, returns, volatility.

A formula cannot drift unnoticed.
"""

import numpy as np
import pytest

from spx_assets.features.compute import compute
from spx_assets_tests.unit.features import market
from spx_assets_tests.unit.features.hand_made import NAN, flat, last, rows


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
    made = {k: v[-1] for k, v in compute("technical", rows(flat(300), volume=[5.0] * 300)).items()}
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
    candles = [(100.0, 101.0, 99.0, 100.0)] * 15 + [(100.0, 108.0, 99.0, 107.0)]
    made = compute("technical", rows(candles))
    assert made["atr_14"][14:].tolist() == pytest.approx([2.0, 2.5])  # (13 * 2 + 9) / 14
    assert made["atr_14_bp"][-1] == pytest.approx(2.5 / 107.0 * 1e4)
    assert made["momentum_5"][-1] == pytest.approx(7.0)
    assert made["momentum_5_atr"][-1] == pytest.approx(2.8)
    assert made["roc_12"][-1] == pytest.approx(700.0)


def test_stochastic_and_williams() -> None:
    candles = [(105.0, 110.0, 100.0, 105.0)] * 18 + [(105.0, 110.0, 100.0, 108.0)]
    made = compute("technical", rows(candles))
    assert made["williams_r_14"][-2:].tolist() == pytest.approx([-50.0, -20.0])
    assert made["stoch_k"][-1] == pytest.approx(60.0)  # (50 + 50 + 80) / 3
    assert made["stoch_d"][-1] == pytest.approx(53.3333333333)


def test_commodity_channel_index() -> None:
    made = last("technical", "cci_20", rows([*flat(19), (102.0, 102.0, 102.0, 102.0)]))
    assert made == pytest.approx(666.6666666667)  # 1.9 / (0.015 * 0.19)


def test_directional_movement_of_a_pure_uptrend() -> None:
    candles = [(100.0 + i, 101.0 + i, 100.0 + i, 101.0 + i) for i in range(60)]
    made = compute("technical", rows(candles))
    assert made["adx_14"][-1] == pytest.approx(100.0)
    assert made["di_spread_14"][-1] == pytest.approx(100.0)
    assert made["rsi_14_x_adx_14"][-1] == pytest.approx(50.0)


def test_money_flow_index() -> None:
    candles = [(p, p, p, p) for p in [100.0, 101.0] * 10]
    assert last("technical", "mfi_14", rows(candles, volume=[10.0] * 20)) == pytest.approx(50.2487562189)  # 101 / 201


def test_returns_are_over_minutes_of_the_clock() -> None:
    bars = rows([(p, p, p, p) for p in (100.0, 101.0, 102.0, 104.0, 108.0)], minutes=[0, 1, 2, 9, 10])
    made = compute("returns", bars)
    assert made["return_1"].tolist() == pytest.approx([NAN, 100.0, 99.00990099, 196.07843137, 384.61538462], nan_ok=True)
    # Five minutes before 17:09 the last price known was that of 17:02.
    assert made["return_5"].tolist() == pytest.approx([NAN, NAN, NAN, 196.07843137, 588.23529412], nan_ok=True)
    assert made["return_10"].tolist() == pytest.approx([NAN] * 4 + [800.0], nan_ok=True)
    assert made["log_return_1"][1] == pytest.approx(99.50330853)


def test_day_return_and_opening_gap() -> None:
    bars = rows(
        [(100, 100, 100, 100), (100, 101, 100, 101), (102, 102, 102, 102), (103, 104, 103, 104)], minutes=[0, 5, 1440, 1441]
    )
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
    assert last("volatility", name, rows([BAR] * 300)) == pytest.approx(expected, rel=1e-6)


def test_rogers_satchell_does_not_see_drift() -> None:
    candles = [(100.0 * 1.001**i, 100.0 * 1.001 ** (i + 1), 100.0 * 1.001**i, 100.0 * 1.001 ** (i + 1)) for i in range(40)]
    made = compute("volatility", rows(candles))
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


def test_moves_of_two_sizes_in_turn_are_a_quarter_jumps() -> None:
    steps = np.tile([4e-4, -1e-4], 50)
    made = compute("volatility", market.bars(100.0 * np.exp(np.cumsum(steps))))
    assert made["jump_share_60"][-1] == pytest.approx(1.0 - np.pi / 2.0 * 4.0 / 8.5)  # products of 4, squares of 16 and 1


def test_volatility_percentile_of_rising_and_falling_volatility() -> None:
    sizes = np.linspace(1e-5, 1e-3, 1500)
    signs = np.where(np.arange(1500) % 2 == 0, 1.0, -1.0)
    for path, expected in ((sizes, (1.0, 0.0, 1.0)), (sizes[::-1], (0.0, 1.0, 0.0))):
        made = compute("volatility", market.bars((100.0 * np.exp(np.cumsum(signs * path))).tolist()))
        names = ("volatility_percentile", "vol_regime_low", "vol_regime_high")
        assert tuple(made[name][-1] for name in names) == expected
