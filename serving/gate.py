"""What is asked of every call, whatever its route, and what every answer carries.

Belongs here: the key of production mode, rates, security headers, counting, the audit's occasion. Does not: roles of single
routes (`security`), pages of other sites (`origins`), sizes and times of arrival (`connections`), how any of these is kept.

It stands around the whole application, so that answers of the framework itself (404, 405, 413) pass it as well. Of each request
it takes 4 us, in production with a key and its rate 11 us.
"""

import logging
from collections.abc import Sequence
from http import HTTPStatus
from time import perf_counter
from typing import Any, Final

from litestar.enums import ScopeType
from litestar.types import Message, Receive, Scope, Send, WebSocketScope

from serving import audit
from serving.audit import AuditLog
from serving.direct import PATH, Direct
from serving.early_problems import KeysUnavailable, NoSuchSocket, TooManyRequests, Unauthorized
from serving.keys import Key, KeysError, KeyStore
from serving.limits import MORE, Rate, caller_at
from serving.metrics import GONE, Meter
from serving.origins import READER, Origins, allow, asks_to_call
from serving.problems import BadRequest, InternalError, Problem
from serving.refusals import ALWAYS, POLICY, Header, answer, body, headers
from serving.security import CALLER, NO_KEY, OPEN, presented, writes
from serving.sessions import Sessions
from serving.sign_in import send_there, wants_page
from spx_assets.settings import Settings

LOG = logging.getLogger(__name__)
PER_KEY, PER_ADDRESS = 500.0, 20.0
"""Requests a second in production where the settings leave it open: one key's work, and trying keys."""
TEMPLATE: Final = "path_template"
"""Where the router notes which route took a call; what none took wrote nothing."""
JUDGED: Final = "judged"
"""Where the state of a call keeps what was found of it, if it was asked about before (`at_once`)."""
PROTOCOL = "spx"
"""What a WebSocket of a browser names beside its key, for it cannot send a header: `new WebSocket(url, ["spx", KEY])`."""


