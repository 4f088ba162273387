"""Signing in with a browser: a form that takes a key once and gives a session for it.

Belongs here: the page, its two routes, sending a browser that has no key to it. Does not: sessions (`sessions`), keys (`keys`).

The key is posted, so that it is in no address and no log, and each try is a line of the audit. The page needs no script and no
file; of its style its policy names the hash.
"""

import html
from base64 import b64encode
from hashlib import sha256
from typing import Annotated, Any, Final
from urllib.parse import parse_qs, quote

from litestar import Request, Response, get, post
from litestar.enums import ScopeType
from litestar.params import Dependency, Parameter
from litestar.types import Scope, Send

from serving import audit
from serving.early_problems import ForeignOrigin, KeysUnavailable
from serving.keys import KeysError, KeyStore
from serving.security import SIGN_IN, SIGN_OUT
from serving.sessions import Sessions, own_page

HOME = "/"
STYLE = """
:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}
body{max-width:24rem;margin:15vh auto;padding:0 1rem}
label,input,button{display:block;width:100%;box-sizing:border-box;font:inherit}
input,button{margin:.5rem 0 1rem;padding:.5rem}
[role=alert]{font-weight:bold}
"""
PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sign in to spx-assets</title><style>{style}</style></head>
<body><main><h1>Sign in</h1>{alert}
<form method="post" action="{action}">
<input type="hidden" name="next" value="{next}">
<label for="key">Key</label>
<input id="key" name="key" type="password" required autofocus autocomplete="current-password" spellcheck="false">
<button>Sign in</button>
</form>
<p>An operator makes a key with <code>spx keys create NAME</code>. Signed in, this browser may read; to change something a program
sends the key itself.</p></main></body>
</html>
"""
WRONG = '<p role="alert">That is no valid key.</p>'
POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{b64encode(sha256(STYLE.encode()).digest()).decode()}'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)


@get(SIGN_IN, include_in_schema=False)
async def form(next_: Annotated[str, Parameter(query="next", max_length=2000)] = HOME) -> Response[str]:
    """The form. `next` is where a browser goes from here."""
    return _page(next_)


@post(SIGN_IN, status_code=303, include_in_schema=False)
async def sign_in(
    request: Request[Any, Any, Any],
    keys: Annotated[KeyStore, Dependency(skip_validation=True)],
    sessions: Annotated[Sessions, Dependency(skip_validation=True)],
) -> Response[str]:
    """Begins a session of whoever holds the key in the form."""
    if not own_page(request.scope):
        raise ForeignOrigin("a page of another site sent the form; open /sign-in itself")
    given = parse_qs((await request.body()).decode("latin-1"), max_num_fields=8)
    presented, after = (given.get(name, [""])[0] for name in ("key", "next"))
    try:
        key = keys.holder(presented.strip())
    except KeysError as error:
        raise KeysUnavailable(str(error)) from error
    if key is None:
        return _page(after, wrong=True)
    audit.holder(request.scope, key)
    return _go(_local(after), sessions.begin(key, secure=request.url.scheme == "https"))


@post(SIGN_OUT, status_code=303, include_in_schema=False)
async def sign_out(request: Request[Any, Any, Any]) -> Response[str]:
    """Takes the cookie away."""
    if not own_page(request.scope):
        raise ForeignOrigin("a page of another site sent the form; post to /sign-out from a page of this one")
    return _go(SIGN_IN, Sessions.end(secure=request.url.scheme == "https"))


ROUTES = [form, sign_in, sign_out]


def wants_page(scope: Scope) -> bool:
    """Whether a browser asks for a page that somebody is to look at."""
    if scope["type"] == ScopeType.WEBSOCKET or scope["method"] not in ("GET", "HEAD"):
        return False
    return any(name == b"accept" and b"text/html" in value for name, value in scope["headers"])


async def send_there(scope: Scope, send: Send) -> None:
    """Answers a browser with the way to the form, and from there back."""
    query = scope["query_string"]
    asked = scope["path"] + (f"?{query.decode('latin-1')}" if query else "")
    location = f"{SIGN_IN}?next={quote(asked, safe='/')}".encode()
    headers = [(b"location", location), (b"content-length", b"0"), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": 303, "headers": headers})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


def _page(after: str, *, wrong: bool = False) -> Response[str]:
    body = PAGE.format(style=STYLE, alert=WRONG if wrong else "", action=SIGN_IN, next=html.escape(_local(after), quote=True))
    headers = {"content-security-policy": POLICY, "cache-control": "no-store"}
    if wrong:
        headers["www-authenticate"] = "Bearer"
    return Response(body, status_code=401 if wrong else 200, media_type="text/html", headers=headers)


def _go(where: str, cookie: str) -> Response[str]:
    headers = {"location": where, "set-cookie": cookie, "cache-control": "no-store"}
    return Response("", status_code=303, media_type="text/plain", headers=headers)


def _local(path: str) -> str:
    """`path` if it is one of this service; browsers take `//name` and `/\\name` for other hosts."""
    safe = path.startswith("/") and path[1:2] not in ("/", "\\") and path.isascii() and path.isprintable()
    return path if safe else HOME
