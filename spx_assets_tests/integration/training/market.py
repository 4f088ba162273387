"""The simulated market that this folder's models learn from, and the settings they are trained with.

Belongs here: what a process needs to know of them, without importing what trains them (3 CPU s). Does not: fixtures.
"""

from datetime import date
from pathlib import Path

from spx_assets.settings import GateSettings, LightGBMSettings, ModelSettings, Settings, SimulatorSettings

NAME = "spx500_h30"
LAST, OLDER = date(2025, 10, 12), date(2025, 9, 28)

MARKET_ONLY = "returns", "volatility", "calendar"
# 25 days leave about 105 effective out-of-time observations at 30 minutes; four times the edge shows in those.
MARKET = SimulatorSettings(days=25, edge=4.0)
# The edge lies in the returns of 30 minutes and the volatility. All 143 inputs would make each of 30 trainings twice as dear;
# all are learned from by the planted markets, the placebos and the sets with news.
MODELS = ModelSettings(
    features={NAME: (*MARKET_ONLY, "news")},
    gate=GateSettings(min_effective_obs=50.0),
    lightgbm=LightGBMSettings(learning_rate=0.2, max_rounds=15, early_stopping_rounds=15, threads=1),
)


def settings_of(home: Path) -> Settings:
    return Settings(home=home, simulator=MARKET, models=MODELS)
