"""POST /retrain.

Belongs here: the route, which assets of the graph are meant. Does not: asking Dagster (`dagster`).
"""

from typing import Annotated, Any

import msgspec
from litestar import Request, post
from litestar.params import Dependency

from serving import audit, security
from serving.bodies import StrictBody
from serving.problems import (
    BadRequest,
    Busy,
    DagsterUnavailable,
    LakeUnavailable,
    NothingToLearn,
    RetrainRunning,
    UnknownModel,
    specs,
)
from serving.retraining.dagster import JOB, Dagster
from serving.service import Service
from serving.vectors import READ_ERRORS
from spx_assets.lake import Lake
from spx_assets.settings import Settings
from spx_assets.sources import feeds

Injected = Annotated[Service, Dependency(skip_validation=True)]


class RetrainRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: Annotated[str, msgspec.Meta(max_length=128, description="A forecaster, e.g. spx500_h30; by default all")] | None = None
    families: (
        Annotated[list[str], msgspec.Meta(min_length=1, max_length=16, description="Families of the home; by default all")] | None
    ) = None


class Retraining(msgspec.Struct, frozen=True, kw_only=True):
    """A training that was started; its models answer once the gate has let them through."""

    run_id: str
    url: Annotated[str, msgspec.Meta(description="The run in Dagster's UI")]
    job: str
    week: Annotated[str, msgspec.Meta(description="The newest week it learns from")]
    assets: Annotated[list[str], msgspec.Meta(description="What is trained and judged")]


@post(
    "/retrain",
    status_code=202,
    summary="Train anew",
    tags=["models"],
    dto=StrictBody[RetrainRequest],
    return_dto=None,
    responses=specs(
        BadRequest,
        *security.PROBLEMS,
        UnknownModel,
        RetrainRunning,
        NothingToLearn,
        LakeUnavailable,
        Busy,
        DagsterUnavailable,
    ),
    raises=[],
    guards=[security.needs("operator")],
    security=security.NEEDS_KEY,
)
async def retrain(
    request: Request[Any, Any, Any],
    service: Injected,
    dagster: Annotated[Dagster, Dependency(skip_validation=True)],
    data: RetrainRequest | None = None,
) -> Retraining:
    """Asks Dagster to train forecasters on the feed's newest week and those before it, and to judge them.

    The answer leaves when the run is started, not when it is over. One run at a time: 409 `retrain_running` while one goes on.
    Needs a key with the role operator.
    """
    wanted = data or RetrainRequest()
    audit.note(request, model=wanted.name, families=wanted.families)
    paths = chosen(service.settings, wanted)
    week = await service.aside(lambda: _newest_week(service.settings))
    who = security.caller(request)
    run = await dagster.retrain(
        week=week,
        assets=None if wanted == RetrainRequest() else paths,
        tags={"spx/asked_by": f"key {who.id} ({who.name})"},
    )
    audit.note(request, run=run.id)
    return Retraining(run_id=run.id, url=run.url, job=JOB, week=week, assets=["/".join(path) for path in paths])


ROUTES = [retrain]


def chosen(settings: Settings, wanted: RetrainRequest) -> list[list[str]]:
    """Asset keys of the families that are asked for, and of the gate behind them."""
    names = [name for name, _, _ in settings.model_names]
    if wanted.name is not None and wanted.name not in names:
        raise UnknownModel(f"name {wanted.name!r} is no forecaster of the home; known are {names}")
    known = settings.models.families
    if unknown := sorted(set(wanted.families or ()) - set(known)):
        raise BadRequest(f"families {unknown} are not trained in this home; SPX_MODELS__FAMILIES names {list(known)}")
    asked = [family for family in known if family in (wanted.families or known)]
    return [["models", name, last] for name in ([wanted.name] if wanted.name else names) for last in (*asked, "champion")]


def _newest_week(settings: Settings) -> str:
    """Partition key of the last week for which a feed has rows."""
    try:
        weeks = feeds.weeks_with_rows(Lake.open(settings, read_only=True))
    except READ_ERRORS as error:
        raise LakeUnavailable(error) from error
    if not weeks:
        raise NothingToLearn("no feed has rows; import candles with `spx import candles`")
    return weeks[-1].isoformat()
