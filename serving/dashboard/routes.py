"""The routes of the page: the page itself, its files, what its panels ask for.

Belongs here: paths, headers, how long an answer is kept. Does not: the numbers (one module a panel).

They are for the page of this very build and no part of the documented interface: what is worth asking for stands in /docs.
"""

import asyncio
from datetime import datetime
from typing import Annotated, Any

from litestar import Litestar, Request, Response, get, head
from litestar.exceptions import NotFoundException
from litestar.params import Dependency, Parameter

from serving import docs
from serving.contracts import ApiInfo
from serving.dashboard import card, drift, market, record, system
from serving.dashboard.contracts import Card, Drift, Market, Record, Signal, System
from serving.dashboard.files import TYPES, Files
from serving.dashboard.page import HEADERS, REPORT_POLICY, Page, wanted
from serving.dashboard.remembered import Remembered
from serving.dashboard.signal import Signals
from serving.service import Service

YEAR = "public, max-age=31536000, immutable"
MARKET_S, RECORD_S, CARD_S, DRIFT_S, SYSTEM_S = 2.0, 10.0, 5.0, 30.0, 2.0
"""How long an answer is kept: pages ask less often, but there may be many."""
Injected = Annotated[Service, Dependency(skip_validation=True)]
Instrument = Annotated[str, Parameter(max_length=64, description="Traded symbol")]
Horizon = Annotated[int, Parameter(ge=1, le=1440, description="Forecast horizon, minutes")]


class Dashboard:
    """What the page of one service keeps."""

    def __init__(self, service: Service, version: str) -> None:
        self.service, self.version = service, version
        self.files = Files()
        self.page = Page(service, self.files, version)
        self.kept, self.signals, self.runs = Remembered(), Signals(), system.Runs()
        self.started_at: datetime = service.now()


Own = Annotated[Dashboard, Dependency(skip_validation=True)]


@get("/", summary="API information, or the dashboard", tags=["service"])
async def index(version: str, request: Request[Any, Any, Any], dashboard: Own) -> ApiInfo:
    """What this service is, every route it has, and where to go on. A browser, which asks for HTML, gets the dashboard."""
    if wanted(request.headers.get("accept", "")):
        return _page(dashboard)  # type: ignore[return-value]  # the framework sends a response as it is; /docs describes the JSON
    routes = await _routes(request.app)
    info = ApiInfo(name="spx-assets", version=version, docs=docs.PATH, openapi=f"{docs.PATH}/openapi.json", routes=routes)
    return Response(info, headers={"vary": "Accept"})  # type: ignore[return-value]


@head("/", include_in_schema=False)
async def index_head(request: Request[Any, Any, Any], dashboard: Own) -> Response[None]:
    """The headers of the same, its length among them; the server sends no body after HEAD."""
    if wanted(request.headers.get("accept", "")):
        return _page(dashboard)  # type: ignore[return-value]
    return Response(None, media_type="application/json", headers={"vary": "Accept"})


@get("/dashboard/static/{build:str}/{name:str}", include_in_schema=False)
async def static(build: str, name: str, request: Request[Any, Any, Any], dashboard: Own) -> Response[bytes]:
    """One of the page's files. A page of another build, of the other colour behind one address, gets the newest, to ask again."""
    files = dashboard.files
    if name not in files.paths:
        raise NotFoundException(f"the dashboard has no file {name}")
    small = "gzip" in request.headers.get("accept-encoding", "")
    content = await asyncio.to_thread(files.content, name, compressed=small)
    headers = {"cache-control": YEAR if build == files.build else "no-cache", "vary": "Accept-Encoding"}
    if small:
        headers["content-encoding"] = "gzip"
    return Response(content, media_type=TYPES[files.paths[name].suffix], headers=headers)


@get("/dashboard/market", include_in_schema=False)
async def candles(service: Injected, dashboard: Own, instrument: Instrument, horizon: Horizon = 30) -> Market:
    """The last day's bars with the forecasts made from them."""
    heard = tuple(service.stream.hub.bars.get(instrument, ()))

    def read() -> Market:
        return market.of(service.settings, instrument, horizon, now=service.now(), heard=heard)

    return await dashboard.kept.get(("market", instrument, horizon), MARKET_S, lambda: service.aside(read))


@get("/dashboard/signal", include_in_schema=False)
async def signal(service: Injected, dashboard: Own, instrument: Instrument, horizon: Horizon) -> Signal:
    """The forecast of the newest bar; the problem that stands against it."""
    return await dashboard.signals.of(service, instrument, horizon)


@get("/dashboard/model", include_in_schema=False)
async def model(service: Injected, dashboard: Own, instrument: Instrument, horizon: Horizon) -> Card:
    """The model that answers there."""
    served = service.models.choose(instrument, horizon=horizon, name=None, known=service.vectors.live.keys())
    key = ("model", served.manifest.digest, served.alias, served.generation)
    return await dashboard.kept.get(key, CARD_S, lambda: service.aside(lambda: card.of(service.settings, served)))


@get("/dashboard/record", include_in_schema=False)
async def outcomes(service: Injected, dashboard: Own, instrument: Instrument, horizon: Horizon) -> Record:
    """What was forecast and what came of it."""
    clock = service.clock(instrument)

    def read() -> Record:
        return record.of(service.settings, instrument, horizon, clock=clock)

    return await dashboard.kept.get(("record", instrument, horizon), RECORD_S, lambda: service.aside(read))


@get("/dashboard/drift", include_in_schema=False)
async def drifted(service: Injected, dashboard: Own, instrument: Instrument) -> Drift:
    """How far the newest days lie from the training window."""
    return await dashboard.kept.get(
        ("drift", instrument), DRIFT_S, lambda: service.aside(lambda: drift.of(service.settings, instrument))
    )


@get("/dashboard/system", include_in_schema=False)
async def parts(service: Injected, dashboard: Own) -> System:
    """How each part of the system is."""

    def read() -> System:
        return system.of(service, dashboard.runs, started_at=dashboard.started_at, version=dashboard.version)

    return await dashboard.kept.get("system", SYSTEM_S, lambda: service.aside(read))


@get("/dashboard/reports/{name:str}", include_in_schema=False)
async def report(service: Injected, name: Annotated[str, Parameter(max_length=200)]) -> Response[bytes]:
    """A drift report, in a sandbox."""
    path = await asyncio.to_thread(drift.report, service.settings.home, name)
    if path is None:
        raise NotFoundException(f"there is no drift report {name}; the asset monitoring/reports writes them")
    content = await asyncio.to_thread(path.read_bytes)
    headers = {"content-security-policy": REPORT_POLICY, "cache-control": "no-cache"}
    return Response(content, media_type="text/html", headers=headers)


ROUTES = [index, index_head, static, candles, signal, model, outcomes, drifted, parts, report]


def _page(dashboard: Dashboard) -> Response[str]:
    return Response(dashboard.page.text(), media_type="text/html", headers=dict(HEADERS))


async def _routes(app: Litestar) -> list[str]:
    """Method and path of every documented route."""
    paths = (await docs.document(app))["paths"]
    return sorted(f"{method.upper()} {path}" for path, methods in paths.items() for method in methods)
