"""What holds for every price path: bounds, scale, the textbook library, and the rows asked for."""

import gc
import weakref
from dataclasses import replace

import numpy as np
import pytest
import talib
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spx_assets.features import catalog
from spx_assets.features.bars import BAR_COLUMNS, Bars
from spx_assets.features.compute import compute, stored
from spx_assets_tests.unit.features import market
from spx_assets_tests.unit.features.lookahead import same_bits

QUICK = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def histories(draw: st.DrawFn) -> Bars:
    """Walks with gaps, flat stretches, jumps and dead volume, at any price."""
    rows = draw(st.integers(2, 700))
    bars = market.walk(
        rows,
        seed=draw(st.integers(0, 2**31)),
        price=draw(st.sampled_from([0.007, 1.2, 97.0, 2700.0, 4.1e5])),
        gaps=draw(st.sampled_from([0.0, 0.3])),
        volume=draw(st.booleans()),
        known_spread=draw(st.sampled_from([0.0, 0.5, 1.0])),
    )
    start = draw(st.integers(0, len(bars) - 1))
    stop = min(start + draw(st.integers(0, 300)), len(bars))
    for name in ("open", "high", "low", "close"):
        getattr(bars, name)[start:stop] = bars.close[start]
    bars.volume[draw(st.integers(0, len(bars))) :][:100] = 0.0
    return bars


@QUICK
@given(histories())
def test_every_feature_keeps_its_bounds_and_is_never_infinite(bars: Bars) -> None:
    for family in catalog.MARKET_FAMILIES:
        made = compute(family, bars, market.days())
        for feature in catalog.family(family):
            values = stored(feature, made[feature.name])
            assert values.shape == (len(bars),)
            assert not np.isinf(values).any(), feature.name
            known = values[~np.isnan(values)]
            if len(known):
                assert feature.low is None or known.min() >= feature.low, (feature.name, known.min())
                assert feature.high is None or known.max() <= feature.high, (feature.name, known.max())


@QUICK
@given(histories(), st.integers(0, 699))
def test_rows_asked_for_are_the_rows_of_the_whole_history_to_the_bit(bars: Bars, first: int) -> None:
    first = first % len(bars)
    for family in catalog.MARKET_FAMILIES:
        whole = compute(family, bars, market.days())
        part = compute(family, bars.ask(first), market.days())
        assert [name for name in whole if not same_bits(whole[name][first:], part[name])] == []


@QUICK
@given(histories(), st.tuples(*[st.integers(0, 699)] * 3))
def test_a_window_of_a_longer_history_is_a_history_of_its_own_to_the_bit(bars: Bars, rows: tuple[int, int, int]) -> None:
    start, first, last = sorted(row % len(bars) for row in rows)
    alone = Bars(*(getattr(bars, name)[start : last + 1].copy() for name in BAR_COLUMNS)).ask(first - start)
    for family in catalog.MARKET_FAMILIES:
        part = compute(family, bars.window(start, last + 1, first=first), market.days())
        made = compute(family, alone, market.days())
        assert [name for name in made if not same_bits(made[name], part[name])] == []


def test_what_the_day_does_not_reach_back_to_moves_no_feature() -> None:
    """Three days before the day asked for, or two: every window and every recursion of one-minute bars has settled."""
    bars = market.walk(8 * 1440, seed=11)  # from Thursday, closed hours included
    first, days = 7 * 1440, market.days(before=bars.days[0].date)
    for family in ("returns", "technical", "volatility", "microstructure", "calendar"):
        long = compute(family, bars.window(4 * 1440, len(bars), first=first), days)
        short = compute(family, bars.window(5 * 1440, len(bars), first=first), days)
        loose = {"ema_200"}  # forgets 1 % of its state a row
        for name, values in long.items():
            rtol = 1e-6 if name in loose else 1e-9
            np.testing.assert_allclose(short[name], values, rtol=rtol, atol=1e-9, err_msg=name)


@QUICK
@given(st.integers(0, 10_000), st.sampled_from([2.0**-7, 8.0]))
def test_model_inputs_do_not_depend_on_the_price_scale(seed: int, scale: float) -> None:
    bars = market.walk(800, seed=seed)
    prices = {name: getattr(bars, name) * scale for name in ("open", "high", "low", "close", "spread")}
    days = market.days()
    scaled_days = replace(days, high=days.high * scale, low=days.low * scale, close=days.close * scale)
    for family in catalog.MARKET_FAMILIES:
        plain = compute(family, bars, days)
        scaled = compute(family, replace(bars, **prices), scaled_days)
        for feature in catalog.family(family):
            if feature.model_input:
                np.testing.assert_allclose(scaled[feature.name], plain[feature.name], rtol=1e-6, atol=1e-6, err_msg=feature.name)


