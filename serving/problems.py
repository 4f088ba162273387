"""Errors as RFC 9457 problem documents with a stable `code`.

Belongs here: every code the service can answer, and the handlers that turn exceptions into documents. Does not: when
they are raised.
"""

import logging
from datetime import datetime
from http import HTTPStatus
from typing import Any

from litestar import Request, Response
from litestar.exceptions import HTTPException
from litestar.openapi.datastructures import ResponseSpec

from serving.contracts import ProblemDocument
from spx_assets import SpxError

LOG = logging.getLogger(__name__)
MEDIA_TYPE = "application/problem+json"
FRAMEWORK_CODES = {400: "bad_request", 404: "not_found", 405: "method_not_allowed", 413: "body_too_large", 500: "internal_error"}


class Problem(SpxError):  # noqa: N818 - the word of RFC 9457
    """An answer that is not a forecast. `code` and `status` belong to the class."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "unavailable"
    title = "Not available"

    def __init__(self, detail: str, *, next_open: datetime | None = None, missing: list[str] | None = None) -> None:
        super().__init__(detail)
        self.detail, self.next_open, self.missing = detail, next_open, missing


class BadRequest(Problem):
    status, code, title = HTTPStatus.BAD_REQUEST, "bad_request", "Bad Request"


class UnknownHorizon(Problem):
    status, code, title = HTTPStatus.BAD_REQUEST, "unknown_horizon", "No forecaster has this horizon"


class Unauthorized(Problem):
    status, code, title = HTTPStatus.UNAUTHORIZED, "unauthorized", "A key is needed"


class Forbidden(Problem):
    status, code, title = HTTPStatus.FORBIDDEN, "forbidden", "The key's role does not suffice"


class NotSimulated(Problem):
    status, code, title = HTTPStatus.CONFLICT, "not_simulated", "Only a simulated market hears simulated news"


class UnknownInstrument(Problem):
    status, code, title = HTTPStatus.NOT_FOUND, "unknown_instrument", "No such instrument"


class UnknownModel(Problem):
    status, code, title = HTTPStatus.NOT_FOUND, "unknown_model", "No such forecaster"


class NoModel(Problem):
    code, title = "no_model", "No model is trained yet"


class BadArtifact(Problem):
    code, title = "bad_artifact", "The model's files cannot be used"


class ModelRefused(Problem):
    code, title = "model_refused", "The model did not pass the gate"


class LakeUnavailable(Problem):
    code, title = "lake_unavailable", "The lake cannot be read"


class KeysUnavailable(Problem):
    code, title = "keys_unavailable", "The keys of the home cannot be read"


class DropUnavailable(Problem):
    code, title = "drop_unavailable", "The drop folder cannot be written"


class MarketClosed(Problem):
    code, title = "market_closed", "The market is closed"


class StaleFeatures(Problem):
    code, title = "stale_features", "The last bar is too old"


class StaleNews(Problem):
    code, title = "stale_news", "The last news are too old"


class WarmingUp(Problem):
    code, title = "warming_up", "An input of the model is not known yet"


def document(*, status: int, code: str, title: str, detail: str, **extra: Any) -> Response[ProblemDocument]:
    body = ProblemDocument(type=f"urn:spx-assets:problem:{code}", title=title, status=status, code=code, detail=detail, **extra)
    return Response(body, status_code=status, media_type=MEDIA_TYPE, headers={"cache-control": "no-store"})


def on_problem(_: Request[Any, Any, Any], error: Problem) -> Response[ProblemDocument]:
    extra = {"next_open": error.next_open, "missing": error.missing}
    answer = document(status=error.status, code=error.code, title=error.title, detail=error.detail, **extra)
    if error.status == HTTPStatus.UNAUTHORIZED:
        answer.headers["www-authenticate"] = "Bearer"
    return answer


def on_http_error(_: Request[Any, Any, Any], error: HTTPException) -> Response[ProblemDocument]:
    """Errors of the framework: unreadable bodies, unknown routes, wrong methods."""
    status = HTTPStatus(error.status_code)
    code = FRAMEWORK_CODES.get(status) or status.phrase.lower().replace(" ", "_")
    answer = document(status=status, code=code, title=status.phrase, detail=_detail(error))
    answer.headers.update(error.headers or {})
    return answer


def on_bug(request: Request[Any, Any, Any], error: Exception) -> Response[ProblemDocument]:
    """A defect of the service: logged whole, answered without its inside."""
    LOG.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return document(
        status=500, code="internal_error", title="Internal Server Error", detail="the service failed; its log has the reason"
    )


def specs(*classes: type[Problem]) -> dict[int, ResponseSpec]:
    """Documented responses of a route, one per status, naming the codes it can carry."""
    by_status: dict[int, list[str]] = {}
    for problem in classes:
        by_status.setdefault(int(problem.status), []).append(problem.code)
    return {
        status: ResponseSpec(
            ProblemDocument,
            generate_examples=False,
            media_type=MEDIA_TYPE,
            description=f"code: {', '.join(codes)}",
        )
        for status, codes in by_status.items()
    }


def _detail(error: HTTPException) -> str:
    extra = error.extra if isinstance(error.extra, list) else []
    parts = [f"{item.get('key', 'body')}: {item.get('message')}" for item in extra if isinstance(item, dict)]
    return "; ".join([error.detail, *parts])
