"""No feature sees the future: proven for every catalog entry, and the proof catches planted leaks."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl
import pytest

from spx_assets.features import catalog
from spx_assets.features.bars import F64, Bars
from spx_assets.features.compute import compute
from spx_assets_tests.unit.features import market
from spx_assets_tests.unit.features.lookahead import leaks, same_bits

ROWS = 3 * 1440
RANDOM_CUTS = tuple(int(cut) for cut in np.random.default_rng(2024).integers(1, ROWS * 3 // 4, 4))
DAYS = market.days(before=date(2019, 5, 7))  # every trading day that the histories reach
HISTORIES = {
    "gaps": (market.walk(ROWS, seed=3, gaps=0.25), (1, 3, 17, 45, 402, 1441, 2880, *RANDOM_CUTS)),
    "no volume": (market.walk(ROWS, seed=4, gaps=0.1, volume=False, known_spread=0.0), (130, 2207)),
    "late spread": (market.walk(ROWS, seed=5, known_spread=0.2), (61, 3599)),
}


@pytest.mark.parametrize("family", catalog.MARKET_FAMILIES)
@pytest.mark.parametrize("name", HISTORIES)
def test_no_row_of_a_family_changes_with_later_rows(family: str, name: str) -> None:
    bars, cuts = HISTORIES[name]
    assert leaks(lambda b: compute(family, b, DAYS), bars, cuts=cuts) == set()


def test_days_that_are_not_over_change_no_row() -> None:
    """Daily features of a day come from the days before it: the day itself and later ones may be anything."""
    bars = market.walk(2 * 1440, seed=6)  # Thursday 2019-05-02 and Friday
    today = 1440
    honest = compute("timeframes", bars, DAYS)
    later = DAYS.day >= (date(2019, 5, 2) - date(1970, 1, 1)).days
    poisoned = replace(DAYS, high=DAYS.high.copy(), low=DAYS.low.copy(), close=DAYS.close.copy())
    for values in (poisoned.high, poisoned.low, poisoned.close):
        values[later] *= 3.0
    made = compute("timeframes", bars, poisoned)
    assert [name for name in made if not same_bits(made[name][:today], honest[name][:today])] == []
    assert not same_bits(made["return_1d"][today:], honest["return_1d"][today:])


def test_the_proof_covers_every_feature_of_the_catalog() -> None:
    bars = HISTORIES["gaps"][0]
    made = {name for family in catalog.MARKET_FAMILIES for name in compute(family, bars, DAYS)}
    # Those of news have a proof of their own, with articles for bars: unit/news/test_signals_lookahead.py.
    assert {f.name for f in catalog.FEATURES} - made == {f.name for f in catalog.family(catalog.NEWS)}


def _shifted(bars: Bars) -> Mapping[str, F64]:
    return {"leak": np.append(bars.close[1:], np.nan), "honest": np.append(np.nan, bars.close[:-1])}


def _centred_window(bars: Bars) -> Mapping[str, F64]:
    return {"leak": np.convolve(bars.close, np.ones(21) / 21, mode="same")}


def _whole_sample_scaler(bars: Bars) -> Mapping[str, F64]:
    return {"leak": (bars.close - np.nanmean(bars.close)) / np.nanstd(bars.close)}


def _whole_sample_rank(bars: Bars) -> Mapping[str, F64]:
    return {"leak": bars.close / bars.close.max()}


def _back_filled_spread(bars: Bars) -> Mapping[str, F64]:
    filled = pl.Series(bars.spread).fill_nan(None).fill_null(strategy="backward")
    return {"leak": filled.to_numpy().astype(np.float64)}


def _back_filled_warmup(bars: Bars) -> Mapping[str, F64]:
    mean = pl.Series(bars.close).rolling_mean(20).fill_null(strategy="backward")
    return {"leak": mean.to_numpy().astype(np.float64)}


def _interpolated_gap(bars: Bars) -> Mapping[str, F64]:
    minute = (bars.ts - bars.ts[0]) / 60_000_000
    return {"leak": np.interp(minute + 1, minute, bars.close)}


def _label_as_feature(bars: Bars) -> Mapping[str, F64]:
    later = np.searchsorted(bars.ts, bars.ts + 30 * 60_000_000)
    known = later < len(bars)
    label = np.full(len(bars), np.nan)
    label[known] = bars.close[later[known]] / bars.close[known] - 1.0
    return {"leak": label}


def _target_encoded_hour(bars: Bars) -> Mapping[str, F64]:
    """The mean of the next return by minute of the hour, over the whole sample: a label that leaks through an encoding."""
    minute = (bars.ts // 60_000_000) % 60
    following = np.append(np.diff(bars.close), 0.0)
    means = np.bincount(minute, following, 60) / np.maximum(np.bincount(minute, minlength=60), 1)
    return {"leak": means[minute]}


def _open_higher_bar(bars: Bars) -> Mapping[str, F64]:
    """The close of the hour a bar stands in, known only at the hour's end."""
    hour = bars.ts // (60 * 60_000_000)
    last = np.searchsorted(hour, hour, side="right") - 1
    return {"leak": bars.close[last]}


@pytest.mark.parametrize(
    "planted",
    [
        _shifted,
        _centred_window,
        _whole_sample_scaler,
        _whole_sample_rank,
        _back_filled_spread,
        _back_filled_warmup,
        _interpolated_gap,
        _label_as_feature,
        _target_encoded_hour,
        _open_higher_bar,
    ],
)
def test_a_planted_leak_is_caught(planted: object) -> None:
    assert callable(planted)
    assert leaks(planted, market.walk(600, seed=8, gaps=0.1), cuts=(7, 133, 401)) == {"leak"}