def test_windows_agree_with_ta_lib() -> None:
    bars = market.walk(3000, seed=6)
    made = compute("technical", bars) | compute("volatility", bars)
    for n in (5, 20, 200):
        np.testing.assert_allclose(made[f"sma_{n}"], talib.SMA(bars.close, n), rtol=1e-11)
    np.testing.assert_allclose(made["cci_20"], talib.CCI(bars.high, bars.low, bars.close, 20), rtol=1e-6, atol=1e-6)
    upper, _, lower = talib.BBANDS(bars.close, 20, 2, 2)
    np.testing.assert_allclose(made["bb_upper"], upper, rtol=1e-8)
    np.testing.assert_allclose(made["bb_lower"], lower, rtol=1e-8)
    np.testing.assert_allclose(made["williams_r_14"], talib.WILLR(bars.high, bars.low, bars.close, 14), atol=1e-9)
    np.testing.assert_allclose(made["mfi_14"], talib.MFI(bars.high, bars.low, bars.close, bars.volume, 14), rtol=1e-8, atol=1e-9)
    deviation = talib.STDDEV(bars.log_return, 50, np.sqrt(50 / 49))
    np.testing.assert_allclose(made["volatility_50"], deviation, rtol=1e-7)
    slope = 1e4 * talib.LINEARREG_SLOPE(bars.close, 60) / bars.close
    np.testing.assert_allclose(made["trend_slope_60"], slope, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("family", catalog.MARKET_FAMILIES)
def test_warm_up_is_what_the_catalog_says(family: str) -> None:
    bars = market.walk(3000, seed=2, known_spread=1.0)
    made = compute(family, bars, market.days())
    first = {f.name: int(np.flatnonzero(~np.isnan(made[f.name]))[0]) for f in catalog.family(family)}
    assert first == {f.name: f.warmup for f in catalog.family(family)}
    later = {f.name for f in catalog.family(family) if np.isnan(made[f.name][f.warmup :]).any()}
    assert later <= {"vwap_deviation"}  # null again on the first bar of each day: one price has no dispersion


@pytest.mark.parametrize("family", catalog.MARKET_FAMILIES)
def test_a_feature_depends_on_its_declared_inputs_and_on_no_other(family: str) -> None:
    """The column lineage in the catalog is the truth: each column is disturbed in turn."""
    bars = market.walk(1600, seed=9, known_spread=1.0)
    whole = compute(family, bars, market.days())
    moved: dict[str, set[str]] = {f.name: set() for f in catalog.family(family)}
    rng = np.random.default_rng(0)
    for column in BAR_COLUMNS[1:]:
        # Small enough that prices stay inside their bar's range for every column but high and low, which widen it.
        factor = {"high": 1.0 + 1e-3 * rng.random(len(bars)), "low": 1.0 - 1e-3 * rng.random(len(bars))}
        shaken = getattr(bars, column) * factor.get(column, 1.0 + 1e-5 * rng.standard_normal(len(bars)))
        for name, values in compute(family, replace(bars, **{column: shaken}), market.days()).items():
            if not same_bits(values, whole[name]):
                moved[name].add(column)
    days = market.days()
    for column in ("high", "low", "close"):
        factor_ = {"high": 1.001, "low": 0.999, "close": 1.0 + 1e-4 * rng.random(len(days.day))}[column]
        shaken_days = replace(days, **{column: getattr(days, column) * factor_})
        for name, values in compute(family, bars, shaken_days).items():
            if not same_bits(values, whole[name]):
                moved[name].add(f"daily_bars.{column}")
    assert moved == {f.name: set(f.inputs) for f in catalog.family(family)}


@pytest.mark.parametrize("first", [0, 700])
def test_a_history_is_freed_without_a_look_for_garbage(first: int) -> None:
    """Of a short history as of a long one: the arrays of 1,200 forecasts of the past were 400 MB."""
    bars = market.walk(1_440).ask(first)
    freed = weakref.ref(bars)
    gc.disable()
    try:
        for family in catalog.MARKET_FAMILIES:
            compute(family, bars, market.days())
        del bars
        assert freed() is None
    finally:
        gc.enable()
