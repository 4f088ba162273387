"""Whose pages may call: the origin a browser names, and the name by which it found the service.

Belongs here: what is answered to pages of other sites (CORS), what is refused of them. Does not: keys and rates (`gate`).

In local mode reads are open to the machine, and a browser on it runs pages of strangers. The browser keeps them from reading
answers, unless such a page has its own name point to this machine; and it lets them send what they like. So calls by a public
name, and posts and sockets of other origins, are refused. In production a page would have to have a key.
"""

from collections.abc import Sequence
from ipaddress import ip_address

from litestar.enums import ScopeType
from litestar.types import Scope, Send

from serving.early_problems import ForeignHost, ForeignOrigin
from serving.problems import Problem
from serving.refusals import Header
from serving.security import CHANGING
from spx_assets.settings.serving import ServingSettings

READER = b"access-control-allow-origin"
METHODS, HEADERS, AGE_S = b"GET, POST, DELETE", b"authorization, content-type, x-api-key", b"600"
EXPOSED: Header = (b"access-control-expose-headers", b"ratelimit, ratelimit-policy, retry-after")
REMEMBERED = 64


class Origins:
    """What the settings say of pages and names."""

    def __init__(self, settings: ServingSettings) -> None:
        self.named = frozenset(origin.rstrip("/").encode() for origin in settings.web.origins)
        self.local = settings.mode == "local"
        self._private: set[bytes] = set()

    def readers(self, scope: Scope) -> list[Header]:
        """What tells a browser that a page of the call's origin may read the answer; nothing for other origins."""
        origin = _header(scope, b"origin")
        return [(READER, origin), EXPOSED, (b"vary", b"Origin")] if origin in self.named else []

    def objection(self, scope: Scope) -> Problem | None:
        """What stands, in local mode, against a call by its host and its origin."""
        host = origin = b""
        for name, value in scope["headers"]:
            if name == b"host":
                host = value
            elif name == b"origin":
                origin = value
        if host not in self._private and not self._note(host):
            shown = host.decode("latin-1")
            return ForeignHost(
                f"{shown} is a public name, and SPX_SERVING__MODE=local answers this machine only; call 127.0.0.1 or localhost"
            )
        if not origin or origin in self.named or origin.partition(b"://")[2] == host:
            return None
        if scope["type"] == ScopeType.HTTP and scope["method"] not in CHANGING:
            return None
        shown = origin.decode("latin-1")
        return ForeignOrigin(f"pages of {shown} may not call; name that origin in SPX_SERVING__WEB__ORIGINS to let them")

    def _note(self, host: bytes) -> bool:
        """Whether no stranger can have the name; remembered, as all calls of a client name the same."""
        private = is_private(host)
        if private and len(self._private) < REMEMBERED:
            self._private.add(host)
        return private


def is_private(host: bytes) -> bool:
    """Whether a Host header holds an address, a name without a dot, or one that public name servers never answer."""
    name = host.decode("latin-1").lower()
    name = name[1:].partition("]")[0] if name.startswith("[") else name.partition(":")[0]
    if "." not in name and ":" not in name:
        return True
    try:
        ip_address(name)
    except ValueError:
        return name.endswith((".local", ".localhost", ".internal"))
    return True


def asks_to_call(scope: Scope) -> bool:
    """Whether a browser asks before it calls."""
    return bool(_header(scope, b"access-control-request-method"))


async def allow(send: Send) -> None:
    """Answers a browser that asks before it calls."""
    allowed: Sequence[Header] = [
        (b"access-control-allow-methods", METHODS),
        (b"access-control-allow-headers", HEADERS),
        (b"access-control-max-age", AGE_S),
    ]
    await send({"type": "http.response.start", "status": 204, "headers": allowed})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


def _header(scope: Scope, wanted: bytes) -> bytes:
    return next((value for name, value in scope["headers"] if name == wanted), b"")
