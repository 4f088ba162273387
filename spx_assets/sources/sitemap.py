"""Google-News sitemaps: the only feed that some publishers keep.

Belongs here: from a `urlset` to records of articles. Does not: asking for it (`rss`).

Each `url` has a `loc` and a `news:news` with publication (name, language), publication_date (W3C, a date alone allowed) and title
(developers.google.com/search/docs/crawling-indexing/sitemaps/news-sitemap).
"""

from typing import Any
from xml.etree import ElementTree

from spx_assets.sources import articles, news_times
from spx_assets.sources.articles import as_json, as_text

_SITEMAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
_NEWS = "{http://www.google.com/schemas/sitemap-news/0.9}"


def records(data: bytes, *, live: bool = False) -> list[dict[str, Any]] | None:
    """The articles of a news sitemap, polled or of an archive; None if the document is none."""
    try:
        root = ElementTree.fromstring(data)
    except ElementTree.ParseError:
        return None
    return [_record(url, live=live) for url in root.iter(f"{_SITEMAP}url")] if root.tag == f"{_SITEMAP}urlset" else None


def _record(url: ElementTree.Element, *, live: bool) -> dict[str, Any]:
    said = {element.tag.rpartition("}")[2]: element.text or "" for element in url.iter() if (element.text or "").strip()}
    raw = as_json(said)
    if url.find(f"{_NEWS}news") is None:
        return articles.refusal(raw, "an address without news")
    stamp = news_times.read(said.get("publication_date"), live=live)
    return {
        "source": as_text(said.get("name")),
        "title": as_text(said.get("title")),
        "url": as_text(said.get("loc")),
        "language": as_text(said.get("language")),
        "published_at": stamp.at,
        "time_precision": stamp.precision,
        "raw": raw,
        "reason": stamp.reason,
    }
