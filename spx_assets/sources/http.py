"""One way to ask a provider over HTTP: timeouts, bounded retries with jitter, Retry-After, typed errors.

Belongs here: the manners of a client that any provider shares. Does not: addresses, parameters or answers of one.

Neither headers nor tokens appear in an error or a log line; addresses do.
"""

import email.utils
import random
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import TracebackType

import httpx

from spx_assets.sources.errors import (
    BadAnswerError,
    NotFoundError,
    ProviderDownError,
    ProviderError,
    RateLimitError,
    UnauthorisedError,
)

ATTEMPTS = 6
LONGEST_WAIT_S = 120.0


class Client:
    """GETs from one provider. Waits between attempts double from `backoff_s`, each drawn from the upper half of its range."""

    def __init__(
        self,
        provider: str,
        base_url: str,
        *,
        timeout_s: float,
        headers: Mapping[str, str] | None = None,
        backoff_s: float = 0.5,
        sleep: Callable[[float], None] = time.sleep,
        remedy: str = "",
    ) -> None:
        self.provider = provider
        self._backoff_s = backoff_s
        self._sleep = sleep
        self._remedy = remedy
        self._client = httpx.Client(
            base_url=base_url.rstrip("/") + "/", timeout=timeout_s, headers=dict(headers or {}), follow_redirects=False
        )

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._client.close()

    def get(self, path: str, params: Mapping[str, str | int] | None = None) -> bytes:
        """The body of a 200 answer, whole. 429, 5xx and broken connections are tried again; anything else raises at once."""
        trouble = ""
        for attempt in range(ATTEMPTS):
            wait = self._backoff_s * 2**attempt * random.uniform(0.5, 1.0)
            try:
                answer = self._client.get(path, params=dict(params or {}))
            except httpx.TransportError as error:
                trouble = f"{type(error).__name__} at {self._client.base_url.copy_with(query=None)}{path}"
            else:
                if answer.status_code == httpx.codes.OK:
                    return answer.content
                if answer.status_code not in (429,) and answer.status_code < 500:
                    raise self._refusal(answer)
                trouble = f"{answer.status_code} from {answer.request.url}"
                wait = max(wait, self._asked_wait(answer))
            if attempt + 1 < ATTEMPTS:
                self._sleep(wait)
        raise ProviderDownError(
            f"{self.provider} did not answer in {ATTEMPTS} attempts (last: {trouble}); run the command again later, it resumes"
        )

    def _asked_wait(self, answer: httpx.Response) -> float:
        """Seconds the provider asks to wait: a number or an HTTP date; RateLimitError beyond LONGEST_WAIT_S."""
        text = answer.headers.get("Retry-After", "").strip()
        seconds = 0.0
        if text.isdigit():
            seconds = float(text)
        elif text:
            when = email.utils.parsedate_to_datetime(text) if _is_date(text) else None
            seconds = (when - datetime.now(UTC)).total_seconds() if when else 0.0
        if seconds > LONGEST_WAIT_S:
            raise RateLimitError(f"{self.provider} asks to wait {seconds:.0f} s; run the command again after that, it resumes")
        return max(seconds, 0.0)

    def _refusal(self, answer: httpx.Response) -> ProviderError:
        said = f"{self.provider} answered {answer.status_code} to {answer.request.url}: {answer.text[:200].strip()}"
        if answer.status_code in (401, 403):
            return UnauthorisedError(f"{said}; {self._remedy}")
        if answer.status_code == 404:
            return NotFoundError(said)
        return BadAnswerError(said)


def _is_date(text: str) -> bool:
    return email.utils.parsedate_tz(text) is not None
