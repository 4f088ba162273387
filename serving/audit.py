"""The audit log: one line for every call of a route that writes: who, what, outcome.

Belongs here: the line and its file. Does not: who may write (`security`), what a route does.

`$SPX_HOME/logs/audit.ndjson` is only ever appended to, a line by one `write(2)`, so that processes do not mix theirs. No line
holds a key or a body: a route says what it did by `note`.
"""

import json
import logging
import os
from datetime import UTC, datetime
from typing import Any

from litestar.connection import ASGIConnection
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from serving.keys import Key
from spx_assets.settings import Settings

LOG = logging.getLogger(__name__)
LONGEST_PATH = 200
_STATE = "audit"


def note(connection: ASGIConnection[Any, Any, Any, Any], **facts: object) -> None:
    """Add what the call is about to its line."""
    connection.scope["state"].setdefault(_STATE, {}).update(facts)


def holder(connection: ASGIConnection[Any, Any, Any, Any], key: Key) -> None:
    """Name in the line whose key the call carried."""
    note(connection, key=key.id, who=key.name, role=key.role)


class Audited(ASGIMiddleware):
    """Writes the line of each call once the status of its answer is known, before the answer is sent."""

    def __init__(self, settings: Settings) -> None:
        self._path = settings.home / "logs" / "audit.ndjson"

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._write(scope, message["status"])
            await send(message)

        await next_app(scope, receive, sent)

    def _write(self, scope: Scope, status: int) -> None:
        client = scope.get("client")
        line = {
            "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "who": None,
            "address": client[0] if client else None,
            "call": f"{scope['method']} {scope['path'][:LONGEST_PATH]}",  # type: ignore[typeddict-item]
            "status": status,
            **scope["state"].get(_STATE, {}),
        }
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                os.write(file, json.dumps(line).encode() + b"\n")
            finally:
                os.close(file)
        except OSError:
            LOG.exception("the audit log cannot be written; its line was %s", line)
