"""Providers on loopback: a real HTTP server that answers as OANDA v20 and as Dukascopy's data feed do.

Belongs here: their protocols, and faults put in front of the next answers. Does not: assertions.
"""

import json
import re
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

TOKEN = "f00dfeedf00dfeed-5ca1ab1e"


@dataclass
class Provider:
    """What the server holds, what it was asked, and the faults it plays before answering properly.

    `faults`: each entry spoils one request: a status code, (429, Retry-After), "cut" or "close". After `die_after` requests
    every connection is closed unanswered, after `hold_after` every one is held for half a minute.
    """

    url: str = ""
    candles: dict[str, list[dict[str, object]]] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    faults: deque[object] = field(default_factory=deque)
    die_after: int | None = None
    hold_after: int | None = None


@contextmanager
def running() -> Iterator[Provider]:
    """A provider on a free port of loopback."""
    provider = Provider()

    class Handler(_Handler):
        state = provider

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads, server.block_on_close = True, False
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    provider.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    state: Provider
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on stderr."""

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        self.state.asked.append(self.path)
        if self.state.die_after is not None and len(self.state.asked) > self.state.die_after:
            self.close_connection = True
            return
        if self.state.hold_after is not None and len(self.state.asked) > self.state.hold_after:
            time.sleep(30.0)
            self.close_connection = True
            return
        if self.state.faults:
            self._fault(self.state.faults.popleft())
        elif address.path.startswith("/v3/"):
            self._oanda(address.path, {name: values[0] for name, values in parse_qs(address.query).items()})
        else:
            data = self.state.files.get(address.path.lstrip("/"))
            self._answer(404 if data is None else 200, data or b"", kind="application/octet-stream")

    def _fault(self, fault: object) -> None:
        if fault == "close":
            self.close_connection = True
        elif fault == "cut":
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b'{"instrument": "EUR_')
            self.close_connection = True
        elif isinstance(fault, tuple):
            self._answer(429, b'{"errorMessage": "Too many requests"}', retry_after=str(fault[1]))
        else:
            assert isinstance(fault, int)
            self._answer(fault, b'{"errorMessage": "trouble"}')

    def _oanda(self, path: str, query: dict[str, str]) -> None:
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            return self._answer(401, b'{"errorMessage": "Insufficient authorization to perform request."}')
        found = re.fullmatch(r"/v3/instruments/([^/]+)/candles", path)
        if not found or found[1] not in self.state.candles:
            return self._answer(404, b'{"errorMessage": "Invalid value specified for \'instrument\'"}')
        if int(query["count"]) > 5000:
            return self._answer(400, b'{"errorMessage": "Maximum value for \'count\' exceeded"}')
        assert (query["granularity"], query["price"]) == ("M1", "MBA")
        start = datetime.fromisoformat(query["from"])
        later = [c for c in self.state.candles[found[1]] if datetime.fromisoformat(str(c["time"])[:19] + "+00:00") >= start]
        body = {"instrument": found[1], "granularity": "M1", "candles": later[: int(query["count"])]}
        return self._answer(200, json.dumps(body).encode())

    def _answer(self, status: int, body: bytes, *, kind: str = "application/json", retry_after: str | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if retry_after is not None:
            self.send_header("Retry-After", retry_after)
        self.end_headers()
        self.wfile.write(body)
