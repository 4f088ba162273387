"""What the service tells of itself at /metrics, between two looks: how many answers, how many errors, how many slow ones.

Belongs here: reading the text format of Prometheus, differences of counters. Does not: limits, alerts (`watch`).
"""

from collections.abc import Mapping

import httpx
import msgspec
from prometheus_client.parser import text_string_to_metric_families

from spx_assets import SpxError

REQUESTS = "spx_http_requests_total"
BUCKETS = "spx_http_request_duration_seconds_bucket"
STATED = "503"
"""Says which state keeps the service from answering, market closed among them: no error of its own, and /health tells it."""


class MetricsError(SpxError):
    """The service did not give its metrics."""


class Counters(msgspec.Struct, frozen=True):
    """Counters since the service started: answers, errors among them, and answers by the bucket of their time in seconds."""

    requests: float = 0.0
    errors: float = 0.0
    within: dict[str, float] = msgspec.field(default_factory=dict)


def read(url: str, key: str = "", *, timeout_s: float = 5.0) -> Counters:
    """The counters of the service at `url`; MetricsError if it does not give them."""
    try:
        answer = httpx.get(f"{url.rstrip('/')}/metrics", headers={"X-API-Key": key} if key else {}, timeout=timeout_s)
    except httpx.HTTPError as error:
        raise MetricsError(f"{url}/metrics does not answer ({type(error).__name__}); see whether the service runs") from error
    if answer.status_code != httpx.codes.OK:
        raise MetricsError(
            f"{url}/metrics answers {answer.status_code}; a service in production needs SPX_ALERTS__SERVICE_KEY, a viewer's key"
        )
    return parse(answer.text)


def parse(text: str) -> Counters:
    """Counters of the text format; MetricsError where it is none."""
    requests = errors = 0.0
    within: dict[str, float] = {}
    try:
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                if sample.name == REQUESTS:
                    requests += sample.value
                    status = sample.labels["status"]
                    errors += sample.value if status.startswith("5") and status != STATED else 0.0
                elif sample.name == BUCKETS:
                    within[sample.labels["le"]] = within.get(sample.labels["le"], 0.0) + sample.value
    except (ValueError, KeyError) as error:
        raise MetricsError(f"/metrics is not in the text format of Prometheus: {error}") from error
    return Counters(requests, errors, within)


def between(before: Counters, now: Counters) -> Counters:
    """What came since `before`; all of `now` if the service was started anew in between."""
    if now.requests < before.requests:
        return now
    within = {bound: number - before.within.get(bound, 0.0) for bound, number in now.within.items()}
    return Counters(now.requests - before.requests, now.errors - before.errors, within)


def slower_than(counters: Counters, limit_s: float) -> float:
    """Share of the answers that took longer than `limit_s`, counted at the smallest bucket bound at or above it."""
    bounds: Mapping[float, float] = {float(bound): number for bound, number in counters.within.items()}
    total = bounds.get(float("inf"), 0.0)
    fast = next((bounds[bound] for bound in sorted(bounds) if bound >= limit_s), total)
    return (total - fast) / total if total else 0.0
