"""What nobody foresaw is answered as the problem that it is, before the framework as in it, and is met once."""

import logging
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient

from serving import gate
from serving.app import create_app
from serving.origins import Origins
from serving.service import Service
from spx_assets.settings import load

FORECAST = {"instrument": "SPX500_USD"}
PLACES = {
    "a forecast from memory": (Service, "predict", FORECAST),
    "a forecast of the framework's route": (Service, "at_leisure", FORECAST | {"include_reasons": True}),
    "the gate": (Origins, "objection", FORECAST),
}


@pytest.mark.parametrize("place", PLACES)
def test_a_defect_is_told_whole_to_the_log_and_not_to_the_caller(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, place: str
) -> None:
    owner, name, body = PLACES[place]
    met = []

    def broken(*_: Any) -> None:
        met.append(name)
        raise ZeroDivisionError("what is inside")

    monkeypatch.setattr(owner, name, broken)
    with TestClient(create_app(load(tmp_path / "home"))) as client, caplog.at_level(logging.ERROR):
        caplog.clear()
        answer = client.post("/predict", json=body)
    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.json()["code"] == "internal_error"
    assert "inside" not in answer.text
    assert met == [name]
    [told] = [record for record in caplog.records if record.name.startswith("serving.") and record.exc_info]
    assert told.getMessage() == "POST /predict failed"
    assert told.exc_info
    assert "what is inside" in str(told.exc_info[1])


def test_a_socket_that_fails_before_it_is_open_is_a_defect_and_no_mistake_of_its_caller(caplog: pytest.LogCaptureFixture) -> None:
    scope: Any = {"path": "/ws/market-stream", gate.TEMPLATE: "/ws/market-stream"}
    assert gate._unopened(scope, "Validation failed").code == "bad_request"
    assert caplog.records == []
    assert gate._unopened(scope, "Internal Server Error").code == "internal_error"
    assert [record.getMessage() for record in caplog.records] == ["the WebSocket at /ws/market-stream failed before it was open"]
    assert gate._unopened({"path": "/ws/nowhere"}, "Not Found").code == "not_found"  # type: ignore[typeddict-item]
