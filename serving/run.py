"""Runs the service on a socket, in one process or in several.

Belongs here: uvicorn's options, what is set of the process itself. Does not: the application, which is imported where it runs
(of several workers once, before they are forked), starting workers (`workers`).
"""

import ctypes
import gc
import logging
import resource
import sys
from contextlib import suppress
from functools import partial
from socket import socket
from typing import TYPE_CHECKING

import uvicorn

from serving import modes
from serving.immediate import protocol
from serving.preloading import preload, without_pandas
from serving.stream.modes import require_one
from serving.unread import WatchedSocket
from serving.workers import Workers
from spx_assets.settings import Settings

if TYPE_CHECKING:
    from litestar import Litestar

GRACE_S = 10
"""How long requests in flight may take to finish after SIGTERM."""
SWITCH_INTERVAL_S = 0.0005
"""A thread that wants the interpreter gets it after so long. By default 5 ms: each time the refreshing thread is at work in
Python, requests would wait as long as a hot swap may delay them."""
ARENAS = 2
"""Heaps of glibc: by default one a thread, up to eight a core, and what one has freed the others cannot use."""
_M_ARENA_MAX = -8


def serve(settings: Settings, *, host: str, port: int, workers: int = 1) -> None:
    """Serve `settings`' home on host:port until SIGINT or SIGTERM; port 0 takes a free one and logs it.

    Several workers accept from one socket and share nothing else: each has its own models, vectors and journal. One that dies is
    started again within a second; the parent's end, in order or not, is theirs.
    """
    modes.require(settings, host=host)
    require_one(settings, workers)
    _log()
    if workers == 1:
        _serve(settings, host, port)
        return
    listening = _config(settings, host, port).bind_socket()
    preload(settings)
    if not Workers(partial(_serve, settings, host, port), listening, count=workers, grace_s=GRACE_S + 5).run():
        raise SystemExit(1)


def _serve(settings: Settings, host: str, port: int, listening: socket | None = None) -> None:
    _log()
    server = uvicorn.Server(_config(settings, host, port))
    with suppress(KeyboardInterrupt):
        server.run([listening] if listening else None)
    if not server.started:
        raise SystemExit(1)


def _config(settings: Settings, host: str, port: int) -> uvicorn.Config:
    web, limits = settings.serving.web, settings.serving.limits
    return uvicorn.Config(
        partial(_application, settings),
        factory=True,
        host=host,
        port=port,
        loop="uvloop",
        http=protocol(limits),
        timeout_keep_alive=limits.idle_s,
        # uvicorn would believe whoever calls from this machine to speak for others.
        proxy_headers=bool(web.proxies),
        forwarded_allow_ips=list(web.proxies),
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=GRACE_S,
        # Compressing would be done again for each of many listeners; what they say themselves means nothing.
        ws=WatchedSocket,
        ws_per_message_deflate=False,
        ws_max_size=4096,
    )


def _application(settings: Settings) -> "Litestar":
    """The application in the process that is to run it."""
    without_pandas()
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    ctypes.CDLL(None).mallopt(_M_ARENA_MAX, ARENAS)
    # Shells give 1,024 open files, which 1,000 clients and a lake exceed.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    from serving.app import create_app

    # Its reads are small, and each thread of DuckDB keeps memory of its own (10 MB).
    app = create_app(settings.model_copy(update={"lake": settings.lake.model_copy(update={"threads": 1})}))
    app.on_startup.append(_settle)
    return app


def _settle() -> None:
    """What was loaded by now stays: a full collection need not look at it again, for 60 ms in which nobody is answered."""
    gc.collect()
    gc.freeze()


def _log() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
