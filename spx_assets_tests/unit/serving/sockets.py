"""The market stream alone on a real socket of this process: no lake, no models.

Belongs here: what unit tests of listeners share. Tests of the whole service are integration tests.
"""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import uvicorn
from litestar import Litestar
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.types import ASGIApp

from serving import documents
from serving.immediate import protocol
from serving.problems import Problem
from serving.stream import routes
from serving.stream.contracts import BarEvent
from serving.stream.hub import Hub
from serving.unread import WatchedSocket
from spx_assets.settings import StreamSettings
from spx_assets.settings.serving import LimitSettings

NOW = datetime(2025, 10, 15, 16, 0, tzinfo=UTC)
WEBSOCKET = (
    "GET /ws/market-stream HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{more}\r\n"
)
EVENTS = "GET /market-stream HTTP/1.1\r\nHost: 127.0.0.1\r\n{more}\r\n"


class _Server(uvicorn.Server):
    """One whose end the test decides, not a signal."""

    def install(self) -> asyncio.Task[None]:
        return asyncio.create_task(self._serve())


@dataclass
class Listening:
    """A server with the stream's routes."""

    server: uvicorn.Server
    hub: Hub
    port: int
    task: "asyncio.Task[None]"

    def publish(self, *, size: int = 8) -> None:
        """A bar whose event is so many bytes and some."""
        price = 3000.0
        self.hub.publish(
            BarEvent(
                instrument="SPX500_USD",
                timestamp=NOW,
                open=price,
                high=price,
                low=price,
                close=price,
                bid_close=None,
                ask_close=None,
                spread=None,
                volume=0.0,
                bid_size=None,
                ask_size=None,
                known_at=NOW,
                provider="x" * size,
            )
        )

    @property
    def connections(self) -> int:
        return len(self.server.server_state.connections)

    async def connect(self, request: str, *, more: str = "", room: int = 4096) -> socket.socket:
        """A client that asks, has so little room for answers and has read the head of the first."""
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
        client.setblocking(False)
        loop, before = asyncio.get_running_loop(), self.hub.listeners
        await loop.sock_connect(client, ("127.0.0.1", self.port))
        await loop.sock_sendall(client, request.format(more=more).encode())
        head = await loop.sock_recv(client, 512)
        assert head.startswith((b"HTTP/1.1 200", b"HTTP/1.1 101"))
        await self.until(lambda: self.hub.listeners == before + 1)
        return client

    @staticmethod
    async def until(true: Any, *, patience_s: float = 60.0) -> None:
        async with asyncio.timeout(patience_s):
            while not true():
                await asyncio.sleep(0.01)


@asynccontextmanager
async def listening(*, write_s: float = 0.3, wrap: Any = None, **settings: float) -> AsyncIterator[Listening]:
    """The stream's routes on a free port; `wrap` stands around the application as the gate does."""
    hub = Hub(StreamSettings(**settings), lambda: NOW)
    app = Litestar(
        routes.ROUTES,
        dependencies={"hub": Provide(lambda: hub, sync_to_thread=False)},
        exception_handlers={Problem: documents.on_problem, HTTPException: documents.on_http_error},
        openapi_config=None,
        logging_config=None,
    )
    served: ASGIApp = wrap(app) if wrap else app
    config = uvicorn.Config(
        served,
        port=0,
        http=protocol(LimitSettings(write_s=write_s)),
        ws=WatchedSocket,
        ws_per_message_deflate=False,
        lifespan="off",
        log_config=None,
        timeout_graceful_shutdown=10,
    )
    server = _Server(config)
    task = server.install()
    while not server.started:
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    hub.start()
    try:
        yield Listening(server, hub, port, task)
    finally:
        hub.stop()
        server.should_exit = server.force_exit = True
        await task
