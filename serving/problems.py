"""Errors as RFC 9457 problem documents with a stable `code`.

Belongs here: every code the service can answer, and how routes document them. Does not: when they are raised, answering with
them (`documents`).
"""

from datetime import datetime
from http import HTTPStatus

import msgspec
from litestar.openapi.datastructures import ResponseSpec

from serving.contracts import ProblemDocument
from spx_assets import SpxError

MEDIA_TYPE = "application/problem+json"


class Problem(SpxError):  # noqa: N818 - the word of RFC 9457
    """An answer that is not a forecast. `code` and `status` belong to the class."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "unavailable"
    title = "Not available"

    def __init__(
        self,
        detail: str,
        *,
        next_open: datetime | None = None,
        missing: list[str] | None = None,
        unknown: list[str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail, self.next_open, self.missing, self.unknown = detail, next_open, missing, unknown

    @property
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
