"""A forecast that leaves before the framework is the one that its route gives."""

import asyncio
import json
import socket
import time
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


def asked(service: homes.Running, pieces: list[bytes]) -> tuple[dict[str, str], dict[str, Any]]:
    """Headers and fields of the answer to a body that is sent in these pieces."""
    url = service.client.base_url
    with socket.create_connection((url.host, url.port or 0), timeout=10) as connection:
        head = (
            f"POST /predict HTTP/1.1\r\nhost: {url.host}:{url.port}\r\nconnection: close\r\ncontent-length: {len(BODY)}\r\n\r\n"
        )
        connection.sendall(head.encode() + pieces[0])
        for piece in pieces[1:]:
            time.sleep(0.2)
            connection.sendall(piece)
        received = b"".join(iter(lambda: connection.recv(65_536), b""))
    head_lines, _, body = received.partition(b"\r\n\r\n")
    status, *lines = head_lines.decode().split("\r\n")
    assert status == "HTTP/1.1 200 OK"
    headers = dict(line.split(": ", 1) for line in lines)
    assert int(headers.pop("content-length")) == len(body)
    return headers, json.loads(body)
