"""Finnhub: news of one company by day, or general market news as they appear.

Belongs here: asking for news, with the token in a header. Does not: landing them (`news`).

GET company-news?symbol&from&to (dates, both included; a year back on the free plan) and news?category=general&minId (the newest
100, no history). `datetime` is in seconds, UTC (finnhub.io/docs/api/company-news, /market-news).
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from spx_assets.calendar import ONE_DAY
from spx_assets.settings.news import FinnhubSettings
from spx_assets.sources import articles
from spx_assets.sources.articles import Heard, as_json, as_text
from spx_assets.sources.calls import Budget
from spx_assets.sources.errors import BadAnswerError, RangeError, UnauthorisedError
from spx_assets.sources.http import Client

# What was published may be listed an hour later.
SETTLED = timedelta(hours=1)
REMEDY = "set SPX_NEWS__FINNHUB__TOKEN to your token"


def config(settings: FinnhubSettings) -> dict[str, Any]:
    """What is asked of Finnhub."""
    return {"symbol": settings.symbol}


def client(
    settings: FinnhubSettings, *, folder: Path, sleep: Callable[[float], None] = time.sleep, backoff_s: float = 1.0
) -> Client:
    """A client with the token of the settings and the minute's budget of the home whose cache `folder` is."""
    token = settings.token.get_secret_value()
    if not token:
        raise UnauthorisedError(f"Finnhub needs a token; {REMEDY}")
    budget = Budget(
        folder / "finnhub-calls.json", provider="Finnhub", calls=settings.calls_per_minute, window_s=60.0, sleep=sleep
    )
    headers = {"X-Finnhub-Token": token}
    return Client(
        "Finnhub",
        settings.url,
        timeout_s=settings.timeout_s,
        headers=headers,
        hidden=(token,),
        backoff_s=backoff_s,
        sleep=sleep,
        remedy=REMEDY,
        before=budget.take,
    )


def history(http: Client, settings: FinnhubSettings, start: datetime, end: datetime) -> Iterator[Heard]:
    """News of the company published in [start, end), a day at a time; RangeError for general news."""
    if not settings.symbol:
        raise RangeError("Finnhub keeps no history of general news; set SPX_NEWS__FINNHUB__SYMBOL to a company, e.g. AAPL")
    at = start
    while at < end:
        until = min((at + ONE_DAY).replace(hour=0, minute=0, second=0, microsecond=0), end)
        records = [_record(article) for article in _company(http, settings, at, until - timedelta(microseconds=1))]
        inside = [record for record in records if record.get("published_at") is None or at <= record["published_at"] < until]
        yield Heard(name=f"finnhub {settings.symbol} {at:%Y-%m-%d}", rows=articles.frame(inside), until=until)
        at = until


def poll(http: Client, settings: FinnhubSettings, cursor: Mapping[str, Any], now: datetime) -> Heard:
    """News of the company since the day of the last poll, or general news after the last one seen.

    Either way what was published more than an hour before the last poll, or the first, is left out: it was no news any more when
    it was heard. Of a company it can be imported as history.
    """
    since = datetime.fromisoformat(cursor["since"]) if "since" in cursor else now - SETTLED
    going_on = {"since": (now - SETTLED).isoformat()}
    if settings.symbol:
        # Days are the finest that can be asked for.
        found = _company(http, settings, since, now)
        cursor = going_on
    else:
        params: dict[str, str | int] = {"category": "general", "minId": cursor.get("min_id", 0)}
        found = _list(http, "news", params)
        ids = [article["id"] for article in found if isinstance(article, dict) and isinstance(article.get("id"), int)]
        cursor = {"min_id": max([cursor.get("min_id", 0), *ids]), **going_on}
    found = [article for article in found if not _before(article, since)]
    name = f"finnhub {settings.symbol or 'general'} {now:%Y-%m-%dT%H:%M}"
    return Heard(name=name, rows=articles.frame((_record(article) for article in found), live=True), cursor=cursor)


def _before(article: Any, since: datetime) -> bool:
    at = article.get("datetime") if isinstance(article, dict) else None
    return isinstance(at, int) and 0 < at < since.timestamp()


def _company(http: Client, settings: FinnhubSettings, start: datetime, end: datetime) -> list[Any]:
    return _list(http, "company-news", {"symbol": settings.symbol, "from": f"{start:%Y-%m-%d}", "to": f"{end:%Y-%m-%d}"})


def _list(http: Client, path: str, params: Mapping[str, str | int]) -> list[Any]:
    body = http.get(path, params)
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        said = http.masked(body.decode("utf-8", "replace"))[:200]
        raise BadAnswerError(f"Finnhub's answer to {path} is not JSON ({said!r}); run it again, it resumes") from error
    if not isinstance(found, list):
        said = http.masked(str(found))[:200]
        raise BadAnswerError(f"Finnhub answered {path} with no list of news ({said}); run it again, it resumes")
    return found


def _record(article: Any) -> dict[str, Any]:
    if not isinstance(article, dict):
        return articles.refusal(article, "not an object")
    at = article.get("datetime")
    return {
        "source": as_text(article.get("source")),
        "title": as_text(article.get("headline")),
        "body": as_text(article.get("summary")),
        "url": as_text(article.get("url")),
        # 0 where Finnhub does not know it.
        "published_at": datetime.fromtimestamp(at, UTC) if isinstance(at, int) and 0 < at < 2**33 else None,
        "raw": as_json(article),
    }
