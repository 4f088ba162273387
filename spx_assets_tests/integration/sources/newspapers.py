"""Lakes whose news settings point at a press on loopback, and what the press prints.

Belongs here: what the proofs of several providers share. Does not: assertions.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from spx_assets.lake.connection import Lake
from spx_assets.settings.news import NewsSettings
from spx_assets.sources import news, news_feeds
from spx_assets.sources.http import Client
from spx_assets_tests.integration.sources.press import KEY, TOKEN, Press

MONDAY = datetime(2024, 1, 8, 15, tzinfo=UTC)
HOUR = timedelta(hours=1)
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
# How long the clients would have waited.
WAITS: list[float] = []


def subscribed(lake: Lake, press: Press, *, bodies: bool = False, **news: dict[str, Any]) -> Lake:
    """The same lake, its providers on the press; `news` are further settings by provider."""
    known: dict[str, dict[str, Any]] = {
        "gdelt": {"url": f"{press.url}/api/v2/doc/doc", "pace_s": 0},
        "alphavantage": {"url": f"{press.url}/query", "key": KEY},
        "finnhub": {"url": f"{press.url}/api/v1", "token": TOKEN, "symbol": "AAPL"},
        "rss": {"urls": [f"{press.url}/feed.xml"]},
    }
    given = {name: {**settings, **news.get(name, {})} for name, settings in known.items()}
    return Lake(lake.settings.model_copy(update={"news": NewsSettings(bodies=bodies, **given)}))


def seen(number: int, *, minutes: int = 0, **fields: Any) -> dict[str, Any]:
    """One article as GDELT lists it."""
    return {
        "url": f"https://paper.example/{number}",
        "url_mobile": "",
        "title": f"Story {number}",
        "seendate": f"{MONDAY + timedelta(minutes=minutes):%Y%m%dT%H%M%SZ}",
        "socialimage": "",
        "domain": "paper.example",
        "language": "English",
        "sourcecountry": "United States",
        **fields,
    }


def landed(lake: Lake) -> pl.DataFrame:
    """All records of the lake, refused ones too, in the order they came."""
    good, refused = news_feeds.articles(lake, datetime(2010, 1, 4, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC))
    return pl.concat([good, refused]).sort("position", "line")


def client(lake: Lake, provider: str) -> Client:
    """The provider's own client, which notes how long it would have waited."""
    folder, settings = lake.settings.home / "cache", getattr(lake.settings.news, provider)
    return news.PROVIDERS[provider].client(settings, folder=folder, sleep=WAITS.append, backoff_s=0.01)  # type: ignore[call-arg]


def download(lake: Lake, provider: str, start: datetime, end: datetime) -> news.LandingReport:
    return news.download(lake, provider, start, end, http=client(lake, provider), now=NOW)
