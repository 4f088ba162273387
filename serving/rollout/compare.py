"""Whether green answers worse than blue: two readings of each one's metrics, and a judgement.

Belongs here: reading GET /metrics, what was counted between two readings, the rule. Does not: asking for it in time (`watch`).
"""

from collections import Counter
from dataclasses import dataclass, field

import httpx
from prometheus_client.parser import text_string_to_metric_families

from spx_assets import SpxError
from spx_assets.settings.deploy import DeploySettings

ROUTES = ("/predict", "/predict/batch")
"""What is judged: forecasts. A slow history or a refused load says nothing of the version that answers."""
UNAVAILABLE = 503
"""A declared state such as a closed market or stale bars. Both colours share it, so it counts against green only beside blue."""


class UnreachableError(SpxError):
    """A service did not tell its metrics."""


@dataclass(frozen=True)
class Counts:
    """Answers to forecasts: by status, and by upper bound of their latency in seconds (cumulative, as Prometheus has them)."""

    by_status: Counter[int] = field(default_factory=Counter)
    within: dict[float, float] = field(default_factory=dict)

    @property
    def answers(self) -> int:
        return self.by_status.total()

    def since(self, before: "Counts") -> "Counts":
        """What was counted after `before`; all of it where the service began anew in between."""
        if any(self.by_status[status] < number for status, number in before.by_status.items()):
            return self
        within = {bound: number - before.within.get(bound, 0.0) for bound, number in self.within.items()}
        return Counts(self.by_status - before.by_status, within)

    def plus(self, other: "Counts") -> "Counts":
        bounds = self.within.keys() | other.within.keys()
        within = {bound: self.within.get(bound, 0.0) + other.within.get(bound, 0.0) for bound in sorted(bounds)}
        return Counts(self.by_status + other.by_status, within)

    def share(self, *, unavailable: bool) -> float:
        """Share of answers that are errors of the service; 503 only if asked for."""
        failed = sum(n for status, n in self.by_status.items() if status >= 500 and (unavailable or status != UNAVAILABLE))
        return failed / self.answers if self.answers else 0.0

    def p95_s(self) -> float:
        """Latency within which 95 of 100 were answered, linear inside its bucket; the last finite bound if they were slower."""
        bounds = sorted(self.within)
        if not bounds or self.within[bounds[-1]] <= 0:
            return 0.0
        wanted, lower, below = 0.95 * self.within[bounds[-1]], 0.0, 0.0
        for bound in bounds:
            number = self.within[bound]
            if number >= wanted:
                return lower if bound == float("inf") else lower + (bound - lower) * (wanted - below) / (number - below)
            lower, below = bound, number
        return lower


def read(client: httpx.Client, url: str) -> Counts:
    """What the service at `url` has counted since its start; UnreachableError if it does not tell."""
    try:
        answer = client.get(f"{url.rstrip('/')}/metrics")
    except httpx.HTTPError as error:
        raise UnreachableError(f"{url} did not answer ({type(error).__name__}); see its log and /health/live") from error
    if answer.status_code != httpx.codes.OK:
        raise UnreachableError(
            f"{url}/metrics answered {answer.status_code}; in production mode SPX_DEPLOY__KEY must be a valid key"
        )
    by_status: Counter[int] = Counter()
    within: dict[float, float] = {}
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            if sample.labels.get("route") not in ROUTES:
                continue
            if sample.name == "spx_http_requests_total":
                by_status[int(sample.labels["status"])] += int(sample.value)
            elif sample.name == "spx_http_request_duration_seconds_bucket":
                bound = float(sample.labels["le"])
                within[bound] = within.get(bound, 0.0) + sample.value
    return Counts(by_status, within)


def worse(blue: Counts, green: Counts, settings: DeploySettings) -> str | None:
    """Why green is to be taken back, in words with its figures; None while it is not seen to be worse.

    Where blue answers too little to be compared with, its error share counts as nothing and latency is not judged.
    """
    if green.answers < settings.min_requests:
        return None
    compared = blue.answers >= settings.min_requests
    theirs = blue.share(unavailable=True) if compared else 0.0
    ours = green.share(unavailable=compared)
    if ours > theirs + settings.error_share:
        return f"{ours:.1%} of green's {green.answers} answers failed, {theirs:.1%} of blue's {blue.answers}"
    fast, slow = 1e3 * blue.p95_s(), 1e3 * green.p95_s()
    if compared and slow > settings.latency_ratio * fast and slow > fast + settings.latency_floor_ms:
        return f"green's p95 latency is {slow:.1f} ms, blue's {fast:.1f} ms"
    return None
