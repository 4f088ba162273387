"""The application: settings in, Litestar app out.

Belongs here: wiring of routes, service, errors and docs. Does not: anything they do. Nothing is opened before start-up.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed

from litestar import Litestar
from litestar.datastructures import State
from litestar.di import Provide
from litestar.exceptions import HTTPException

from serving import docs, models, problems, security, streaming
from serving.keys import KeyStore
from serving.problems import Problem
from serving.routes import ROUTES
from serving.service import Service, wall_clock
from spx_assets.settings import Settings

MAX_BODY = 64 * 1024
"""A request is one instrument and a few options: 64 KiB is a thousand times its size."""


def create_app(settings: Settings, *, now: Callable[[], datetime] = wall_clock) -> Litestar:
    """The service of one home. `now` is the wall clock by which live feeds are judged."""
    service, version = Service(settings, now=now), _version()

    @asynccontextmanager
    async def running(_: Litestar) -> AsyncIterator[None]:
        await service.start()
        try:
            yield
        finally:
            await service.stop()

    return Litestar(
        route_handlers=[*ROUTES, *models.ROUTES, streaming.routes(settings)],
        state=State({security.STATE: KeyStore(settings)}),
        lifespan=[running],
        dependencies={
            "service": Provide(lambda: service, sync_to_thread=False, use_cache=True),
            "version": Provide(lambda: version, sync_to_thread=False, use_cache=True),
        },
        exception_handlers={Problem: problems.on_problem, HTTPException: problems.on_http_error, Exception: problems.on_bug},
        openapi_config=docs.config(version),
        request_max_body_size=MAX_BODY,
        logging_config=None,
    )


def _version() -> str:
    try:
        return installed("spx-assets")
    except PackageNotFoundError:  # a checkout on the path, not installed
        return "0+checkout"
