"""Runs the service on a socket.

Belongs here: uvicorn's options. Does not: the application.
"""

import logging
import sys

import uvicorn

from serving.app import create_app
from spx_assets.settings import Settings

GRACE_S = 10
"""How long requests in flight may take to finish after SIGTERM."""


def serve(settings: Settings, *, host: str, port: int) -> None:
    """Serve `settings`' home on host:port until SIGINT or SIGTERM; port 0 takes a free one and logs it."""
    _without_pandas()
    # Its reads are small, and each thread of DuckDB keeps memory of its own (10 MB).
    settings = settings.model_copy(update={"lake": settings.lake.model_copy(update={"threads": 1})})
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    uvicorn.run(
        create_app(settings),
        host=host,
        port=port,
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=GRACE_S,
    )


def _without_pandas() -> None:
    """Keeps DuckDB's client from importing pandas at its first query with parameters, which it does wherever it can.

    The service uses polars only; pandas would be a seventh of its memory (45 MB) and 0.4 s of its start.
    """
    if "pandas" not in sys.modules:
        sys.modules["pandas"] = None  # type: ignore[assignment]
