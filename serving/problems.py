"""Errors as RFC 9457 problem documents with a stable `code`.

Belongs here: the codes that routes can answer, and how they document them. Does not: those from before a route is reached
(`early_problems`), when they are raised, answering with them (`documents`).
"""

import logging
from datetime import datetime
from http import HTTPStatus

import msgspec
from litestar.openapi.datastructures import ResponseSpec

from serving.contracts import ProblemDocument
from spx_assets import SpxError

LOG = logging.getLogger(__name__)
MEDIA_TYPE = "application/problem+json"
NO_LAKE = (
    "the lake cannot be read; see that its catalog and data are in their place and reachable (`spx doctor`; SPX_LAKE__CATALOG, "
    "SPX_LAKE__DATA), put them back if not: answers then come again by themselves. The service's log has what was said"
)


class Problem(SpxError):  # noqa: N818 - the word of RFC 9457
    """An answer that is not a forecast. `code` and `status` belong to the class."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "unavailable"
    title = "Not available"
    retry_after_s: int | None = None
    """After how long it is worth while to come again, where that is known."""

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
    def document(self) -> ProblemDocument:
        """What the answer says."""
        return ProblemDocument(
            type=f"urn:spx-assets:problem:{self.code}",
            title=self.title,
            status=int(self.status),
            code=self.code,
            detail=self.detail,
            next_open=self.next_open,
            missing=self.missing,
            unknown=self.unknown,
        )


class BadRequest(Problem):
    status, code, title = HTTPStatus.BAD_REQUEST, "bad_request", "Bad Request"


class UnknownHorizon(Problem):
    status, code, title = HTTPStatus.BAD_REQUEST, "unknown_horizon", "No forecaster has this horizon"


class InternalError(Problem):
    """A defect of the service, without its inside."""

    status, code, title = HTTPStatus.INTERNAL_SERVER_ERROR, "internal_error", "Internal Server Error"

    def __init__(self) -> None:
        super().__init__("the service failed; its log has the reason")


class Forbidden(Problem):
    status, code, title = HTTPStatus.FORBIDDEN, "forbidden", "The key's role does not suffice"


class NotSimulated(Problem):
    status, code, title = HTTPStatus.CONFLICT, "not_simulated", "Only a simulated market hears simulated news"


class RetrainRunning(Problem):
    status, code, title = HTTPStatus.CONFLICT, "retrain_running", "A training is under way"


class NothingToLearn(Problem):
    status, code, title = HTTPStatus.CONFLICT, "nothing_to_learn", "There is nothing to learn from"


class NoDriftReport(Problem):
    status, code, title = HTTPStatus.NOT_FOUND, "no_drift_report", "No drift was measured yet"


class FutureTimestamp(Problem):
    status, code, title = HTTPStatus.BAD_REQUEST, "future_timestamp", "The time asked for has not come"


class BadFeatures(Problem):
    status, code, title = HTTPStatus.BAD_REQUEST, "bad_features", "The features are not those of the model"


class NeedsSequence(Problem):
    status, code, title = HTTPStatus.BAD_REQUEST, "needs_sequence", "The model looks at several rows"


class UnknownFeature(Problem):
    status, code, title = HTTPStatus.BAD_REQUEST, "unknown_feature", "No such feature"


class NoMedians(Problem):
    status, code, title = HTTPStatus.CONFLICT, "no_medians", "The model cannot give reasons"


class UnknownVersion(Problem):
    status, code, title = HTTPStatus.NOT_FOUND, "unknown_version", "No such version"


class NoModelAt(Problem):
    status, code, title = HTTPStatus.NOT_FOUND, "no_model_at", "No model was trained by then"


class HomeUnwritable(Problem):
    code, title = "home_unwritable", "The home of the service cannot be written"


class UnknownInstrument(Problem):
    status, code, title = HTTPStatus.NOT_FOUND, "unknown_instrument", "No such instrument"


class UnknownModel(Problem):
    status, code, title = HTTPStatus.NOT_FOUND, "unknown_model", "No such forecaster"


class NoModel(Problem):
    code, title = "no_model", "No model is loaded"


class BadArtifact(Problem):
    code, title = "bad_artifact", "The model's files cannot be used"


class ModelRefused(Problem):
    code, title = "model_refused", "The model did not pass the gate"


class LakeUnavailable(Problem):
    code, title = "lake_unavailable", "The lake cannot be read"

    def __init__(self, why: Exception | str) -> None:
        if not isinstance(why, SpxError | str):
            LOG.warning("the lake cannot be read: %s", why)
        super().__init__(why if isinstance(why, str) else lake_words(why))


def lake_words(error: Exception) -> str:
    """What is told of a lake that cannot be read: our own words. Those of DuckDB quote statements, and name no remedy."""
    return str(error) if isinstance(error, SpxError) else NO_LAKE


class TooManyListeners(Problem):
    code, title = "too_many_listeners", "No further listener is taken"


class DropUnavailable(Problem):
    code, title = "drop_unavailable", "The drop folder cannot be written"


class Busy(Problem):
    code, title, retry_after_s = "busy", "The worker has enough to do", 1


class NotReady(Problem):
    code, title = "not_ready", "The service cannot forecast"

    def __init__(self, detail: str, *, reasons: list[str]) -> None:
        super().__init__(detail)
        self.reasons = reasons

    @property
    def document(self) -> ProblemDocument:
        return msgspec.structs.replace(super().document, reasons=self.reasons)


class DagsterUnavailable(Problem):
    code, title = "dagster_unavailable", "Dagster does not start it"


class LedgerUnavailable(Problem):
    code, title = "ledger_unavailable", "The answer cannot be recorded"


class UnknownPrediction(Problem):
    status, code, title = HTTPStatus.NOT_FOUND, "unknown_prediction", "No such prediction"


class MarketClosed(Problem):
    code, title = "market_closed", "The market is closed"


class StaleFeatures(Problem):
    code, title = "stale_features", "The last bar is too old"


class StaleNews(Problem):
    code, title = "stale_news", "The last news are too old"


class WarmingUp(Problem):
    code, title = "warming_up", "An input of the model is not known yet"


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
