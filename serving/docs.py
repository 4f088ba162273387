"""/docs: the OpenAPI document and a page to read it with, from this process alone.

Belongs here: the page, its static files, their content policy. Does not: what the routes say of themselves (`contracts`).

The framework's own pages load their scripts from a CDN, which a closed network does not reach and which would let a third
party run code in an operator's browser. The package `swagger-ui-py` carries Swagger UI 5, the first to read OpenAPI 3.1, and
needs no web framework (`swagger-ui-bundle` stopped at 4.15). It is never imported: three of its files are served.
"""

import asyncio
import threading
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import anyio
from litestar import Litestar, Request, Response, Router, get
from litestar._openapi.plugin import OpenAPIPlugin
from litestar.datastructures import ResponseHeader
from litestar.exceptions import NotFoundException
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin, OpenAPIRenderPlugin

from serving import everywhere
from serving.security import SCHEMES
from spx_assets import SpxError

PATH = "/docs"
TYPES = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "favicon-32x32.png": "image/png",
    "start.js": "text/javascript",
}
START = b"""window.addEventListener("load", () =>
  SwaggerUIBundle({ url: "/docs/openapi.json", dom_id: "#docs", validatorUrl: null, deepLinking: true }));
"""
PAGE = b"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>spx-assets API</title>
<link rel="icon" href="/docs/static/favicon-32x32.png"><link rel="stylesheet" href="/docs/static/swagger-ui.css">
</head>
<body><div id="docs"></div>
<script src="/docs/static/swagger-ui-bundle.js"></script><script src="/docs/static/start.js"></script>
</body>
</html>
"""
# Swagger UI sets style attributes and data: images; scripts come from this origin only, none is inline.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


_making = threading.Lock()


class DocsFilesError(SpxError):
    """The files of the documentation page are not installed."""


class OfflinePage(OpenAPIRenderPlugin):
    """The page itself; everything it loads is served below /docs/static."""

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        return PAGE


def config(version: str) -> OpenAPIConfig:
    """OpenAPI at /docs (page) and /docs/openapi.json."""
    _folder()
    return everywhere.Config(
        title="spx-assets",
        version=version,
        use_handler_docstrings=True,
        components=everywhere.components(SCHEMES),
        description="Intraday S&P 500 forecasts from the newest judged models. Never a default answer: where there is no "
        "forecast, a problem document (RFC 9457) says why in `code`. In production mode every route but /health/live and "
        "/health/ready needs a key (a browser gives it once at /sign-in and may read), and 429 says how long to wait.",
        render_plugins=[OfflinePage(path="/"), JsonRenderPlugin(path="/openapi.json")],
        openapi_router=Router(
            PATH,
            route_handlers=[static],
            before_request=_made_before,
            include_in_schema=False,
            response_headers=[ResponseHeader(name="content-security-policy", value=POLICY)],
        ),
    )


async def document(app: Litestar) -> dict[str, Any]:
    """The OpenAPI document. Made when it is first asked for, on a thread: 0.3 s of CPU in which nobody would be answered."""
    return await asyncio.to_thread(_made, app)


def _made(app: Litestar) -> dict[str, Any]:
    with _making:  # who comes meanwhile gets the same one
        return app.plugins.get(OpenAPIPlugin).provide_openapi_schema()


async def _made_before(request: Request[Any, Any, Any]) -> None:
    """The framework's own handlers would make the document on the event loop, and answer for a page that is none with HTML."""
    path = request.scope["path"]
    if path.startswith(f"{PATH}/static/"):
        return
    if path not in (PATH, f"{PATH}/openapi.json"):
        raise NotFoundException(f"{PATH} has a page, {PATH}/openapi.json the document")
    await document(request.app)


@get("/static/{name:str}")
async def static(name: str) -> Response[bytes]:
    """One of the page's files."""
    if name not in TYPES:
        raise NotFoundException(f"/docs/static has {', '.join(TYPES)}")
    content = START if name == "start.js" else await anyio.Path(_folder() / name).read_bytes()
    return Response(content, media_type=TYPES[name], headers={"cache-control": "public, max-age=3600"})


def _folder() -> Path:
    spec = find_spec("swagger_ui")
    folder = Path(next(iter(spec.submodule_search_locations or []))) / "static" if spec else None
    if folder is None or not all((folder / name).is_file() for name in TYPES if name != "start.js"):
        raise DocsFilesError("the files of /docs are not installed; install the extra `serving` (swagger-ui-py)")
    return folder
