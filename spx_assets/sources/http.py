"""One way to ask a provider over HTTP: timeouts, bounded retries with jitter, Retry-After, typed errors.

Belongs here: the manners of a client that any provider shares. Does not: addresses, parameters or answers of one.

Neither headers nor tokens appear in an error or a log line; addresses do in errors. A key that a provider wants in the address
is put there by the transport. httpx's own lines, which tell every address with the keys of feeds, are not heard.
"""

import email.utils
import logging
import random
import re
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from types import TracebackType
from urllib.parse import quote, quote_plus

import httpx

from spx_assets.sources import spent
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


@cache
def certificates() -> ssl.SSLContext:
    """The machine's trusted certificates, read once a process: 30 ms of CPU, for each client otherwise."""
    return httpx.create_ssl_context()


class _Signing(httpx.BaseTransport):
    """Adds secret parameters to each request on its way out, so that only the wire sees them."""

    def __init__(self, secrets: Mapping[str, str]) -> None:
        self._secrets = dict(secrets)
        self._wire = httpx.HTTPTransport(verify=certificates())

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        signed = httpx.Request(
            request.method,
            request.url.copy_merge_params(self._secrets),
            headers=request.headers,
            stream=request.stream,
            extensions=request.extensions,
        )
        return self._wire.handle_request(signed)

    def close(self) -> None:
        self._wire.close()


class Client:
    """GETs from one provider. Waits between attempts double from `backoff_s`, each drawn from the upper half of its range.

    `secrets` are parameters of every request that appear nowhere else, `hidden` what else an answer may repeat. `before` is
    called ahead of each attempt: a budget. `busy` tells what a provider says that asks for patience with a 200, as
    another does with a 429.
    """

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
        secrets: Mapping[str, str] | None = None,
        hidden: Sequence[str] = (),
        before: Callable[[], None] | None = None,
        busy: Callable[[bytes], str | None] | None = None,
        redirects: bool = False,
    ) -> None:
        self.provider = provider
        shown = {
            form for secret in (*(secrets or {}).values(), *hidden) for form in (secret, quote(secret, ""), quote_plus(secret))
        }
        # The longest first: one form may begin another.
        self._shown = re.compile(
            "|".join(re.escape(form) for form in sorted(shown, key=len, reverse=True) if form), re.IGNORECASE
        )
        logging.getLogger("httpx").setLevel(logging.WARNING)
        self._before = before
        self._busy = busy
        self._backoff_s = backoff_s
        self._sleep = sleep
        self._remedy = remedy
        self._client = httpx.Client(
            base_url=base_url.rstrip("/") + "/" if base_url else "",
            timeout=timeout_s,
            headers=dict(headers or {}),
            follow_redirects=redirects,
            transport=_Signing(secrets) if secrets else None,
            verify=certificates(),
        )

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._client.close()

    def get(self, path: str, params: Mapping[str, str | int] | None = None) -> bytes:
        """The body of a 200 answer, whole. 429, 5xx and broken connections are tried again; anything else raises at once."""
        return self.answer(path, params).content

    def answer(
        self, path: str, params: Mapping[str, str | int] | None = None, *, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """The 200 answer itself, or the 304 where `headers` ask only for what has changed."""
        trouble = ""
        for attempt in range(ATTEMPTS):
            wait = self._backoff_s * 2**attempt * random.uniform(0.5, 1.0)
            if self._before:
                self._before()
            spent.note(self.provider)
            try:
                # No empty `params`: they would take the place of those that the address itself has.
                answer = self._client.get(path, params=dict(params) if params else None, headers=dict(headers or {}))
            except (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.TooManyRedirects) as error:
                raise BadAnswerError(f"{self.provider} cannot be asked at {path}: {error}; correct the address") from error
            except (httpx.TransportError, httpx.DecodingError) as error:
                trouble = f"{type(error).__name__} at {self._client.base_url.copy_with(query=None)}{path}"
            else:
                busy = self._busy(answer.content) if self._busy and answer.status_code == httpx.codes.OK else None
                if busy is not None:
                    if attempt + 1 == ATTEMPTS:
                        raise RateLimitError(busy)
                    trouble = busy
                elif answer.status_code == httpx.codes.OK or (headers and answer.status_code == httpx.codes.NOT_MODIFIED):
                    return answer
                elif answer.status_code not in (429,) and answer.status_code < 500:
                    raise self._refusal(answer)
                else:
                    trouble = f"{answer.status_code} from {answer.request.url}"
                wait = max(wait, self._asked_wait(answer))
            if attempt + 1 < ATTEMPTS:
                self._sleep(wait)
        raise ProviderDownError(
            f"{self.provider} did not answer in {ATTEMPTS} attempts (last: {trouble}); run the command again later, it resumes"
        )

    def masked(self, text: str) -> str:
        """A provider's text without the keys it may repeat, as they are or percent-encoded. Cut it after, not before."""
        return self._shown.sub("***", text) if self._shown.pattern else text

    def _asked_wait(self, answer: httpx.Response) -> float:
        """Seconds the provider asks to wait: a number or an HTTP date; RateLimitError beyond LONGEST_WAIT_S."""
        text = answer.headers.get("Retry-After", "").strip()
        reset = answer.headers.get("X-Ratelimit-Reset", "").strip()
        seconds = 0.0
        if text.isdigit():
            seconds = float(text)
        elif not text and reset.isdigit():
            # Finnhub names the second at which its count starts again.
            seconds = float(reset) - datetime.now(UTC).timestamp()
        elif text:
            when = email.utils.parsedate_to_datetime(text) if _is_date(text) else None
            seconds = (when - datetime.now(UTC)).total_seconds() if when else 0.0
        if seconds > LONGEST_WAIT_S:
            raise RateLimitError(f"{self.provider} asks to wait {seconds:.0f} s; run the command again after that, it resumes")
        return max(seconds, 0.0)

    def _refusal(self, answer: httpx.Response) -> ProviderError:
        said = f"{self.provider} answered {answer.status_code} to {answer.request.url}: {self.masked(answer.text)[:200].strip()}"
        if answer.status_code in (401, 403):
            return UnauthorisedError(f"{said}; {self._remedy}")
        if answer.status_code == 404:
            return NotFoundError(said)
        return BadAnswerError(said)


def _is_date(text: str) -> bool:
    return email.utils.parsedate_tz(text) is not None
