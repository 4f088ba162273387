"""From exceptions to problem documents.

Belongs here: the handlers of the application. Does not: codes (`problems`), answers from before the application (`refusals`).
"""

import logging
from http import HTTPStatus
from typing import Any

from litestar import Request, Response
from litestar.exceptions import HTTPException

from serving.contracts import ProblemDocument
from serving.problems import MEDIA_TYPE, InternalError, Problem

LOG = logging.getLogger(__name__)
FRAMEWORK_CODES = {400: "bad_request", 404: "not_found", 405: "method_not_allowed", 413: "body_too_large", 500: "internal_error"}


def document(*, status: int, code: str, title: str, detail: str, **extra: Any) -> Response[ProblemDocument]:
    body = ProblemDocument(type=f"urn:spx-assets:problem:{code}", title=title, status=status, code=code, detail=detail, **extra)
    return Response(body, status_code=status, media_type=MEDIA_TYPE, headers={"cache-control": "no-store"})


def on_problem(_: Request[Any, Any, Any], error: Problem) -> Response[ProblemDocument]:
    answer = Response(error.document, status_code=error.status, media_type=MEDIA_TYPE, headers={"cache-control": "no-store"})
    if error.status == HTTPStatus.UNAUTHORIZED:
        answer.headers["www-authenticate"] = "Bearer"
    if error.retry_after_s is not None:
        answer.headers["retry-after"] = str(error.retry_after_s)
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
    return on_problem(request, InternalError())


def _detail(error: HTTPException) -> str:
    extra = error.extra if isinstance(error.extra, list) else []
    parts = [f"{item.get('key', 'body')}: {item.get('message')}" for item in extra if isinstance(item, dict)]
    return "; ".join([error.detail, *parts])
