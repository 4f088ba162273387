"""A live market with two versions, asked for times in its past.

Belongs here: what tests of the past share. Does not: assertions.
"""

import dataclasses
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from serving.contracts import Prediction
from serving.service import Service
from spx_assets.lake import Lake
from spx_assets.settings import Settings
from spx_assets.sources import bindings
from spx_assets_tests.integration.serving import homes
from spx_assets_tests.unit.serving.test_requests import wanted

END = datetime(2025, 10, 15, 16, tzinfo=UTC)
AT = datetime(2025, 10, 15, 14, 30, 20, tzinfo=UTC)
"""20 seconds into a minute: the last bar that had ended by then began at 14:29."""
SAME = (
    "timestamp",
    "expected_return_bp",
    "probability",
    "predicted_price",
    "feature_age_s",
    "signal",
    "model_digest",
    "in_sample",
)


@pytest.fixture
def settings(lived: Path, tmp_path: Path) -> Settings:
    """A copy of a live market with two versions: one trained until two days before AT, and the champion, which has seen AT."""
    return homes.settings_of(Path(shutil.copytree(lived, tmp_path / "market")))


def live(settings: Settings) -> None:
    homes.model(settings, version="20251013T160000Z-0001", training_cutoff=AT - timedelta(days=2))
    rebind(settings, live=True)


def rebind(settings: Settings, *, live: bool) -> None:
    lake = Lake.open(settings)
    bindings.write(lake, [dataclasses.replace(bindings.feeds(lake)["SPX500_USD"], live=live)])
    lake.close()


def at(settings: Settings, now: datetime) -> Service:
    """The service as it would have started at `now`."""
    made = Service(settings, now=lambda: now)
    made.look()
    return made


def asked(settings: Settings, when: datetime, **fields: object) -> Prediction:
    """What is answered for `when` from the end of the home's history, by a service that need not have looked at the present."""
    return Service(settings, now=lambda: END).at_leisure(wanted(timestamp=when.isoformat(), **fields))


def said(answer: Prediction) -> dict[str, object]:
    return {name: getattr(answer, name) for name in SAME}
