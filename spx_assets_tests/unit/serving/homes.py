"""A service without a lake: real model artifacts in a home, feature vectors put in by hand.

Belongs here: what unit tests of the service share. Tests with a lake and a socket are integration tests.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from serving.contracts import PredictRequest
from serving.model_store import INPUTS
from serving.service import Service
from serving.vectors import Vector
from spx_assets.features import catalog
from spx_assets.scoring.artifact import Artifact
from spx_assets.settings import Settings
from spx_assets_tests.unit.scoring import toy

BAR = datetime(2025, 10, 15, 15, 59, tzinfo=UTC)
FEATURES = INPUTS[3:6]


def model(
    settings: Settings,
    *,
    weights: Sequence[float] = (1.0, 2.0, 3.0),
    verdict: str = "promoted",
    features: Sequence[str] = FEATURES,
    **changes: Any,
) -> Artifact:
    """Writes a toy model over `features`, judged, and makes it the one that is served."""
    described = toy.manifest(features, **({"feature_set_hash": catalog.feature_set_hash(features)} | changes))
    made = toy.write(settings.artifacts, described, weights)
    toy.serve(settings.artifacts, made, verdict=verdict, return_ok=verdict == "promoted")
    return made


def vector(
    instrument: str = "SPX500_USD",
    *,
    ts: datetime = BAR,
    value: float = 0.1,
    behind_s: float = 0.0,
    before_min: Sequence[int] = (),
) -> Vector:
    """The vector of a bar that ended `behind_s` before the clock of its feed, and of bars so many minutes before it."""
    clock = ts + timedelta(minutes=1, seconds=behind_s)
    stamps = np.array([int((ts - timedelta(minutes=m)).timestamp()) * 1_000_000 for m in (*before_min, 0)])
    return Vector(instrument, ts, 6600.0, np.full((len(stamps), len(INPUTS)), value, np.float32), stamps, clock)


def service(
    settings: Settings, *vectors: Vector, live: bool = False, now: datetime = BAR, bound: Sequence[str] = ("SPX500_USD",)
) -> Service:
    """A service whose models are read from the home and whose vectors are those given."""
    made = Service(settings, now=lambda: now)
    made.models.refresh()
    made.vectors.vectors = {found.instrument: found for found in vectors}
    made.vectors.live = dict.fromkeys(bound, live)
    return made


def ask(instrument: str = "SPX500_USD", horizon: int | None = None, name: str | None = None) -> PredictRequest:
    return PredictRequest(instrument=instrument, horizon_minutes=horizon, model_name=name)


def home(path: Path, **changes: Any) -> Settings:
    return Settings(home=path, **changes)
