"""Who may call what: which calls write, guards of routes that ask for a key with a role.

Belongs here: reading a key from a request, the answers 401 and 403. Does not: keys themselves (`keys`), what is asked of every
call whatever its route (`gate`), the log (`audit`).

A program sends its key with each call, in a header. A browser signs in: it posts the key once to /sign-in and keeps a cookie
(`HttpOnly`, `SameSite=Strict`) that stands for it wherever something is read: pages, their files, `fetch`, forecasts, WebSockets
and event streams of the service's own pages (`sessions`). In production a browser that opens any page without one is sent to
/sign-in and from there back. So a page of this service needs no code for keys; it never sees one. Writes take no cookie.
"""

from collections.abc import Iterable
from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.openapi.spec import Components, SecurityScheme
from litestar.types import Guard

from serving import audit
from serving.early_problems import KeysUnavailable, Unauthorized
from serving.keys import Key, KeysError, KeyStore, Role
from serving.problems import Forbidden, HomeUnwritable

Connection = ASGIConnection[Any, Any, Any, Any]
STATE = "keys"
"""Where the application keeps its `KeyStore`."""
CALLER = "caller"
"""Where a call's state names the key that it carried."""
SCHEMES = Components(
    security_schemes={
        "bearer": SecurityScheme(type="http", scheme="bearer", description="A key made by `spx keys create`"),
        "key": SecurityScheme(type="apiKey", security_scheme_in="header", name="X-API-Key", description="The same key"),
    }
)
NEEDS_KEY: list[dict[str, list[str]]] = [{"bearer": []}, {"key": []}]
PROBLEMS = (Unauthorized, Forbidden, KeysUnavailable, HomeUnwritable)
ASKING = frozenset({"/predict", "/predict/batch", "/predict/matrix"})
"""Routes that are posted to and change nothing: they count as reads."""
SIGN_IN, SIGN_OUT = "/sign-in", "/sign-out"
"""What a browser without a key reaches."""
OPEN = frozenset({"/health/live", "/health/ready", SIGN_IN, SIGN_OUT})
"""What nobody needs a key for: what a load balancer asks, and where a browser gives its key."""
CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
SUBPROTOCOLS = b"sec-websocket-protocol"
"""Where a browser's WebSocket can name a key: it sends no header of a page's choice."""
NO_KEY = "a valid key is needed, as `Authorization: Bearer KEY` or `X-API-Key: KEY`; `spx keys create NAME` makes one"


def writes(method: str, path: str) -> bool:
    """Whether a call may change something: it is audited, and its route has a guard."""
    return method in CHANGING and path.rstrip("/") not in ASKING


def needs(role: Role) -> Guard:
    """A guard that lets in who holds a valid key of `role` or of a greater one."""

    async def guard(connection: Connection, _: BaseRouteHandler) -> None:
        store: KeyStore = connection.app.state[STATE]
        try:
            key = store.holder(presented(connection.scope["headers"]))
        except KeysError as error:
            raise KeysUnavailable(str(error)) from error
        if key is None:
            raise Unauthorized(NO_KEY)
        audit.holder(connection.scope, key)
        connection.scope["state"][CALLER] = key
        if not key.may(role):
            raise Forbidden(f"this route needs the role {role}; the key of {key.name} has the role {key.role}")
        log: audit.AuditLog = connection.app.state[audit.LOG_STATE]
        await log.require()

    return guard


def caller(connection: Connection) -> Key:
    """Who called a route that has a guard."""
    key: Key = connection.scope["state"][CALLER]
    return key


def presented(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """The key a request carries; empty if none."""
    own = ""
    for name, value in headers:
        if name == b"authorization":
            scheme, _, given = value.decode("latin-1").partition(" ")
            if scheme.lower() == "bearer":
                return given.strip()
        elif name == b"x-api-key":
            own = value.decode("latin-1").strip()
        elif name == SUBPROTOCOLS:
            offered = (part.strip() for part in value.decode("latin-1").split(","))
            own = own or next((part for part in offered if part.startswith("spx_")), "")
    return own