class Gate:
    """Judges calls before the application, completes answers behind it."""

    def __init__(
        self, app: Direct, settings: Settings, *, keys: KeyStore, sessions: Sessions, meter: Meter, log: AuditLog
    ) -> None:
        self._app, self._keys, self._sessions, self._meter, self._log = app, keys, sessions, meter, log
        serving, production = settings.serving, settings.serving.mode == "production"
        self._closed = production
        rates = serving.rates

        def rate(name: str, asked: float | None, usual: float) -> Rate:
            per_s = asked if asked is not None else usual if production else 0.0
            return Rate(name, per_s=per_s, burst_s=rates.burst_s, callers=rates.callers)

        self._per_key, self._per_address = rate("key", rates.per_key, PER_KEY), rate("address", rates.per_address, PER_ADDRESS)
        self._origins = Origins(serving)
        self._judging = production or self._per_key.limited or self._per_address.limited or bool(self._origins.named)
        hsts = [(b"strict-transport-security", b"max-age=%d" % serving.web.hsts_s)] if serving.web.hsts_s else []
        self._always: tuple[Header, ...] = (*ALWAYS, *hsts)
        lines = b"".join(b"%s: %s\r\n" % line for line in (*self._always, POLICY))
        self._forecast = b"content-type: application/json\r\ncontent-length: %d\r\n" + lines.replace(b"%", b"%%")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == ScopeType.WEBSOCKET:
            await self._socket(scope, receive, send)
            return
        started, seen = perf_counter(), False
        problem: Problem | None = None
        told: Sequence[Header] = ()
        method, path = scope["method"], scope["path"]
        writing = writes(method, path)

        async def sent(message: Message) -> None:
            nonlocal seen
            if message["type"] == "http.response.start":
                seen, status = True, message["status"]
                if writing and (problem is not None or TEMPLATE in scope):
                    await self._log.write(scope, status)
                message["headers"] = self._complete(message["headers"], told)
                self._meter.count(scope.get(TEMPLATE), path, method, status, perf_counter() - started)
            await send(message)

        try:
            problem, told = scope["state"].pop(JUDGED, None) or self._judged(scope)
            if isinstance(problem, Unauthorized) and wants_page(scope):
                await send_there(scope, sent)
            elif problem is not None:
                await answer(problem, sent)
            elif _preflight(scope, told):
                await allow(sent)
            else:
                await self._app(scope, receive, sent)
        except Exception as error:
            if seen:  # no document fits behind half an answer: the server cuts the connection
                raise
            LOG.error("%s %s failed", method, path, exc_info=error)
            await answer(InternalError(), sent)
        finally:
            if not seen:
                self._meter.count(scope.get(TEMPLATE), path, method, GONE, perf_counter() - started)

    def at_once(self, scope: Scope, content: bytes, before: Sequence[Header]) -> bytes | None:
        """The whole answer to POST /predict with this body, its first header lines `before`; None where it is no forecast from
        memory. The call is then made, and is not judged again.
        """
        started = perf_counter()
        scope["method"], scope["path"] = "POST", PATH  # type: ignore[typeddict-unknown-key]  # a call over HTTP
        problem: Problem | None = None
        told: Sequence[Header] = ()
        try:
            problem, told = self._judged(scope)
            found = self._app.forecast(scope, content) if problem is None else None
        except Exception as error:
            LOG.error("POST %s failed", PATH, exc_info=error)
            problem, found = InternalError(), None
        if found is None:
            scope["state"][JUDGED] = problem, told
            return None
        self._meter.count(None, PATH, "POST", 200, perf_counter() - started)
        lines = b"".join([b"%s: %s\r\n" % line for line in (*before, *told)])
        return b"HTTP/1.1 200 OK\r\n" + lines + self._forecast % len(found) + b"\r\n" + found

    def _judged(self, scope: Scope) -> tuple[Problem | None, Sequence[Header]]:
        return self._judge(scope) if self._judging else (self._origins.objection(scope), ())

    def _complete(self, given: Any, told: Sequence[Header]) -> list[Header]:
        """An answer's headers with those all carry; a page's own policy stands."""
        own = any(name == b"content-security-policy" for name, _ in given)
        return [*given, *self._always, *told] if own else [*given, *self._always, POLICY, *told]

    def _judge(self, scope: Scope) -> tuple[Problem | None, Sequence[Header]]:
        """What stands against a call, and the headers its answer gets."""
        told: list[Header] = []
        if self._origins.local and (problem := self._origins.objection(scope)) is not None:
            return problem, told
        if self._origins.named:
            told += self._origins.readers(scope)
        try:
            key = self._holder(scope)
        except KeysError as error:
            return KeysUnavailable(str(error)), told
        rate, caller = (self._per_key, key.id) if key else (self._per_address, caller_at(_address(scope)))
        if rate.limited:
            before = tuple(told)

            def count(calls: int) -> Problem | None:
                taken = rate.take(caller, calls)
                told[:] = [*before, *rate.headers(taken)]
                if not taken.wait_s:
                    return None
                whose = f"the key of {key.name}" if key else "an address without a valid key"
                return TooManyRequests(f"{whose} may make {rate.burst} requests at once; wait {taken.wait_s:.2f} s")

            # A batch that is larger than what may come at once takes all of it.
            scope["state"][MORE] = lambda calls: count(min(calls, rate.burst - 1))
            if (problem := count(1)) is not None:
                return problem, told
        if self._closed and key is None and scope["path"] not in OPEN and not _preflight(scope, told):
            return Unauthorized(NO_KEY), told
        return None, told

    def _holder(self, scope: Scope) -> Key | None:
        """The valid key a call carries, or that of its session."""
        given = presented(scope["headers"])
        key = self._keys.holder(given) if given else self._sessions.holder(scope)
        if key is not None:
            scope["state"][CALLER] = key
            audit.holder(scope, key)
        return key

    async def _socket(self, scope: WebSocketScope, receive: Receive, send: Send) -> None:
        """A WebSocket: judged once, as it opens."""
        problem, _ = self._judged(scope)
        if problem is not None:
            await receive()
            await _refuse_socket(problem, scope, send, self._always)
            return
        offered, opened, why = PROTOCOL in scope["subprotocols"], False, ""

        async def sent(message: Message) -> None:
            nonlocal opened, why
            if message["type"] == "websocket.close" and not opened:
                why = message["reason"] or ""  # the server would say 403 without a word
                return
            if message["type"] == "websocket.accept":
                opened = True
                if offered:
                    message["subprotocol"] = PROTOCOL
            await send(message)

        self._meter.sockets += 1
        try:
            await self._app(scope, receive, sent)
        finally:
            self._meter.sockets -= 1
        if not opened:
            await _refuse_socket(_unopened(scope, why), scope, send, self._always)


def _preflight(scope: Scope, told: Sequence[Header]) -> bool:
    """Whether a browser asks for a page that may read; it has no key yet, and this door answers it, not the application."""
    return bool(told) and told[0][0] == READER and scope.get("method") == "OPTIONS" and asks_to_call(scope)


def _address(scope: Scope) -> str:
    client = scope.get("client")
    return client[0] if client else "local"


def _unopened(scope: WebSocketScope, why: str) -> Problem:
    """What the application says by closing a socket that it has not opened: no route, a wrong parameter, a defect."""
    if TEMPLATE not in scope or not why:
        return NoSuchSocket(f"no WebSocket opens at {scope['path']}")
    if why == HTTPStatus.INTERNAL_SERVER_ERROR.phrase:
        LOG.error("the WebSocket at %s failed before it was open", scope["path"])
        return InternalError()
    return BadRequest(why)


async def _refuse_socket(problem: Problem, scope: Scope, send: Any, always: Sequence[Header]) -> None:
    """Refuses the handshake with the document, where the server can, else with the code of a policy's violation."""
    if "websocket.http.response" in (scope.get("extensions") or {}):
        content = body(problem)
        lines = [*headers(problem, content), *always, POLICY, (b"connection", b"close")]
        await send({"type": "websocket.http.response.start", "status": int(problem.status), "headers": lines})
        await send({"type": "websocket.http.response.body", "body": content})
    else:
        await send({"type": "websocket.close", "code": 1008, "reason": problem.code})
