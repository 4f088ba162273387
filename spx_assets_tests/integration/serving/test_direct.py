"""A forecast that leaves before the framework is the one that its route gives."""

import asyncio
import json
import socket
import time
from io import BufferedReader
from pathlib import Path
from typing import Any

from litestar.types import Receive, Scope, Send

from serving.direct import Direct
from spx_assets_tests.integration.serving import homes
from spx_assets_tests.unit.serving import homes as unit

BODY = b'{"instrument":"SPX500_USD","include_features":true}'


def test_a_body_in_one_piece_and_one_in_two_get_the_same_answer(service: homes.Running) -> None:
    [direct, routed] = [asked(service, pieces) for pieces in ([BODY], [BODY[:20], BODY[20:]])]
    assert direct[0] == routed[0]
    assert direct[0]["content-type"] == "application/json"
    assert direct[1].pop("id") != routed[1].pop("id")
    assert direct[1].pop("latency_ms") >= 0
    assert routed[1].pop("latency_ms") >= 0
    assert direct[1] == routed[1]
    assert list(direct[1]) == list(routed[1])


def test_a_forecast_from_memory_leaves_without_the_framework_and_nothing_else_does(tmp_path: Path) -> None:
    settings = unit.home(tmp_path)
    unit.model(settings)
    routed: list[bytes] = []

    async def framework(scope: Scope, receive: Receive, send: Send) -> None:
        routed.append((await receive())["body"])  # type: ignore[typeddict-item]  # a message with a body

    direct = Direct(framework, unit.service(settings, unit.vector()))
    (began, sent) = answered(direct, BODY)
    assert (began["status"], json.loads(sent["body"])["instrument"], routed) == (200, "SPX500_USD", [])
    reasons = BODY.replace(b"include_features", b"include_reasons")
    elsewhere = [(reasons, False), (BODY[:20], True), (b'{"instrument":"NO_SUCH"}', False), (b"{", False)]
    for body, more in elsewhere:
        assert answered(direct, body, more=more) == []
    assert routed == [body for body, _ in elsewhere]


def answered(direct: Direct, body: bytes, *, more: bool = False) -> list[dict[str, Any]]:
    """What is sent for a body before the framework is asked."""
    scope = {"type": "http", "path": "/predict", "method": "POST", "root_path": "", "headers": [(b"host", b"127.0.0.1")]}
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": more}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(direct(scope, receive, send))  # type: ignore[arg-type]  # as a server makes it
    return sent


def test_requests_sent_together_are_answered_in_their_order(service: homes.Running) -> None:
    url = service.client.base_url
    forecast = b"POST /predict HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: %d\r\n\r\n" % len(BODY) + BODY
    alive = b"GET /health/live HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n"
    with socket.create_connection((url.host, url.port or 0), timeout=60) as connection:
        connection.sendall(forecast + alive + forecast + forecast.replace(b"SPX500_USD", b"NO_SUCH_ON") + forecast)
        stream = connection.makefile("rb")
        found = [answer(stream) for _ in range(5)]
    assert [status for status, _, _ in found] == [200, 200, 200, 404, 200]
    assert ["prediction" in json.loads(body) for _, _, body in found] == [True, False, True, False, True]


def asked(service: homes.Running, pieces: list[bytes]) -> tuple[dict[str, str], dict[str, Any]]:
    """Headers and fields of the answer to a body that is sent in these pieces."""
    url = service.client.base_url
    with socket.create_connection((url.host, url.port or 0), timeout=60) as connection:
        head = f"POST /predict HTTP/1.1\r\nhost: {url.host}:{url.port}\r\ncontent-length: {len(BODY)}\r\n\r\n"
        connection.sendall(head.encode() + pieces[0])
        for piece in pieces[1:]:
            time.sleep(0.2)
            connection.sendall(piece)
        status, headers, body = answer(connection.makefile("rb"))
    assert status == 200
    assert int(headers.pop("content-length")) == len(body)
    assert headers.pop("date").endswith(" GMT")
    return headers, json.loads(body)


def answer(stream: BufferedReader) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of the next answer of a connection."""
    version, status, _ = stream.readline().decode().split(" ", 2)
    assert version == "HTTP/1.1"
    lines = [line.decode().rstrip("\r\n") for line in iter(stream.readline, b"\r\n")]
    headers = dict(line.split(": ", 1) for line in lines)
    assert len(headers) == len(lines)
    return int(status), headers, stream.read(int(headers["content-length"]))
