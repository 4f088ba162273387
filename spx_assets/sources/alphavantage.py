"""Alpha Vantage NEWS_SENTIMENT: articles with the provider's own sentiment, by time of publication.

Belongs here: asking for pages, telling its refusals from its answers. Does not: landing them (`news`).

Up to 1,000 articles a call, oldest first. The key is a parameter of the address. Refusals come with status 200 and one of
`Information`, `Note`, `Error Message` in place of `feed`. Times are UTC (alphavantage.co/documentation).
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from spx_assets.calendar import ONE_MINUTE
from spx_assets.settings.news import AlphaVantageSettings
from spx_assets.sources import articles
from spx_assets.sources.articles import Heard, as_json, as_text
from spx_assets.sources.calls import Budget
from spx_assets.sources.errors import BadAnswerError, RateLimitError, UnauthorisedError
from spx_assets.sources.http import Client

PAGE = 1000
DAY_S = 86_400.0
SETTLED = timedelta(hours=1)
REMEDY = "set SPX_NEWS__ALPHAVANTAGE__KEY to your key"
_PUBLISHED = ("%Y%m%dT%H%M%S", "%Y%m%dT%H%M")


def config(settings: AlphaVantageSettings) -> dict[str, Any]:
    """What is asked of Alpha Vantage."""
    return {"topics": settings.topics, "tickers": settings.tickers}


def client(
    settings: AlphaVantageSettings, *, folder: Path, sleep: Callable[[float], None] = time.sleep, backoff_s: float = 1.0
) -> Client:
    """A client with the key of the settings and the day's budget of the home whose cache `folder` is."""
    key = settings.key.get_secret_value()
    if not key:
        raise UnauthorisedError(f"Alpha Vantage needs a key; {REMEDY}")
    budget = Budget(
        folder / "alphavantage-calls.json", provider="Alpha Vantage", calls=settings.calls_per_day, window_s=DAY_S, sleep=sleep
    )
    return Client(
        "Alpha Vantage",
        settings.url.rpartition("/")[0],
        timeout_s=settings.timeout_s,
        backoff_s=backoff_s,
        sleep=sleep,
        remedy=REMEDY,
        secrets={"apikey": key},
        before=budget.take,
    )


def every(settings: AlphaVantageSettings) -> timedelta:
    """The shortest time between two polls that leaves calls for the whole day."""
    return timedelta(seconds=DAY_S / settings.calls_per_day)


def history(http: Client, settings: AlphaVantageSettings, start: datetime, end: datetime) -> Iterator[Heard]:
    """Articles published in [start, end), a page at a time; a page ends where the next one begins."""
    at = start
    while at < end:
        found = _ask(http, settings, at, end)
        records = [_record(article) for article in found]
        until = end
        if len(found) >= PAGE:
            published = [record["published_at"] for record in records if record.get("published_at")]
            until = max(published, default=at).replace(second=0, microsecond=0)
            if until <= at:
                until = at + ONE_MINUTE
                records.append(
                    articles.refusal(
                        {"from": at.isoformat(), "to": until.isoformat()},
                        f"Alpha Vantage lists only {PAGE} articles of a minute; name fewer topics or some tickers",
                    )
                )
        yield Heard(name=f"alphavantage {at:%Y-%m-%dT%H:%M} {until:%Y-%m-%dT%H:%M}", rows=articles.frame(records), until=until)
        at = until


def poll(http: Client, settings: AlphaVantageSettings, cursor: Mapping[str, Any], now: datetime) -> Heard:
    """What was published since an hour before the last poll, as lists still grow that long; at first, in the last hour."""
    since = datetime.fromisoformat(cursor["since"]) if "since" in cursor else now - SETTLED
    records = [_record(article) for article in _ask(http, settings, since, now)]
    # A full page is not the end: the next poll goes on from its last article.
    full = [record["published_at"] for record in records if record.get("published_at")] if len(records) >= PAGE else []
    cursor = {"since": max(full, default=now - SETTLED).isoformat()}
    return Heard(name=f"alphavantage {since:%Y-%m-%dT%H:%M}", rows=articles.frame(records, live=True), cursor=cursor)


def _ask(http: Client, settings: AlphaVantageSettings, start: datetime, end: datetime) -> list[Any]:
    params: dict[str, str | int] = {
        "function": "NEWS_SENTIMENT",
        "sort": "EARLIEST",
        "limit": PAGE,
        "time_from": f"{start:%Y%m%dT%H%M}",
        "time_to": f"{end:%Y%m%dT%H%M}",
        **{name: value for name, value in config(settings).items() if value},
    }
    text = http.get(settings.url.rpartition("/")[2], params).decode("utf-8", "replace")
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadAnswerError(
            f"Alpha Vantage's answer from {start} is not JSON ({http.masked(text)[:200]!r}); run it again, it resumes"
        ) from error
    found = answer.get("feed") if isinstance(answer, dict) else None
    if isinstance(found, list):
        return found
    said = http.masked(str(next(iter(answer.values()), "") if isinstance(answer, dict) else answer))[:300]
    lower = said.lower()
    if "no articles found" in lower:
        return []
    if "rate limit" in lower or "call frequency" in lower or "requests per day" in lower or "premium" in lower:
        raise RateLimitError(f"Alpha Vantage answers no more for now: {said}; run it again tomorrow, it resumes")
    if "api key" in lower or "apikey" in lower:
        raise UnauthorisedError(f"Alpha Vantage refused the key: {said}; {REMEDY}")
    raise BadAnswerError(f"Alpha Vantage answered without articles: {said}; check SPX_NEWS__ALPHAVANTAGE__TOPICS and __TICKERS")


def _record(article: Any) -> dict[str, Any]:
    if not isinstance(article, dict):
        return articles.refusal(article, "not an object")
    published = (articles.parse_time(article.get("time_published"), form) for form in _PUBLISHED)
    score = article.get("overall_sentiment_score")
    authors = article.get("authors")
    return {
        "source": as_text(article.get("source") or article.get("source_domain")),
        "title": as_text(article.get("title")),
        "body": as_text(article.get("summary")),
        "url": as_text(article.get("url")),
        "language": "en",
        "published_at": next((at for at in published if at), None),
        "author": as_text(", ".join(str(name) for name in authors)) if isinstance(authors, list) else as_text(authors),
        "provider_sentiment": float(score) if isinstance(score, int | float) else None,
        "raw": as_json(article),
    }
