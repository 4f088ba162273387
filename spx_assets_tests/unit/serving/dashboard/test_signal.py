"""The forecast that the page shows is an answer like any other, made once a bar and model."""

import asyncio
from datetime import timedelta

import pytest

from serving.contracts import Prediction
from serving.dashboard.contracts import Signal
from serving.dashboard.signal import Signals
from serving.problems import StaleFeatures
from serving.service import Service
from spx_assets.settings import Settings
from spx_assets_tests.unit.serving import homes


def look(signals: Signals, service: Service) -> Signal:
    return asyncio.run(signals.of(service, "SPX500_USD", 30))


def answers(service: Service) -> int:
    return sum(service.ledger.given.values())


@pytest.fixture
def service(settings: Settings) -> Service:
    homes.model(settings, medians=(0.2, 0.2, 0.2))
    made = homes.service(settings, homes.vector(), now=homes.BAR + timedelta(minutes=1))
    made.ledger.journal.start()
    return made


def test_a_bar_is_forecast_once_however_many_look_and_again_when_a_new_one_comes(service: Service) -> None:
    signals = Signals()
    first, second = look(signals, service), look(signals, service)
    assert first.forecast.id == second.forecast.id
    assert answers(service) == 1
    assert first.expires_at == homes.BAR + timedelta(minutes=31)
    assert first.forecast.reasons is not None
    assert len(first.forecast.reasons) == 3
    service.vectors.vectors = {"SPX500_USD": homes.vector(ts=homes.BAR + timedelta(minutes=1))}
    third: Prediction = look(signals, service).forecast
    assert third.timestamp == homes.BAR + timedelta(minutes=1)
    assert answers(service) == 2


def test_a_forecast_that_may_not_be_given_any_more_is_not_shown(service: Service) -> None:
    signals = Signals()
    look(signals, service)
    service.vectors.live = {"SPX500_USD": True}
    service.now = lambda: homes.BAR + timedelta(minutes=20)
    service.freshness._now = service.now
    with pytest.raises(StaleFeatures):
        look(signals, service)
