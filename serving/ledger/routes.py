"""Routes of the ledger: what was answered, and which signals hold.

Belongs here: paths, parameters, documented responses. Does not: reading (`history`, `signals`).
"""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any

from litestar import Request, get
from litestar.params import Dependency, Parameter

from serving.ledger import ids, recorded
from serving.ledger.contracts import History, Recorded, Signals
from serving.ledger.history import FIRST, LAST, Wanted
from serving.problems import BadRequest, Busy, LakeUnavailable, UnknownPrediction, specs
from serving.service import Service

Injected = Annotated[Service, Dependency(skip_validation=True)]
LIMIT, MOST = 100, 1000

Limit = Annotated[int, Parameter(ge=1, le=MOST, description="How many at most")]
Start = Annotated[datetime | None, Parameter(description="Answered at or after it; UTC unless it says otherwise")]
End = Annotated[datetime | None, Parameter(description="Answered before it; UTC unless it says otherwise")]
Traded = Annotated[str | None, Parameter(max_length=64, description="Of this instrument alone")]
Cursor = Annotated[str | None, Parameter(max_length=64, description="`next_cursor` of the page before")]


@get(
    "/predictions/history",
    summary="Forecasts that were answered",
    tags=["forecasts"],
    responses=specs(BadRequest, LakeUnavailable, Busy),
    raises=[],
)
async def predictions(
    request: Request[Any, Any, Any],
    service: Injected,
    limit: Limit = LIMIT,
    start: Start = None,
    end: End = None,
    instrument: Traded = None,
    cursor: Cursor = None,
) -> History:
    """Every answer once, newest first, with its realised return and whether it hit once it is settled.

    Pages do not shift while new answers come: `cursor` goes on behind the last one shown.
    """
    for name in ("start", "end"):
        # The framework takes a bare number for seconds since 1970; a time of day has a colon.
        if (given := request.query_params.get(name, ":")) and ":" not in given and given.lower() != "null":
            raise BadRequest(f"{name} {given!r} is no time; give it as 2025-10-15T15:30:00Z")
    if cursor is not None and ids.number(cursor) is None:
        raise BadRequest(f"cursor {cursor!r} is none; use next_cursor of the page before")
    wanted = Wanted(instrument=instrument)
    if start is not None:
        wanted = replace(wanted, start=_utc(start))
    if end is not None:
        wanted = replace(wanted, end=_utc(end))
    if cursor is not None:
        wanted = replace(wanted, high=cursor.lower())
    ledger = service.ledger
    return await ledger.waiting(lambda: recorded.page(service.settings, ledger.journal.folder, wanted, limit=limit))


@get(
    "/predictions/{prediction_id:str}",
    summary="One forecast that was answered",
    tags=["forecasts"],
    responses=specs(BadRequest, UnknownPrediction, LakeUnavailable, Busy),
    raises=[],
)
async def prediction(
    service: Injected, prediction_id: Annotated[str, Parameter(max_length=64, description="`id` of its answer")]
) -> Recorded:
    """The answer with this id, and what came of it."""
    ledger, written = service.ledger, prediction_id.lower()
    found = None
    if ids.number(written) is not None:
        found = await ledger.waiting(lambda: recorded.one(service.settings, ledger.journal.folder, written))
    if found is None:
        raise UnknownPrediction(f"no answer has the id {prediction_id!r}")
    return found


@get(
    "/signals/active",
    summary="Signals that hold now",
    tags=["forecasts"],
    responses=specs(LakeUnavailable, Busy),
    raises=[],
)
async def signals(service: Injected) -> Signals:
    """Of each instrument and horizon the newest forecast that was answered, until its bar and its horizon have ended.

    Only forecasts of the model that answers there by default: not those of another forecaster or version that was asked for.
    """
    clocks = {name: service.clock(name) for name in service.models.instruments()}
    served = service.by_default()
    return await service.ledger.waiting(lambda: service.signals.active(clocks, served))


def _utc(at: datetime) -> datetime:
    """The time in UTC, or the end of all answers that it lies beyond."""
    try:
        utc = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except OverflowError:
        raise BadRequest(f"{at.isoformat()} is not a time of the calendar in UTC; name one of the years 1970 to 9998") from None
    return min(max(utc, FIRST), LAST)


ROUTES = [predictions, prediction, signals]
