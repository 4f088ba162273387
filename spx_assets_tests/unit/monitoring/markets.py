"""Inputs of simulated and real markets day by day, and what the platform's own rules say of each day.

Belongs here: building a history once and judging its days against a part of it. Does not: assertions.
"""

from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from spx_assets import calendar
from spx_assets.features import catalog
from spx_assets.monitoring import compare, summary, verdicts
from spx_assets.monitoring.verdicts import Verdict
from spx_assets.settings import Settings, SimulatorSettings
from spx_assets.settings.monitoring import DriftSettings
from spx_assets.sources import simulator
from spx_assets_tests.integration.training import spine

NAMES = [feature.name for feature in catalog.market_inputs()]
ANCHOR = simulator.ANCHOR_DAY


@dataclass(frozen=True)
class Market:
    ts: np.ndarray
    day: np.ndarray
    X: np.ndarray

    @property
    def days(self) -> list[date]:
        return list(np.unique(self.day).astype(object))

    def verdicts(self, known: tuple[date, date], judged: tuple[date, date]) -> dict[date, Verdict]:
        """The verdict on each day of `judged` against the training window `known`, both ends included, by default rules."""
        inside = (self.day >= np.datetime64(known[0])) & (self.day <= np.datetime64(known[1]))
        section = summary.section(spine.INSTRUMENT, self.ts[inside], self.X[inside], NAMES)
        found, days = {}, self.days
        for k, day in enumerate(days):
            if judged[0] <= day <= judged[1]:
                window = np.isin(self.day, np.array(days[max(0, k - 5) : k + 1], dtype="datetime64[D]"))
                rules = DriftSettings()
                far = compare.distances(section, self.ts[window], self.X[window], length=5, key=rules.key_features)
                found[day] = verdicts.judge(far, NAMES, rules)
        return found


def of(candles: pl.DataFrame, settings: Settings) -> Market:
    made = spine.market_features(candles, settings)
    X = made.select(NAMES).to_numpy().astype(np.float32)
    return Market(made["ts"].dt.timestamp("us").to_numpy(), candles["trading_day"].to_numpy(), X)


def simulated(
    settings: Settings, *, before: int, regime: int = 0, volatility: float = 1.0, spread: float = 1.0, seed: int = 7
) -> Market:
    """`before` days of the simulator's market up to its anchor day, then `regime` days of another volatility or spread."""
    first, last = (calendar.shift_trading_days(ANCHOR, n) for n in (-before, max(regime, 1) - 1))
    turn = calendar.day_window(ANCHOR)[0]
    quiet = simulator.generate(SimulatorSettings(days=before, seed=seed), calendar.day_window(first)[0], turn)
    parts = [quiet]
    if regime:
        other = SimulatorSettings(days=before, seed=seed, volatility=volatility, spread=spread)
        parts.append(simulator.generate(other, turn, calendar.day_window(last)[1]))
    return of(spine.as_candles(pl.concat(parts)), settings)
