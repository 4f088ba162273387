"""Problem documents as bytes, for what is refused before or beside the framework.

Belongs here: the encoding, the headers every answer carries. Does not: which problem it is (`problems`).
"""

from collections.abc import Sequence
from http import HTTPStatus

import msgspec
from litestar.types import Receive, Scope, Send

from serving.problems import MEDIA_TYPE, Problem

Header = tuple[bytes, bytes]
POLICY: Header = (b"content-security-policy", b"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
"""An answer of data needs nothing; a page brings a policy of its own."""
ALWAYS: tuple[Header, ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
)


def body(problem: Problem) -> bytes:
    """The document of a problem."""
    return msgspec.json.encode(problem.document)


def headers(problem: Problem, content: bytes) -> list[Header]:
    """Headers of that document, without those every answer carries."""
    found = [
        (b"content-type", MEDIA_TYPE.encode()),
        (b"content-length", b"%d" % len(content)),
        (b"cache-control", b"no-store"),
    ]
    if problem.status == HTTPStatus.UNAUTHORIZED:
        found.append((b"www-authenticate", b"Bearer"))
    return found


async def answer(problem: Problem, send: Send, *, more: Sequence[Header] = ()) -> None:
    """Sends the document over ASGI."""
    content = body(problem)
    await send({"type": "http.response.start", "status": int(problem.status), "headers": [*headers(problem, content), *more]})
    await send({"type": "http.response.body", "body": content, "more_body": False})


class Refused:
    """An application that answers every request with one problem and closes its connection."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem

    async def __call__(self, _: Scope, __: Receive, send: Send) -> None:
        await answer(self._problem, send, more=[*ALWAYS, POLICY, (b"connection", b"close")])


def on_the_wire(problem: Problem) -> bytes:
    """A whole answer that closes its connection, for a request that no application has seen."""
    content, status = body(problem), HTTPStatus(problem.status)
    lines = [*headers(problem, content), *ALWAYS, POLICY, (b"connection", b"close")]
    head = b"HTTP/1.1 %d %s\r\n" % (status, status.phrase.encode())
    return head + b"".join(b"%s: %s\r\n" % line for line in lines) + b"\r\n" + content
