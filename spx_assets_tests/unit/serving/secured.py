"""A home with keys of each role, and clients of its service in both modes.

Belongs here: what tests of security share. Does not: assertions.
"""

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from litestar import Litestar
from litestar.routes import HTTPRoute
from litestar.testing import TestClient

from serving import security
from serving.app import create_app
from serving.keys import KeyStore, Role
from spx_assets.settings import Settings, load
from spx_assets.settings.serving import RateSettings, ServingSettings

ROLES: tuple[Role, ...] = ("viewer", "operator", "admin")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return load(tmp_path_factory.mktemp("guarded") / "home")


@pytest.fixture(scope="module")
def keys(home: Settings) -> dict[str, str]:
    return {role: KeyStore(home).create(f"the {role}", role)[1] for role in ROLES}


def having(home: Settings, **changes: Any) -> Settings:
    return home.model_copy(update={"serving": ServingSettings(**changes)})


@pytest.fixture(scope="module")
def clients(home: Settings) -> Iterator[dict[str, TestClient[Any]]]:
    """One application a mode, without limits."""
    unlimited = RateSettings(per_key=0, per_address=0)
    with ExitStack() as stack:
        yield {
            mode: stack.enter_context(TestClient(create_app(having(home, mode=mode, rates=unlimited))))
            for mode in ("local", "production")
        }


@pytest.fixture
def local(clients: dict[str, TestClient[Any]]) -> TestClient[Any]:
    return clients["local"]


@pytest.fixture
def production(clients: dict[str, TestClient[Any]]) -> TestClient[Any]:
    return clients["production"]


def calls(app: Litestar) -> list[tuple[str, str]]:
    """(method, path) of everything that can be called, with something in the place of each parameter."""
    return sorted(
        (str(method), re.sub(r"\{[^}]+\}", "x", route.path))
        for route in app.routes
        if isinstance(route, HTTPRoute)
        for handler in route.route_handlers
        for method in handler.http_methods
        if method != "OPTIONS"
    )


def writes(client: TestClient[Any]) -> list[tuple[str, str]]:
    return [(method, path) for method, path in calls(client.app) if security.writes(method, path)]


def bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


def audited(home: Settings) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (home.home / "logs" / "audit.ndjson").read_text().splitlines()]
