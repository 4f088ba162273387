"""A call that is asked about before it is made: it is judged once, and what stands against it is told as always."""

import asyncio
import logging
from pathlib import Path
from typing import Any

import pytest

from serving.app import create_app
from serving.gate import Gate
from serving.origins import Origins
from serving.service import Service
from spx_assets.settings import Settings, load
from spx_assets.settings.serving import RateSettings
from spx_assets_tests.unit.serving.secured import having

BODY = b'{"instrument":"SPX500_USD"}'
BEFORE = [(b"date", b"Sat, 21 Nov 2026 22:00:00 GMT")]


class Caller:
    """Makes calls of POST /predict as the server does: asks at once, and else goes the way of all calls."""

    def __init__(self, settings: Settings) -> None:
        self.app = create_app(settings)
        assert isinstance(self.app.asgi_handler, Gate)
        self._gate = self.app.asgi_handler

    def call(self, host: bytes = b"127.0.0.1") -> tuple[int, dict[bytes, bytes], bytes]:
        scope: Any = {"type": "http", "root_path": "", "headers": [(b"host", host)], "client": ("127.0.0.1", 9), "state": {}}
        scope |= {"query_string": b"", "raw_path": b"/predict", "http_version": "1.1", "scheme": "http", "server": None}
        assert self._gate.at_once(scope, BODY, BEFORE) is None
        sent: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": BODY, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        asyncio.run(self.app(scope, receive, send))
        began, body = sent
        return began["status"], dict(began["headers"]), body["body"]


@pytest.mark.parametrize("place", [(Service, "predict"), (Origins, "objection")])
def test_a_defect_is_met_and_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, place: tuple[type, str]
) -> None:
    met = []

    def broken(*_: Any) -> None:
        met.append(place)
        raise ZeroDivisionError("what is inside")

    monkeypatch.setattr(*place, broken)
    with caplog.at_level(logging.ERROR):
        status, headers, body = Caller(load(tmp_path / "home")).call()
    assert (status, headers[b"content-type"], met) == (500, b"application/problem+json", [place])
    assert b"internal_error" in body
    assert b"inside" not in body
    [told] = [record for record in caplog.records if record.exc_info]
    assert told.getMessage() == "POST /predict failed"


def test_a_call_takes_one_of_its_rate_and_one_too_many_is_refused(tmp_path: Path) -> None:
    rates = RateSettings(per_key=0, per_address=0.005, burst_s=400)
    caller = Caller(having(load(tmp_path / "home"), rates=rates))
    answers = [caller.call() for _ in range(3)]
    assert [status for status, _, _ in answers] == [503, 503, 429]  # there is no lake
    assert [headers[b"ratelimit"].partition(b";t=")[0] for _, headers, _ in answers] == [b'"address";r=%d' % n for n in (1, 0, 0)]


def test_who_calls_by_a_public_name_is_refused(tmp_path: Path) -> None:
    status, _, body = Caller(load(tmp_path / "home")).call(b"www.example.com")
    assert (status, b"foreign_host" in body) == (421, True)
