"""News providers on loopback: a real HTTP server that answers as GDELT, Alpha Vantage, Finnhub and publishers' feeds do.

Belongs here: their protocols, and faults put in front of the next answers. Does not: assertions.
"""

import hashlib
import json
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

KEY = "K3Y0FAL1CE"
TOKEN = "t0k3n0fb0b"


@dataclass
class Press:
    """What the server holds, what it was asked, and the faults it plays before answering properly.

    `faults`: each entry spoils one request: a status, (429, Retry-After), "cut", "close", or the bytes of a 200 in HTML.
    `then` is a fault that follows the first proper answer. `pages` are (body, Content-Type) by path and carry an ETag.
    """

    url: str = ""
    gdelt: list[dict[str, Any]] = field(default_factory=list)
    alphavantage: list[dict[str, Any]] = field(default_factory=list)
    finnhub: list[dict[str, Any]] = field(default_factory=list)
    pages: dict[str, tuple[bytes, str]] = field(default_factory=dict)
    moved: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    unchanged: int = 0
    faults: deque[object] = field(default_factory=deque)
    then: int | None = None


@contextmanager
def running() -> Iterator[Press]:
    """A press on a free port of loopback."""
    press = Press()

    class Handler(_Handler):
        state = press

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads, server.block_on_close = True, False
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    press.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield press
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    state: Press
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on stderr."""

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(address.query).items()}
        self.state.asked.append(self.path)
        if self.state.faults:
            self._fault(self.state.faults.popleft())
            return
        if self.state.then is not None:
            self.state.faults.append(self.state.then)
            self.state.then = None
        if address.path == "/api/v2/doc/doc":
            self._gdelt(query)
        elif address.path == "/query":
            self._alphavantage(query)
        elif address.path.startswith("/api/v1/"):
            self._finnhub(address.path, query)
        elif address.path in self.state.moved:
            self._answer(301, b"", location=self.state.moved[address.path])
        else:
            self._page(address.path)

    def _fault(self, fault: object) -> None:
        if fault == "close":
            self.close_connection = True
        elif fault == "cut":
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b'{"articles": [{"url": "htt')
            self.close_connection = True
        elif isinstance(fault, bytes):
            self._answer(200, fault, kind="text/html")
        elif isinstance(fault, tuple):
            self._answer(429, b'{"error": "API limit reached."}', headers={fault[0]: fault[1]})
        else:
            assert isinstance(fault, int)
            self._answer(fault, b'{"error": "trouble"}')

    def _gdelt(self, query: dict[str, str]) -> None:
        assert (query["mode"], query["format"], query["sort"]) == ("artlist", "json", "dateasc")
        first, last = (_time(query[name], "%Y%m%d%H%M%S") for name in ("startdatetime", "enddatetime"))
        found = [a for a in self.state.gdelt if first <= _time(a["seendate"], "%Y%m%dT%H%M%SZ") <= last]
        self._answer(200, json.dumps({"articles": found[: int(query["maxrecords"])]} if found else {}).encode())

    def _alphavantage(self, query: dict[str, str]) -> None:
        assert query["function"] == "NEWS_SENTIMENT"
        if query.get("apikey") != KEY:
            said = "the parameter apikey is invalid or missing. Please claim your free API key"
            return self._answer(200, json.dumps({"Error Message": said}).encode())
        first, last = (_time(query[name], "%Y%m%dT%H%M") for name in ("time_from", "time_to"))
        found = [a for a in self.state.alphavantage if first <= _time(a["time_published"], "%Y%m%dT%H%M%S") <= last]
        found = sorted(found, key=lambda a: str(a["time_published"]))[: int(query["limit"])]
        return self._answer(200, json.dumps({"items": str(len(found)), "feed": found}).encode())

    def _finnhub(self, path: str, query: dict[str, str]) -> None:
        if self.headers.get("X-Finnhub-Token") != TOKEN:
            return self._answer(401, b'{"error":"Invalid API key"}')
        if path.endswith("/company-news"):
            days = [(a, f"{datetime.fromtimestamp(a['datetime'], UTC):%Y-%m-%d}") for a in self.state.finnhub]
            found = [a for a, day in days if query["from"] <= day <= query["to"] and query["symbol"] == a["related"]]
        else:
            found = [a for a in self.state.finnhub if a["id"] > int(query["minId"])]
        return self._answer(200, json.dumps(found).encode())

    def _page(self, path: str) -> None:
        body, kind = self.state.pages.get(path, (b"", ""))
        if not kind:
            return self._answer(404, b"not here")
        mark = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        if self.headers.get("If-None-Match") == mark:
            self.state.unchanged += 1
            return self._answer(304, b"", headers={"ETag": mark})
        return self._answer(200, body, kind=kind, headers={"ETag": mark})

    def _answer(
        self,
        status: int,
        body: bytes,
        *,
        kind: str = "application/json",
        headers: dict[str, str] | None = None,
        location: str | None = None,
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in {**(headers or {}), **({"Location": location} if location else {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


def _time(text: str, form: str) -> datetime:
    return datetime.strptime(text, form).replace(tzinfo=UTC)
