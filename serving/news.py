"""GET /news/recent: what was told lately, and how it sounds.

Belongs here: the route, its answer, reading articles and scores. Does not: ordering articles (`streaming`), signals made of them.

Titles are text that strangers wrote: they are given as they are, to be shown as text and never as markup.
"""

from datetime import datetime, timedelta
from typing import Annotated

import msgspec
from litestar import get
from litestar.params import Dependency, Parameter

from serving.problems import BadRequest, Busy, LakeUnavailable, specs
from serving.service import Service
from serving.vectors import READ_ERRORS
from spx_assets.lake import Lake
from spx_assets.sources import feeds

Injected = Annotated[Service, Dependency(skip_validation=True)]
ARTICLE = ("article_id", "revision", "known_at", "published_at", "provider", "source", "title", "url", "language", "duplicate_of")
SCORES = ("article_id", "revision", "instrument", "score", "positive", "negative", "neutral", "confidence", "relevance")
AN_INSTANT = timedelta(microseconds=1)


class ArticleSentiment(msgspec.Struct, frozen=True, kw_only=True):
    """How an article sounds for one instrument."""

    instrument: str
    score: Annotated[float, msgspec.Meta(description="positive - negative, -1 to 1")]
    positive: float
    negative: float
    neutral: float
    confidence: Annotated[float, msgspec.Meta(description="Probability of the likeliest class")]
    relevance: Annotated[float, msgspec.Meta(description="How much it is about the instrument, 0 to 1")]


class NewsArticle(msgspec.Struct, frozen=True, kw_only=True):
    """An article in its newest wording."""

    article_id: str
    revision: int
    known_at: Annotated[datetime, msgspec.Meta(description="From when features know it, UTC")]
    published_at: datetime
    provider: str
    source: str
    title: Annotated[str, msgspec.Meta(description="Text as delivered: show it as text, never as markup")]
    url: Annotated[str | None, msgspec.Meta(description="Address as delivered, http or https; else null")]
    language: str | None
    duplicate_of: Annotated[str | None, msgspec.Meta(description="The first telling of the same story")]
    sentiment: Annotated[list[ArticleSentiment], msgspec.Meta(description="Empty until it is scored")]


class RecentNews(msgspec.Struct, frozen=True, kw_only=True):
    """Articles known in (since, clock], the newest first."""

    clock: Annotated[datetime, msgspec.Meta(description="Now by the feeds' clock, which on standing feeds is after the last bar")]
    since: datetime
    articles: list[NewsArticle]


@get("/news/recent", summary="Recent news", tags=["news"], responses=specs(BadRequest, LakeUnavailable, Busy), raises=[])
async def recent(
    service: Injected,
    limit: Annotated[int, Parameter(description="Most articles, the newest", ge=1, le=200)] = 50,
    hours_back: Annotated[int, Parameter(description="Hours before the feeds' clock", ge=1, le=168)] = 24,
) -> RecentNews:
    """Articles by when they were known, each with how it sounds for every instrument it is scored for."""
    return await service.aside(lambda: _recent(service, limit, hours_back))


def _recent(service: Service, limit: int, hours_back: int) -> RecentNews:
    try:
        lake = Lake.open(service.settings, read_only=True)
        snapshot = lake.snapshot()
        clock = _clock(lake, service.now(), snapshot)
        since = clock - timedelta(hours=hours_back)
        start, end = since + AN_INSTANT, clock + AN_INSTANT
        told = lake.read("bronze.news", start=start, end=end, columns=ARTICLE, snapshot=snapshot)
        told = told.sort("known_at", "article_id", "revision").unique("article_id", keep="last", maintain_order=True).tail(limit)
        scores = lake.read("silver.news_sentiment", start=start, end=end, columns=SCORES, snapshot=snapshot)
    except READ_ERRORS as error:
        raise LakeUnavailable(error) from error
    scored: dict[tuple[str, int], list[ArticleSentiment]] = {}
    for row in scores.join(told, on=("article_id", "revision"), how="semi").sort("instrument").iter_rows(named=True):
        key = row.pop("article_id"), row.pop("revision")
        scored.setdefault(key, []).append(ArticleSentiment(**row))
    articles = [
        NewsArticle(**{**row, "url": _address(row["url"])}, sentiment=scored.get((row["article_id"], row["revision"]), []))
        for row in told.reverse().iter_rows(named=True)
    ]
    return RecentNews(clock=clock, since=since, articles=articles)


def _clock(lake: Lake, now: datetime, snapshot: int) -> datetime:
    """The wall's where some feed is live or there is none, else that of the standing feed that got furthest."""
    bound = feeds.feeds(lake, snapshot=snapshot).values()
    return now if not bound or any(feed.live for feed in bound) else max(feed.end for feed in bound)


def _address(url: str | None) -> str | None:
    return url if url is not None and url.lower().startswith(("http://", "https://")) else None


ROUTES = [recent]
