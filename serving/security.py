"""Who may call what: guards of routes that ask for a key with a role.

Belongs here: reading a key from a request, the answers 401 and 403. Does not: keys themselves (`keys`), the log (`audit`).
"""

from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.openapi.spec import Components, SecurityScheme
from litestar.types import Guard

from serving import audit
from serving.keys import KeysError, KeyStore, Role
from serving.problems import Forbidden, KeysUnavailable, Unauthorized

Connection = ASGIConnection[Any, Any, Any, Any]
STATE = "keys"
"""Where the application keeps its `KeyStore`."""
SCHEMES = Components(
    security_schemes={
        "bearer": SecurityScheme(type="http", scheme="bearer", description="A key made by `spx keys create`"),
        "key": SecurityScheme(type="apiKey", security_scheme_in="header", name="X-API-Key", description="The same key"),
    }
)
NEEDS_KEY: list[dict[str, list[str]]] = [{"bearer": []}, {"key": []}]
PROBLEMS = (Unauthorized, Forbidden, KeysUnavailable)


def needs(role: Role) -> Guard:
    """A guard that lets in who holds a valid key of `role` or of a greater one."""

    async def guard(connection: Connection, _: BaseRouteHandler) -> None:
        store: KeyStore = connection.app.state[STATE]
        try:
            key = store.holder(_presented(connection))
        except KeysError as error:
            raise KeysUnavailable(str(error)) from error
        if key is None:
            raise Unauthorized("this route needs a valid key, as `Authorization: Bearer KEY` or `X-API-Key: KEY`")
        audit.holder(connection, key)
        if not key.may(role):
            raise Forbidden(f"this route needs the role {role}; the key of {key.name} has the role {key.role}")

    return guard


def _presented(connection: Connection) -> str:
    """The key a request carries; empty if none."""
    scheme, _, given = connection.headers.get("authorization", "").partition(" ")
    return given.strip() if scheme.lower() == "bearer" else connection.headers.get("x-api-key", "").strip()
