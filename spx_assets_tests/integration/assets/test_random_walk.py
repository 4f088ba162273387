"""A driftless random walk through the real assets, bronze to `current.json`: no edge is found, and what is served says so.

The same walk in memory, and markets with an edge, are in `integration/training`.
"""

from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from spx_assets.lake import Lake
from spx_assets.scoring import artifact, current
from spx_assets.settings import GateSettings, Settings, SimulatorSettings
from spx_assets.sources import feeds
from spx_assets_tests import mlflow_stores
from spx_assets_tests.mlflow_stores import mlflow_database

__all__ = ["mlflow_database"]

NAME = "spx500_h30"
MADE_OF_FORECASTS = dg.AssetSelection.assets(["gold", "forecasts"], ["gold", "forecast_scores"])
LAKE = dg.AssetSelection.groups("bronze", "silver", "gold") - MADE_OF_FORECASTS
MODEL = dg.AssetSelection.key_prefixes(["models", NAME])


@pytest.fixture
def small(settings: Settings, mlflow_database: Path) -> Settings:
    """A home with 40 days of a walk without drift, and a gate that so few days are enough for: the test itself decides."""
    models = settings.models.model_copy(
        update={
            "families": ("lightgbm",),
            "gate": GateSettings(min_effective_obs=50.0),
            "lightgbm": settings.models.lightgbm.model_copy(update={"threads": 1}),
        }
    )
    walk = settings.model_copy(update={"simulator": SimulatorSettings(days=40, edge=0.0), "models": models})
    mlflow_stores.place(mlflow_database, walk.home)
    feeds.bind_simulator(Lake.open(walk), "SPX500_USD")
    return walk


@pytest.mark.timeout(180)
def test_a_driftless_random_walk_is_flagged_as_without_an_edge(small: Settings, weeks: list[date], run: Any) -> None:
    assert run(LAKE, weeks).success
    assert run(MODEL, weeks[-1:]).success
    lake = Lake.open(small)
    (row,) = lake.read("models.versions").rows(named=True)
    assert row["auc_low"] < 0.5 < row["auc_high"]
    assert row["auc_high"] - row["auc_low"] < 0.25
    (verdict,) = lake.read("models.promotions").rows(named=True)
    assert (verdict["verdict"], verdict["version"], verdict["moves_current"]) == ("no_edge", row["version"], True)
    assert verdict["effective_obs"] > 50
    assert "does not beat the base rate" in verdict["reason"]
    now = current.read(small.artifacts, NAME)
    assert now is not None
    assert (now.champion, now.flagged) == (None, row["version"])
    assert current.served(now) == ("flagged", row["version"])
    judged = artifact.load(artifact.folder(small.artifacts, NAME, row["version"])).verdict
    assert judged is not None
    assert (judged.verdict, judged.direction_ok) == ("no_edge", False)
