"""Intervals: as wide as the regime of the row's last bar and the day's level ask for; a level looks at earlier days alone."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spx_assets import calendar
from spx_assets.scoring import adaptive, levels
from spx_assets.scoring.adaptive import Day
from spx_assets.scoring.forecaster import Forecaster
from spx_assets.scoring.intervals import Widths, regime
from spx_assets.scoring.manifest import Manifest, Regimes, Segment
from spx_assets_tests.unit.scoring import toy

NAN = float("nan")
QUANTILES = {"0.5": (0.6745,), "0.8": (1.2816,), "0.9": (1.6449,), "0.95": (1.96,), "0.975": (2.2414,), "0.99": (2.5758,)}
"""Those of |x| for a standard normal x."""
MONDAY = date(2025, 10, 13)


def test_the_interval_is_that_of_the_regime_and_the_widest_where_none_is_known() -> None:
    described = toy.manifest(
        conformal_quantiles={"0.9": (1.0, 2.0, 3.0), "0.95": (2.0, 4.0, 6.0)}, regimes=Regimes("b", (10.0, 20.0))
    )
    X = np.array([[0, 9.99], [0, 10.0], [0, 19.0], [0, 20.0], [0, NAN]], np.float32)
    widths, place = Widths.of(described), regime(described, X)
    assert widths.at(place).tolist() == widths.at(place, 0.9).tolist() == [1.0, 2.0, 2.0, 3.0, 3.0]
    assert widths.at(place, 0.95).tolist() == [2.0, 4.0, 4.0, 6.0, 6.0]
    answer = Forecaster(described, toy.graph([1.0, 0.0])).predict(X)
    assert (answer.interval_high_bp - answer.interval_low_bp).tolist() == [2.0, 4.0, 4.0, 6.0, 6.0]


def test_between_levels_the_width_lies_on_their_line_and_goes_on_beyond_the_last() -> None:
    widths = Widths.of(toy.manifest(conformal_quantiles={"0.8": (10.0,), "0.9": (12.0,), "0.95": (16.0,)}))
    asked = np.array([0.5, 0.8, 0.85, 0.9, 0.925, 0.95, 1.0])
    assert widths.at(np.zeros(7, np.intp), asked) == pytest.approx([10.0, 10.0, 11.0, 12.0, 14.0, 16.0, 20.0])
    answer = Forecaster(toy.manifest(), toy.graph([1.0, 0.0])).predict(np.ones((1, 2), np.float32), asked=1.5)
    assert answer.interval_high_bp - answer.return_bp == pytest.approx([12.5])  # of a single level there is no other width


def normal(horizon: int = 30) -> Manifest:
    return toy.manifest(conformal_quantiles=QUANTILES, horizon_minutes=horizon)


def day(residual: np.ndarray) -> Day:
    return Day(residual, np.zeros(len(residual), np.intp))


def test_the_level_moves_by_the_share_of_outcomes_that_were_missed_above_what_may_be() -> None:
    widths = Widths.of(normal())
    assert adaptive.level(widths, [], life_min=31) == adaptive.Level(0.9, 0, None)
    quiet, wild = day(np.zeros(310)), day(np.full(310, 9.0))
    # 310 bars are 10 independent outcomes: 0.01 x 10 x 0.1 down, 0.01 x 10 x 0.9 up.
    one, two = (adaptive.level(widths, days, life_min=31) for days in ([quiet], [quiet, wild]))
    assert (one.asked, two.asked) == pytest.approx((0.89, 0.98))
    assert (one.outcomes, one.covered, two.outcomes, two.covered) == (310, 1.0, 620, 0.5)


def bars(days: list[date], residual: np.ndarray, *, every: int = 30) -> tuple[pl.DataFrame, pl.DataFrame]:
    """(forecasts of zero, their outcomes) of so many bars of each day."""
    starts = [calendar.day_window(each)[0] for each in days]
    ts = [start + timedelta(minutes=every * k) for start in starts for k in range(len(residual) // len(days))]
    made = pl.DataFrame({"instrument": ["SPX500_USD"] * len(ts), "ts": ts}, schema_overrides={"ts": pl.Datetime("us", "UTC")})
    outcomes = made.with_columns(horizon_minutes=pl.lit(30, pl.Int32), return_bp=pl.Series(residual).fill_nan(None))
    day_of = calendar.trading_day_expr(pl.col("ts"))
    return made.with_columns(trading_day=day_of, expected_bp=pl.lit(0.0), regime=pl.lit(0)), outcomes


WEEKS = list(calendar.trading_days(MONDAY - timedelta(days=7), MONDAY + timedelta(days=4)))
DAYS = {"SPX500_USD": WEEKS[5:]}


def of(described: Manifest, residual: np.ndarray) -> pl.DataFrame:
    return levels.rows(described, Widths.of(described), *bars(WEEKS, residual), DAYS)


@settings(max_examples=60, deadline=None)
@given(
    residual=st.lists(st.floats(-9, 9) | st.just(NAN), min_size=80, max_size=80),
    later=st.lists(st.floats(-99, 99) | st.just(NAN), min_size=80, max_size=80),
    cut=st.integers(0, 9),
)
def test_no_level_depends_on_what_came_of_its_own_day_or_later(residual: list[float], later: list[float], cut: int) -> None:
    changed = np.array([*residual[: 8 * cut], *later[8 * cut :]])
    first, second = of(normal(), np.array(residual)), of(normal(), changed)
    same = [each <= WEEKS[cut] for each in WEEKS[5:]]
    assert first.filter(same).equals(second.filter(same))
    told = first.filter(pl.col("known_at").is_not_null())
    assert (told["known_at"] <= told["ts"]).all()


def test_a_level_is_learned_from_the_five_days_before_and_says_from_what() -> None:
    residual = np.zeros(80)
    residual[:40] = 9.0  # the first week: 8 bars a day, none of which its interval holds
    found = of(normal(), residual)
    assert found["trading_day"].to_list() == WEEKS[5:]
    assert found["outcomes"].to_list() == [40] * 5
    assert found["covered"].to_list() == [0.0, 0.2, 0.4, 0.6, 0.8]
    gain = 0.01 * 8 / 31
    assert found["asked"].to_list() == pytest.approx([0.9 + gain * (0.9 * (5 - k) - 0.1 * k) for k in range(5)])
    assert found["known_at"][0] == calendar.day_window(WEEKS[4])[0] + timedelta(minutes=7 * 30 + 31)
    assert of(normal(), np.concatenate([np.full(40, NAN), residual[40:]]))["asked"][0] == 0.9
    # What the half-widths were fitted on says nothing of what they miss.
    began = calendar.day_window(WEEKS[5])[0]
    unseen = toy.manifest(conformal_quantiles=QUANTILES, segments={"out_of_time": Segment(began, began, 0)})
    assert of(unseen, residual)["outcomes"].to_list() == [0, 8, 16, 24, 32]


def test_a_level_holds_for_its_day_and_goes_on_for_a_week_where_later_days_have_none() -> None:
    known = {("v", "SPX500_USD"): {MONDAY: 0.93, MONDAY - timedelta(days=3): 0.91}}
    noon = datetime(2025, 10, 13, 16, tzinfo=UTC)
    at = [levels.at(known, "v", "SPX500_USD", noon + timedelta(days=k)) for k in (-5, -3, 0, 1, 4, 7, 8)]
    assert at == [None, 0.91, 0.93, 0.93, 0.93, 0.93, None]
    assert levels.at(known, "v", "SPX500_USD", datetime(2025, 10, 11, 16, tzinfo=UTC)) is None  # a Saturday
    assert levels.at(known, "v", "EUR_USD", noon) is levels.at(known, "w", "SPX500_USD", noon) is None


def drifting(rng: np.random.Generator, days: int) -> np.ndarray:
    """Residuals [days, 44] of a market whose volatility doubles and falls back over some weeks, calm and wild days apart."""
    slow = np.exp2(np.sin(np.arange(days) * 2 * np.pi / 60))
    each: np.ndarray = rng.standard_normal((days, 44)) * (slow * np.exp(0.2 * rng.standard_normal(days)))[:, None]
    return each


def covered(residual: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(split, adaptive) coverage of each day, its level from the five days before."""
    widths, each = Widths.of(normal()), [day(row) for row in residual]
    asked = [adaptive.level(widths, each[max(k - 5, 0) : k], life_min=1).asked for k in range(len(each))]
    return tuple(
        np.array(
            [np.mean(np.abs(one.residual_bp) <= widths.at(one.regime, level)) for one, level in zip(each, chosen, strict=True)]
        )
        for chosen in ([0.9] * len(each), asked)
    )


def test_where_volatility_drifts_the_adaptive_interval_is_nearer_to_its_level_than_the_split_one() -> None:
    for seed in range(5):
        split, adapted = covered(drifting(np.random.default_rng(seed), 240))
        wild = np.exp2(np.sin(np.arange(240) * 2 * np.pi / 60)) > 1.4
        assert abs(adapted.mean() - 0.9) < abs(split.mean() - 0.9)
        assert split[wild].mean() < 0.70
        assert adapted[wild].mean() > 0.80
        assert np.abs(adapted - 0.9).mean() < 0.75 * np.abs(split - 0.9).mean()


def test_in_a_market_that_does_not_change_it_loses_little() -> None:
    split, adapted = covered(np.random.default_rng(9).standard_normal((400, 44)))
    assert split.mean() == pytest.approx(0.9, abs=0.01)
    assert adapted.mean() == pytest.approx(0.9, abs=0.015)
