"""A mail server and a chat that really listen, and a home whose lake is there."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from spx_assets.cli import processes
from spx_assets.settings import Settings, load
from spx_assets_tests import lakes

PASSWORD = "sw0rdfish-42"


@dataclass
class Mail:
    """A mail server: what it took, and whether it takes anything."""

    port: int = 0
    broken: bool = False
    messages: list[EmailMessage] = field(default_factory=list)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.broken:
            return f"451 not now, {PASSWORD} was right"
        assert isinstance(envelope.content, bytes)
        self.messages.append(message_from_bytes(envelope.content, policy=policy.default))  # type: ignore[arg-type]
        return "250 taken"

    def authenticate(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        right = isinstance(data, LoginPassword) and data.password == PASSWORD.encode()
        return AuthResult(success=right, handled=False)

    def url(self, password: str = PASSWORD) -> str:
        return f"mailto://robot:{password}@desk.example:{self.port}?smtp=127.0.0.1&to=ops@desk.example&mode=insecure"


@pytest.fixture
def mail() -> Iterator[Mail]:
    made = Mail(port=processes.free_port())
    options: dict[str, Any] = {"authenticator": made.authenticate, "auth_require_tls": False}
    controller = Controller(made, hostname="127.0.0.1", port=made.port, **options)
    controller.start()
    yield made
    controller.stop()


@dataclass
class Chat:
    """A chat's web hook: what was posted to it, the status it answers with, and the text it shows to who asks."""

    port: int = 0
    status: int = 200
    posts: list[dict[str, Any]] = field(default_factory=list)
    shown: str = ""

    @property
    def url(self) -> str:
        return f"json://127.0.0.1:{self.port}/hook/T0KENSECRET"


@pytest.fixture
def chat() -> Iterator[Chat]:
    made = Chat()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            made.posts.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self._answer(made.status, b"")

        def do_GET(self) -> None:
            self._answer(made.status, made.shown.encode())

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing on the terminal."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield made
    server.shutdown()
    server.server_close()


@pytest.fixture
def home(settings: Settings) -> Settings:
    """Settings of the test's home, which has a lake and no channel."""
    lakes.fresh(settings)
    return settings


@pytest.fixture
def told_home(home: Settings, mail: Mail, chat: Chat, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The same with both channels, as the environment names them."""
    monkeypatch.setenv("SPX_ALERTS__CHANNELS__MAIL", mail.url())
    monkeypatch.setenv("SPX_ALERTS__CHANNELS__CHAT", chat.url)
    return load()
