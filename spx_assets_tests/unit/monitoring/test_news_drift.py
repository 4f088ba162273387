"""News of a day against the days before it: number and sound."""

from datetime import date, timedelta

import numpy as np
import polars as pl

from spx_assets.monitoring import news_drift
from spx_assets.settings.monitoring import DriftSettings

RULES = DriftSettings()


def articles(days: int, *, seed: int = 0, mean: float = 0.0, count: int = 80) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    frames = []
    for k in range(days):
        n = max(int(rng.poisson(count)), 1)
        score = np.tanh(0.5 * rng.standard_normal(n) + mean)
        frames.append(pl.DataFrame({"trading_day": [date(2025, 1, 1) + timedelta(days=k)] * n, "source": "a", "score": score}))
    return pl.concat(frames)


def test_days_like_those_before_are_no_drift() -> None:
    before = articles(40)
    found = [news_drift.measure(articles(1, seed=seed), before, RULES)["drifted"] for seed in range(1, 31)]
    assert sum(found) <= 1


def test_a_day_that_sounds_another_way_or_is_silent_is() -> None:
    before = articles(40)
    worse = news_drift.measure(articles(1, seed=1, mean=-0.6), before, RULES)
    assert (worse["drifted"], worse["p_score"] < 0.01, worse["p_articles"] > 0.05) == (True, True, True)
    silent = news_drift.measure(articles(1, seed=1, count=8), before, RULES)
    assert (silent["drifted"], silent["p_articles"] < 0.01) == (True, True)
    assert silent["articles_usual"] > 60


def test_of_a_young_home_nothing_is_said() -> None:
    found = news_drift.measure(articles(1, seed=1), articles(9), RULES)
    assert (found["drifted"], found.get("statistic"), found["sources"]) == (False, None, 1)
