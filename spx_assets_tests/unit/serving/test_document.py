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


def test_what_the_documentation_lacks_is_a_problem_as_everywhere(tmp_path: Path) -> None:
    with TestClient(create_app(load(tmp_path / "home"))) as client:
        for path in ("/docs/nothing.js", "/docs/static/nothing.js", "/docs/openapi.yaml"):
            answer = client.get(path)
            assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json"), path
            assert answer.json()["code"] == "not_found"
        assert client.get("/docs/").headers["content-type"] == "text/html; charset=utf-8"


def test_every_operation_names_what_is_answered_before_it_is_reached(tmp_path: Path) -> None:
    document = create_app(load(tmp_path / "home")).openapi_schema.to_schema()
    paths, shared = document["paths"], document["components"]["responses"]
    for path, item in paths.items():
        for operation in item.values():
            answers = operation["responses"]
            assert {"400", "408", "421", "429", "431", "503"} <= set(answers), path
            assert ("413" in answers) == ("requestBody" in operation), path
            assert ("401" in answers) == (path not in ("/health/live", "/health/ready")), path
            referred = [answer["$ref"].removeprefix("#/components/responses/") for answer in answers.values() if "$ref" in answer]
            assert set(referred) <= set(shared), path
            for status, answer in answers.items():
                assert status < "400" or "$ref" in answer or list(answer["content"]) == ["application/problem+json"], path
    assert shared["RequestHeaderFieldsTooLarge"]["description"] == "code: headers_too_large"
    own = paths["/health/ready"]["get"]["responses"]["503"]["description"]
    assert own == "code: not_ready, keys_unavailable, too_many_connections"
    assert "403" not in paths["/models"]["get"]["responses"]
    assert paths["/retrain"]["post"]["responses"]["403"]["description"] == "code: forbidden, foreign_origin"
