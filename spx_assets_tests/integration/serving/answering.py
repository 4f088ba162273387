"""A service in this process whose answers go into the lake when a test says so.

Belongs here: what tests of the ledger share. Does not: assertions.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from serving.ledger import recorded
from serving.ledger.history import Wanted
from serving.service import Service
from spx_assets.lake import Lake
from spx_assets.settings import ServingSettings, Settings
from spx_assets.settings.serving import LedgerSettings
from spx_assets_tests import lakes
from spx_assets_tests.unit.serving import homes
from spx_assets_tests.unit.serving.homes import ask


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """A service over an empty lake, none of whose threads run."""
    settings = Settings(home=tmp_path / "home", serving=ServingSettings(ledger=LedgerSettings()))
    lake = lakes.fresh(settings)
    homes.model(settings)
    yield homes.service(settings, homes.vector())
    lake.close()


def answers(service: Service, n: int) -> list[str]:
    return [service.predict(ask()).id for _ in range(n)]


def stored(service: Service) -> list[str]:
    return Lake.open(service.settings).sql("SELECT id FROM serving.predictions ORDER BY id")["id"].to_list()


def shown(service: Service, *, limit: int = 1000, **asked: object) -> list[str]:
    wanted = Wanted(**asked)  # type: ignore[arg-type]
    page = recorded.page(service.settings, service.ledger.journal.folder, wanted, limit=limit)
    return [answer.id for answer in page.predictions]


def after_a_crash(service: Service) -> Service:
    """Another process over the same home, the first having died: its file is there and nobody holds it."""
    service.ledger.journal.rotate()
    return homes.service(service.settings, homes.vector())
