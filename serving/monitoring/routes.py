"""Routes below /monitoring.

Belongs here: paths, guards, documented answers. Does not: reading and writing rows (`rows`).
"""

import asyncio
from typing import Annotated, Any

from litestar import Request, get, post
from litestar.params import Dependency, Parameter

from serving import audit, security
from serving.bodies import StrictBody
from serving.keys import Key
from serving.monitoring import rows
from serving.monitoring.contracts import Alert, AlertRequest, DriftCheck
from serving.problems import BadRequest, Busy, LakeUnavailable, NoDriftReport, specs
from serving.service import Service

Injected = Annotated[Service, Dependency(skip_validation=True)]


@get(
    "/monitoring/drift/check",
    summary="The newest drift report",
    tags=["monitoring"],
    responses=specs(BadRequest, NoDriftReport, LakeUnavailable, Busy),
    raises=[],
)
async def check(
    service: Injected,
    instrument: Annotated[str | None, Parameter(max_length=64, description="Only its inputs; by default of all")] = None,
) -> DriftCheck:
    """Which inputs of the newest measured trading day lie too far from the training window of the model that is served.

    404 `no_drift_report` until a day was measured: nothing was found is not the same as nothing was looked for.
    """
    return await service.aside(lambda: rows.newest_report(service.settings, instrument))


@post(
    "/monitoring/drift/alert",
    status_code=201,
    summary="Raise an alert",
    tags=["monitoring"],
    dto=StrictBody[AlertRequest],
    return_dto=None,
    responses=specs(BadRequest, *security.PROBLEMS, LakeUnavailable),
    raises=[],
    guards=[security.needs("operator")],
    security=security.NEEDS_KEY,
)
async def alert(request: Request[Any, Any, Any], data: AlertRequest, service: Injected) -> Alert:
    """Keeps an alert in `monitoring.alerts`, where it waits: telling people of it is not part of the service.

    Needs a key with the role operator.
    """
    holder: Key = security.caller(request)
    # Not on the thread that keeps features new: a table's lock may have to be waited for.
    made = await asyncio.to_thread(rows.keep, service.settings, data, source=f"key {holder.id} ({holder.name})")
    audit.note(request, alert=made.id, kind=made.kind, severity=made.severity)
    return made


ROUTES = [check, alert]
