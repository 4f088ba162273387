"""Routes for those who run the service: is it alive, can it forecast, what has it counted.

Belongs here: GET /health/live, /health/ready, /metrics and their answers. Does not: GET /health, problems in words (`health`),
counting (`metrics`).
"""

from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, Response, get
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import Dependency

from serving import health
from serving.gathered import Gathered
from serving.metrics import CONTENT_TYPE
from serving.problems import BadArtifact, MarketClosed, NoModel, NotReady, Problem, specs
from serving.security import CALLER
from serving.service import Service

Injected = Annotated[Service, Dependency(skip_validation=True)]


class Live(msgspec.Struct, frozen=True, kw_only=True):
    status: Literal["alive"] = "alive"


class Ready(msgspec.Struct, frozen=True, kw_only=True):
    """ready: every forecaster answers; degraded: some do, and `problems` says what is wrong."""

    status: Literal["ready", "degraded"]
    problems: list[str]


@get("/health/live", summary="Whether the process answers", tags=["service"])
async def live() -> Live:
    """200 as long as the process takes requests, whatever else is wrong: a restart would not mend that. Needs no key."""
    return Live()


@get("/health/ready", summary="Whether the service can forecast", tags=["service"], responses=specs(NotReady), raises=[])
async def ready(request: Request[Any, Any, Any], service: Injected) -> Ready:
    """200 if some forecaster answers, 503 `not_ready` with the reasons if none does; a closed market is no reason.

    Needs no key. In production only who sends one is told the reasons in words; others get the codes.
    """
    return state(service, told=service.settings.serving.mode == "local" or CALLER in request.scope["state"])


def state(service: Service, *, told: bool) -> Ready:
    """What stands against forecasts, in words or in codes alone; `NotReady` if no forecaster answers."""
    obstacles, able = _obstacles(service)
    problems = health.report(service).problems if able else []
    said = "\n".join(problems) if told else ""
    shown = sorted({f"{each.code}: {each.detail}" if told else each.code for each in obstacles if each.detail not in said})
    if not able:
        raise NotReady("no forecaster answers; `reasons` says why", reasons=shown)
    return Ready(status="degraded" if problems or obstacles else "ready", problems=[*problems, *shown] if told else shown)


@get(
    "/metrics",
    summary="Counters for Prometheus",
    tags=["service"],
    responses={200: ResponseSpec(bytes, media_type="text/plain", description="Prometheus text format 0.0.4")},
)
async def metrics(metrics: Annotated[Gathered, Dependency(skip_validation=True)]) -> Response[bytes]:
    """What was counted since the process began, and its state now. Of several workers, those of all, with the label `worker`."""
    return Response(await metrics.text(), headers={"content-type": CONTENT_TYPE, "cache-control": "no-store"})


ROUTES = [live, ready, metrics]


def _obstacles(service: Service) -> tuple[list[Problem], bool]:
    """What stands against forecasts, and whether some model answers all the same."""
    models = service.models
    found: list[Problem] = [BadArtifact(f"{name}: {why}") for name, why in models.refused.items()]
    if not models.models:
        found.append(NoModel("no model is loaded; train one with `spx train`"))
    asked = [service.obstacle(model, instrument) for model in models.models.values() for instrument in model.manifest.instruments]
    closed = [problem is None or isinstance(problem, MarketClosed) for problem in asked]
    found += [problem for problem, fine in zip(asked, closed, strict=True) if problem is not None and not fine]
    return found, any(closed)
