"""The simulated newsroom over HTTP: articles ordered into the drop folder, for those who hold an operator's key.

Belongs here: the route and its answer. Does not: the articles (`spx_assets.sources.news_orders`), making signals of them: the
sensor `news_drop` asks for a run of the online job.
"""

from typing import Annotated, Any

from litestar import Request, post
from litestar.params import Dependency, Parameter

from serving import audit, security
from serving.bodies import StrictBody
from serving.contracts import Sentiment, Streamed, StreamedArticle, StreamRequest
from serving.problems import BadRequest, DropUnavailable, LakeUnavailable, NotSimulated, UnknownInstrument, specs
from serving.service import Service
from serving.vectors import READ_ERRORS
from spx_assets.lake import Lake
from spx_assets.settings import Settings
from spx_assets.sources import news_drop, news_orders
from spx_assets.sources.errors import FeedBoundError, InstrumentError
from spx_assets.sources.news_drop import DropFolderError
from spx_assets.sources.news_orders import Order, OrderError

PROBLEMS = specs(BadRequest, *security.PROBLEMS, UnknownInstrument, NotSimulated, LakeUnavailable, DropUnavailable)


@post(
    "/api/stream/{sentiment:str}",
    status_code=202,
    summary="Order simulated articles",
    tags=["news"],
    dto=StrictBody[StreamRequest],
    return_dto=None,
    responses=PROBLEMS,
    raises=[],
    guards=[security.needs("operator")],
    security=security.NEEDS_KEY,
)
async def stream(
    request: Request[Any, Any, Any],
    sentiment: Annotated[Sentiment, Parameter(description="Tone of the articles, or custom for a title of one's own")],
    service: Annotated[Service, Dependency(skip_validation=True)],
    data: StreamRequest | None = None,
) -> Streamed:
    """Articles of that tone for a simulated market, known to its newest bar once the online job has run.

    Under `make up` a sensor asks for that run; else start it with `spx news online`. Needs a key with the role operator.
    """
    wanted = data or StreamRequest()
    audit.note(request, sentiment=sentiment, count=wanted.count, instrument=wanted.instrument)
    ordered = await service.in_background(lambda: _order(service.settings, sentiment, wanted))
    audit.note(request, file=ordered.path.name)
    return Streamed(
        file=ordered.path.name,
        job=news_drop.JOB,
        articles=[StreamedArticle(**row) for row in ordered.articles.iter_rows(named=True)],
    )


def _order(settings: Settings, tone: Sentiment, wanted: StreamRequest) -> Order:
    try:
        lake = Lake.open(settings, read_only=True)
        return news_orders.order(lake, tone, wanted.count, title=wanted.title, instrument=wanted.instrument)
    except OrderError as error:
        raise BadRequest(str(error)) from error
    except InstrumentError as error:
        raise UnknownInstrument(str(error)) from error
    except FeedBoundError as error:
        raise NotSimulated(str(error)) from error
    except DropFolderError as error:
        raise DropUnavailable(str(error)) from error
    except READ_ERRORS as error:
        raise LakeUnavailable(error) from error
