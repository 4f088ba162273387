"""OANDA's two sides on loopback: the pricing stream, played line by line by a test, and candles over REST.

Belongs here: the protocol and its faults. Does not: assertions.
"""

import json
import queue
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from spx_assets_tests.integration.sources.provider import TOKEN

ACCOUNT = "101-004-1234567-001"
CUT = "cut"
HEARTBEAT = '{"type": "HEARTBEAT", "time": "2025-03-05T14:00:00.000000000Z"}'


@dataclass
class PriceServer:
    """What is streamed next, the candles there are, and what was asked.

    A line put into `stream` goes to whoever is connected; `CUT` breaks the connection. `refuse`: status and text for the next
    connections instead of prices. Connections beat by themselves, but for the one that is `silent`.
    """

    url: str = ""
    stream: "queue.Queue[str]" = field(default_factory=queue.Queue)
    candles: dict[datetime, float] = field(default_factory=dict)
    incomplete: set[datetime] = field(default_factory=set)
    refuse: list[tuple[int, str]] = field(default_factory=list)
    connections: int = 0
    silent: int | None = None
    silenced: threading.Event = field(default_factory=threading.Event)
    asked: list[str] = field(default_factory=list)

    def price(
        self, at: datetime, bid: float, ask: float, *, size: int = 10, tradeable: bool = True, symbol: str = "SPX500_USD"
    ) -> None:
        """Stream a price."""
        line = {
            "type": "PRICE",
            "time": at.strftime("%Y-%m-%dT%H:%M:%S.%f") + "000Z",
            "bids": [{"price": f"{bid:.1f}", "liquidity": 10}, {"price": f"{bid - 1:.1f}", "liquidity": 1000}],
            "asks": [{"price": f"{ask:.1f}", "liquidity": 11}],
            "closeoutBid": f"{bid:.1f}",
            "closeoutAsk": f"{ask:.1f}",
            "status": "tradeable" if tradeable else "non-tradeable",
            "tradeable": tradeable,
            "instrument": symbol,
        }
        self.stream.put(json.dumps(line))

    def fall_silent(self) -> None:
        """The present connection says nothing any more of itself; what it was saying has arrived."""
        self.silenced.clear()
        self.silent = self.connections
        # The connection says so itself: its last line is sent. Whoever listens takes it within the rest.
        assert self.silenced.wait(30)
        time.sleep(0.3)


@contextmanager
def serving() -> Iterator[PriceServer]:
    """The server on a free port of loopback."""
    state = PriceServer()

    class Handler(_Handler):
        server_state = state

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads, server.block_on_close = True, False
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    server_state: PriceServer
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on stderr."""

    def do_GET(self) -> None:
        state, address = self.server_state, urlsplit(self.path)
        state.asked.append(self.path)
        query = {name: values[0] for name, values in parse_qs(address.query).items()}
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            given = self.headers.get("Authorization", "").removeprefix("Bearer ")
            return self._answer(401, {"errorMessage": f"Insufficient authorization to perform request: {given}"})
        if address.path == f"/v3/accounts/{ACCOUNT}/pricing/stream":
            return self._prices()
        if address.path.startswith("/v3/instruments/"):
            return self._candles(address.path.split("/")[3], query)
        return self._answer(404, {"errorMessage": "no such address"})

    def _prices(self) -> None:
        state = self.server_state
        if state.refuse:
            status, text = state.refuse.pop(0)
            return self._answer(status, {"errorMessage": text})
        # Its own lines: a connection that is not cut yet would take those of the next one.
        lines: queue.Queue[str] = queue.Queue()
        state.stream = lines
        state.connections += 1
        mine = state.connections
        self.send_response(200)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.flush()
        while mine == state.connections:
            try:
                line = lines.get(timeout=0.02)
            except queue.Empty:
                if mine == state.silent:
                    state.silenced.set()
                    continue
                line = HEARTBEAT
            if line == CUT:
                break
            data = line.encode() + b"\n"
            self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
            self.wfile.flush()
        self.close_connection = True
        return None

    def _candles(self, symbol: str, query: dict[str, str]) -> None:
        start, count = datetime.fromisoformat(query["from"]), int(query["count"])
        later = [ts for ts in sorted(self.server_state.candles) if ts >= start][:count]
        body = {"instrument": symbol, "granularity": "M1", "candles": [self._candle(ts) for ts in later]}
        return self._answer(200, body)

    def _candle(self, ts: datetime) -> dict[str, object]:
        mid = self.server_state.candles[ts]
        sides = {side: dict.fromkeys("ohlc", f"{mid + off:.2f}") for side, off in (("bid", -0.25), ("mid", 0.0), ("ask", 0.25))}
        complete = ts not in self.server_state.incomplete
        return {"complete": complete, "volume": 7, "time": ts.strftime("%Y-%m-%dT%H:%M:%S.000000000Z"), **sides}

    def _answer(self, status: int, body: object) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def minutes(start: datetime, count: int, *, level: float = 5700.0) -> dict[datetime, float]:
    """Candles of consecutive minutes, each half a point above the one before."""
    return {start.astimezone(UTC) + timedelta(minutes=k): level + 0.5 * k for k in range(count)}
