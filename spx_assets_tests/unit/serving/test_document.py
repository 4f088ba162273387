"""The OpenAPI document is made beside the event loop, whoever asks for it first, and once."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from litestar._openapi.plugin import OpenAPIPlugin
from litestar.testing import TestClient

from serving.app import create_app
from spx_assets.settings import load


@pytest.mark.parametrize("path", ["/", "/docs", "/docs/openapi.json"])
def test_nobody_waits_for_who_asks_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    build = OpenAPIPlugin._build_openapi
    on_the_loop = []

    def building(plugin: OpenAPIPlugin) -> Any:
        on_the_loop.append(asyncio._get_running_loop() is not None)
        return build(plugin)

    monkeypatch.setattr(OpenAPIPlugin, "_build_openapi", building)
    with TestClient(create_app(load(tmp_path / "home"))) as client, ThreadPoolExecutor(4) as callers:
        answers = list(callers.map(client.get, [path] * 4))
    assert {answer.status_code for answer in answers} == {200}
    assert on_the_loop == [False]
