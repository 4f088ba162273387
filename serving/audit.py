"""The audit log: one line for every call that writes, refused ones included: who, what, outcome.

Belongs here: the line and its file. Does not: which calls write (`security`), who may (`security`, `gate`), what a route does.

`$SPX_HOME/logs/audit.ndjson` is only ever appended to, a line by one `write(2)`, so that processes do not mix theirs; it is
opened for each line, so it may be moved away at any time. A line is in the file before its answer leaves. Where none could be
written, what a role is needed for is refused before it does anything; a line that fails behind that look is in the service's log
and a problem of /health. No line holds a key or a body: a route says what it did by `note`.

From SPX_SERVING__AUDIT__ROTATE_MB on the file becomes `audit.ndjson.1`, the one before it `.2` and so on; as many are kept as
SPX_SERVING__AUDIT__KEEP says.
"""

import asyncio
import errno
import json
import logging
import os
from collections.abc import Iterator, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from filelock import FileLock
from litestar.connection import ASGIConnection
from litestar.types import Scope

from serving.keys import Key
from serving.problems import HomeUnwritable
from spx_assets.settings import Settings

LOG = logging.getLogger(__name__)
LONGEST_PATH = 200
LOG_STATE = "audit"
"""Where the application keeps its `AuditLog`."""
_STATE = "audit"


def note(connection: ASGIConnection[Any, Any, Any, Any], **facts: object) -> None:
    """Add what the call is about to its line."""
    _facts(connection.scope).update(facts)


def holder(scope: Scope, key: Key) -> None:
    """Name in the line whose key the call carried."""
    _facts(scope).update(key=key.id, who=key.name, role=key.role)


def who(connection: ASGIConnection[Any, Any, Any, Any]) -> str:
    """Whose key the call carried; empty if none."""
    return str(_facts(connection.scope).get("who") or "")


class AuditLog:
    """Writes lines on a thread of its own: a disk that waits keeps only the call waiting that is told of."""

    def __init__(self, settings: Settings) -> None:
        self._path = settings.home / "logs" / "audit.ndjson"
        self._most, self._keep = settings.serving.audit.rotate_mb << 20, settings.serving.audit.keep
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="audit")
        self.problem: str | None = None
        """Why the last line is not in the file."""

    async def write(self, scope: Scope, status: int) -> None:
        """The line of a call that is about to be answered with `status`."""
        client = scope.get("client")
        line = {
            "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "who": None,
            "address": client[0] if client else None,
            "call": f"{scope['method']} {scope['path'][:LONGEST_PATH]}",  # type: ignore[typeddict-item]
            "status": status,
            **_facts(scope),
        }
        await asyncio.get_running_loop().run_in_executor(self._thread, self._append, line)

    async def require(self) -> None:
        """HomeUnwritable where no line could be written now."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._look)

    def close(self) -> None:
        self._thread.shutdown(wait=True)

    def _look(self) -> None:
        try:
            with self._opened() as file:
                space = os.fstatvfs(file)
                if space.f_blocks and not space.f_bavail:  # some file systems tell neither
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            raise HomeUnwritable(
                f"the audit log {self._path} cannot be written ({error.strerror}), so nothing is changed; see its "
                "permissions and disk"
            ) from error

    def _append(self, line: dict[str, object]) -> None:
        try:
            with self._opened() as file:
                os.write(file, json.dumps(line).encode() + b"\n")
                full = os.fstat(file).st_size >= self._most
            if full:
                self._rotate()
        except OSError as error:
            LOG.exception("the audit log cannot be written; its line was %s", line)
            self.problem = f"audit: {self._path} cannot be written ({error.strerror}); the service's log has its lines"
        else:
            self.problem = None

    @contextmanager
    def _opened(self) -> Iterator[int]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            yield file
        finally:
            os.close(file)

    def _rotate(self) -> None:
        """One process at a time, and only what is full: another may have rotated meanwhile."""
        with FileLock(self._path.with_name(".audit.lock")):
            if self._path.stat().st_size < self._most:
                return
            older = [self._path, *(self._path.with_name(f"{self._path.name}.{n}") for n in range(1, self._keep + 1))]
            for newer, old in reversed(list(pairwise(older))):
                if newer.exists():
                    newer.replace(old)


def _facts(scope: Scope) -> MutableMapping[str, object]:
    facts: MutableMapping[str, object] = scope["state"].setdefault(_STATE, {})
    return facts
