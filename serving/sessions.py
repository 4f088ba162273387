"""Signed-in browsers: what a cookie holds in the place of a key, and when it counts.

Belongs here: making, finding and judging sessions. Does not: the form (`sign_in`), keys themselves (`keys`), which
calls are asked for a key at all (`gate`).

A browser opens a page without any header of its own choice, and a key in an address would be in histories and logs. So a key is
given once, in a form; the browser keeps `<id of the key>.<end, seconds since 1970>.<seal>`, the seal an HMAC under the secret of
the home and the key's digest. Every process of the home knows it, nothing is stored, it ends with the key, and it is not the key:
other ports of the same host, which get a host's cookies too, could read with it until its end, but change nothing.

A session reads: only `GET`, forecasts and sockets; whatever writes asks for the key itself. It is not counted where another
site's page makes the call. `SameSite=Strict` sees to that between sites, `Sec-Fetch-Site` or `Origin` between ports of one host.
"""

import time
from collections.abc import Callable

from litestar.enums import ScopeType
from litestar.types import Scope

from serving.keys import Key, KeyStore
from serving.security import writes

COOKIE = "spx_session"


class Sessions:
    """The sessions of one home. They last `hours`, or until the key is revoked."""

    def __init__(self, keys: KeyStore, *, hours: float, now: Callable[[], float] = time.time) -> None:
        self._keys, self._hours, self._now = keys, hours, now

    def begin(self, key: Key, *, secure: bool) -> str:
        """The value of `Set-Cookie` that signs the holder of a key in. `secure`: the browser came over TLS."""
        end = int(self._now() + 3600 * self._hours)
        text = f"{key.id}.{end}"
        return _cookie(f"{text}.{self._keys.seal(key, text)}", max_age_s=int(3600 * self._hours), secure=secure)

    @staticmethod
    def end(*, secure: bool) -> str:
        """The value of `Set-Cookie` that signs out."""
        return _cookie("", max_age_s=0, secure=secure)

    def holder(self, scope: Scope) -> Key | None:
        """The key of the session that a call may be answered by; KeysError where keys cannot be read."""
        given = _given(scope)
        if not given or not _reads(scope) or not own_page(scope):
            return None
        text, _, seal = given.rpartition(".")
        number, _, end = text.partition(".")
        if not (end.isdecimal() and len(end) < 12 and self._now() < int(end)):
            return None
        key = self._keys.valid(number)
        return key if key is not None and self._keys.is_seal(key, text, seal) else None


def own_page(scope: Scope) -> bool:
    """Whether no page of another origin made the call: a browser says so itself, else by the origin that it names.

    Somebody who follows a link from elsewhere comes by himself: that page does not see the answer.
    """
    told = {name: value for name, value in scope["headers"] if name in (b"sec-fetch-site", b"sec-fetch-mode", b"origin", b"host")}
    if (site := told.get(b"sec-fetch-site")) is not None:
        follows = told.get(b"sec-fetch-mode") == b"navigate" and scope.get("method") == "GET"
        return site in (b"same-origin", b"none") or follows
    origin = told.get(b"origin")
    return origin is None or origin.partition(b"://")[2] == told.get(b"host")


def _reads(scope: Scope) -> bool:
    return scope["type"] == ScopeType.WEBSOCKET or not writes(scope["method"], scope["path"])


def _given(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"cookie":
            for part in value.decode("latin-1").split(";"):
                known, _, content = part.strip().partition("=")
                if known == COOKIE:
                    return content
    return ""


def _cookie(value: str, *, max_age_s: int, secure: bool) -> str:
    return f"{COOKIE}={value}; Path=/; Max-Age={max_age_s}; HttpOnly; SameSite=Strict" + ("; Secure" if secure else "")
