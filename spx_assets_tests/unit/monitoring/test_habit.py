"""The middle of a day beside the day before: what jumps, what persists, what is too small or too short to say."""

from functools import cache

import numpy as np
import pytest

from spx_assets.monitoring import counting, habit
from spx_assets.monitoring.habit import Habit

DAY, HOUR = 1440 * 60_000_000, 60 * 60_000_000
OPENS = 4 * DAY + 22 * HOUR
"""17:00 New York on Monday 1970-01-05, in winter."""
SPREAD = 0.15


@cache
def levels(seed: int, count: int, carry: float = 0.9) -> np.ndarray:
    """An autoregression whose days move by a standard deviation of 0.15."""
    rng, x = np.random.default_rng(seed), np.zeros(count + 100)
    for k in range(1, len(x)):
        x[k] = carry * x[k - 1] + SPREAD * rng.standard_normal()
    return x[100:]


def rows(level: np.ndarray, *, per_day: int = 100, positive: bool = True) -> counting.Looked:
    """Days of noise about each level, thrice as high (or as wide) in the second half of the day."""
    rng = np.random.default_rng(9)
    days = np.flatnonzero(np.arange(len(level) * 2) % 7 < 5)[: len(level)]
    ts = (OPENS + days[:, None] * DAY + np.arange(per_day) * (20 * HOUR // per_day) // 60_000_000 * 60_000_000).ravel()
    late = np.tile(np.arange(per_day) >= per_day // 2, len(level))
    noise = np.repeat(level, per_day) + 0.2 * rng.standard_normal(len(ts))
    x = np.exp(noise) * np.where(late, 3.0, 1.0) if positive else noise * np.where(late, 3.0, 1.0)
    return counting.looked(ts, x.astype(np.float32)[:, None], every=1)


def middles(level: np.ndarray, known: counting.Looked, **how: bool) -> tuple[np.ndarray, np.ndarray]:
    return habit.middles(rows(level, **how), counting.edges(known), np.array([0]))


@pytest.fixture(scope="module")
def known() -> counting.Looked:
    return rows(levels(3, 120))


@pytest.fixture(scope="module")
def usual(known: counting.Looked) -> Habit:
    return habit.habit(*habit.middles(known, counting.edges(known), np.array([0])))


def test_the_middle_of_a_day_is_its_level_whatever_the_hours_shape(known: counting.Looked) -> None:
    found, count = habit.middles(known, counting.edges(known), np.array([0]))
    assert found[0] - found[0].mean() == pytest.approx(levels(3, 120) - levels(3, 120).mean(), abs=0.12)
    assert (count == 100).all()


def test_the_autoregression_is_found(usual: Habit) -> None:
    assert usual.carry[0] == pytest.approx(0.9, abs=0.1)
    assert usual.spread[0] == pytest.approx(SPREAD, rel=0.2)
    assert (usual.days[0], usual.rows[0]) == (120, 100)


def test_doubled_over_night_is_a_jump_and_no_other_level(known: counting.Looked, usual: Habit) -> None:
    before = levels(4, 6)
    doubled = before + np.log(2.0) * (np.arange(6) == 5)
    assert habit.jump(*middles(before, known), usual)[0] > 0.01
    assert habit.jump(*middles(doubled, known), usual)[0] < 0.003
    assert habit.level(*middles(doubled[-5:], known), usual)[0] > 0.05


def test_a_week_at_four_times_as_much_is_another_level_where_levels_come_and_go(known: counting.Looked, usual: Habit) -> None:
    """Not where they stay for months: 120 days then hold four independent ones."""
    week = np.log(4.0) + 0.05 * np.arange(5)
    assert habit.level(*middles(week, known), usual)[0] > 0.01
    lively = rows(levels(3, 120, 0.7))
    found = habit.habit(*habit.middles(lively, counting.edges(lively), np.array([0])))
    assert habit.level(*middles(week, lively), found)[0] < 0.002


@pytest.mark.parametrize("days", [10, 20, 120])
def test_about_as_few_quiet_days_are_jumps_as_are_allowed_however_few_are_known(days: int) -> None:
    series = np.stack([levels(seed, days + 1) for seed in range(100, 700)])
    full = np.full(series.shape, 100.0)
    usual = habit.habit(series[:, :days], full[:, :days])
    quiet = habit.jump(series[:, -2:], full[:, -2:], usual)
    assert 0.002 < (quiet < 0.01).mean() < {10: 0.03, 20: 0.025, 120: 0.016}[days]
    tripled = series[:, -2:] + np.log(3.0) * np.array([0.0, 1.0])
    assert (habit.jump(tripled, full[:, -2:], usual) < 0.01).mean() > 0.9
    level = habit.level(series[:, -5:], full[:, -5:], usual)
    assert np.isnan(level).all() if days < habit.FEWEST_OF_LEVEL else (level < 0.01 * habit.LEVEL).mean() < 0.004


@pytest.mark.parametrize("days", [10, 120])
def test_about_as_few_are_jumps_where_levels_have_left_the_days_that_are_known(days: int) -> None:
    series = np.stack([levels(seed, days + 50) for seed in range(100, 700)])
    full = np.full(series.shape, 100.0)
    usual = habit.habit(series[:, :days], full[:, :days])
    assert 0.002 < (habit.jump(series[:, -2:], full[:, -2:], usual) < 0.01).mean() < 0.016


def test_what_moved_by_less_than_a_fifth_did_not_move(known: counting.Looked) -> None:
    steady = rows(np.zeros(60))
    usual = habit.habit(*habit.middles(steady, counting.edges(steady), np.array([0])))
    assert usual.spread[0] < 0.05
    for move, p in ((0.15, 1.0), (0.3, 0.0)):
        found = middles(np.array([0.0, move]), steady)
        assert habit.jump(*found, usual)[0] == pytest.approx(p, abs=1e-3)


def test_quantities_of_either_sign_are_measured_in_their_own_width() -> None:
    either = rows(levels(3, 120), positive=False)
    found, _ = habit.middles(either, counting.edges(either), np.array([0]))
    wide = np.subtract(*np.quantile(levels(3, 120), [0.75, 0.25]))
    assert found[0].std() == pytest.approx(levels(3, 120).std() / wide, rel=0.25)


def test_the_first_hour_of_a_day_says_nothing_yet(known: counting.Looked, usual: Habit) -> None:
    found, count = middles(np.array([0.0, 3.0]), known)
    count[0, -1] = 20
    assert np.isnan(habit.jump(found, count, usual)[0])
    assert habit.level(found, count, usual)[0] > 0.5


def test_of_too_few_days_nothing_is_known() -> None:
    few = rows(levels(3, 7))
    usual = habit.habit(*habit.middles(few, counting.edges(few), np.array([0])))
    assert np.isnan(usual.spread[0])
    assert np.isnan(habit.jump(*middles(levels(4, 3), few), usual)[0])
