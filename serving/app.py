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

from serving import audit, batch, docs, documents, features, models, news, operations, security, sign_in, streaming
from serving.dashboard import routes as dashboard
from serving.direct import Direct
from serving.gate import Gate
from serving.gathered import Gathered
from serving.keys import KeyStore
from serving.ledger import routes as ledger
from serving.metrics import Meter, Metrics
from serving.monitoring import routes as monitoring
from serving.problems import Problem
from serving.queries import once_each
from serving.retraining import routes as retraining
from serving.retraining.dagster import Dagster
from serving.routes import ROUTES
from serving.service import Service, wall_clock
from serving.sessions import Sessions
from serving.stream import routes as stream
from spx_assets.settings import Settings

MAX_BODY = 64 * 1024
"""A request is one instrument and a few options: 64 KiB is a thousand times its size."""
GLANCE_S = 0.1
"""How long a revoked key may still be known: a look at the file costs 3 us, which 10,000 requests a second would each pay."""


def create_app(settings: Settings, *, now: Callable[[], datetime] = wall_clock) -> Litestar:
    """The service of one home. `now` is the wall clock by which live feeds are judged."""
    service, version = Service(settings, now=now), _version()
    keys, log = KeyStore(settings, glance_s=GLANCE_S), service.audit
    page = dashboard.Dashboard(service, version)
    sessions = Sessions(keys, hours=settings.serving.web.session_h)
    service.stream.hub.opens = keys.opens

    @asynccontextmanager
    async def running(_: Litestar) -> AsyncIterator[None]:
        await service.start()
        metrics.start()
        try:
            yield
        finally:
            await metrics.stop()
            await service.stop()
            log.close()

    app = Litestar(
        route_handlers=[
            *ROUTES,
            *dashboard.ROUTES,
            *batch.ROUTES,
            *features.ROUTES,
            *news.ROUTES,
            *ledger.ROUTES,
            *models.ROUTES,
            *operations.ROUTES,
            *monitoring.ROUTES,
            *retraining.ROUTES,
            *stream.ROUTES,
            *sign_in.ROUTES,
            streaming.stream,
        ],
        state=State({security.STATE: keys, audit.LOG_STATE: log}),
        lifespan=[running],
        dependencies={
            "service": Provide(lambda: service, sync_to_thread=False, use_cache=True),
            "version": Provide(lambda: version, sync_to_thread=False, use_cache=True),
            "dashboard": Provide(lambda: page, sync_to_thread=False, use_cache=True),
            "dagster": Provide(lambda: dagster, sync_to_thread=False, use_cache=True),
            "hub": Provide(lambda: service.stream.hub, sync_to_thread=False, use_cache=True),
            "keys": Provide(lambda: keys, sync_to_thread=False, use_cache=True),
            "sessions": Provide(lambda: sessions, sync_to_thread=False, use_cache=True),
            "metrics": Provide(lambda: metrics, sync_to_thread=False, use_cache=True),
        },
        exception_handlers={Problem: documents.on_problem, HTTPException: documents.on_http_error, Exception: documents.on_bug},
        openapi_config=docs.config(version),
        before_request=once_each,
        request_max_body_size=MAX_BODY,
        logging_config=None,
    )
    meter = Meter(route.path for route in app.routes if "{" not in route.path)
    dagster, metrics = Dagster(settings), Gathered(Metrics(service, meter, version), settings)
    # Around the router, where a middleware of the framework would not see what no route takes.
    app.asgi_handler = Gate(Direct(app.asgi_handler, service), settings, keys=keys, sessions=sessions, meter=meter, log=log)
    return app


def _version() -> str:
    try:
        return installed("spx-assets")
    except PackageNotFoundError:  # a checkout on the path, not installed
        return "0+checkout"
