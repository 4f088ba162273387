"""Texts of articles from their pages, against a site with a robots.txt."""

from datetime import timedelta

import pytest

from spx_assets.lake.connection import Lake
from spx_assets.sources import bodies, news
from spx_assets_tests.integration.sources.newspapers import MONDAY, landed, subscribed
from spx_assets_tests.integration.sources.press import Press
from spx_assets_tests.integration.sources.test_rss import XML, feed

TEXT = "Stocks rose on Monday as investors weighed fresh data on inflation and the outlook for interest rates this year. "
PAGE = f"<html><head><title>T</title></head><body><nav>Menu</nav><article><p>{TEXT * 3}</p></article></body></html>".encode()
ROBOTS = b"User-agent: *\nDisallow: /private\nCrawl-delay: 7\n"


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def pages(waits: list[float]) -> bodies.Pages:
    return bodies.Pages(sleep=waits.append, backoff_s=0.01)


def test_pages_are_asked_as_robots_txt_says(press: Press, pages: bodies.Pages, waits: list[float]) -> None:
    press.pages |= {"/robots.txt": (ROBOTS, "text/plain"), "/a": (PAGE, "text/html"), "/private/b": (PAGE, "text/html")}
    press.pages["/c.pdf"] = b"%PDF", "application/pdf"
    asked = [f"{press.url}{path}" for path in ("/a", "/private/b", "/c.pdf", "/gone")]
    texts = pages.texts([*asked, None, "file:///etc/passwd", "mailto:a@b"])
    assert texts[0] is not None
    assert texts[0].startswith(TEXT.strip())
    assert "Menu" not in texts[0]
    assert texts[1:] == [None] * 6
    assert press.asked == ["/robots.txt", "/a", "/c.pdf", "/gone"]
    assert len(waits) == 2
    assert all(4.0 < wait <= 7.0 for wait in waits)


def test_a_site_without_robots_txt_allows_all_and_one_that_cannot_say_allows_nothing(press: Press, pages: bodies.Pages) -> None:
    press.pages["/a"] = PAGE, "text/html"
    assert pages.texts([f"{press.url}/a"])[0]
    press.faults.extend([503] * 6)
    press.asked.clear()
    assert bodies.Pages(sleep=lambda _: None, backoff_s=0.01).texts([f"{press.url}/a"]) == [None]
    assert press.asked == ["/robots.txt"] * 6


def test_bodies_come_with_new_articles_only_when_asked_for(news_lake: Lake, press: Press) -> None:
    stories = [
        f"<title>S {n}</title><link>{press.url}/{n}</link><pubDate>Mon, 08 Jan 2024 14:50:00 GMT</pubDate>" for n in (1, 2)
    ]
    press.pages |= {"/1": (PAGE, "text/html"), "/2": (PAGE, "text/html"), "/feed.xml": (feed(stories[0]), XML)}
    press.pages["/robots.txt"] = b"", "text/plain"
    asking, silent = subscribed(news_lake, press, bodies=True), subscribed(news_lake, press)
    news.poll(asking, "rss", now=MONDAY)
    press.pages["/feed.xml"] = feed(*stories), XML
    assert "/1" in press.asked
    press.asked.clear()
    # The article is the same although its body was filled since: nothing is landed and no page asked again.
    assert news.poll(silent, "rss", now=MONDAY + timedelta(minutes=1)).landed == 1  # type: ignore[union-attr]
    assert press.asked == ["/feed.xml"]
    assert [bool(body) for body in landed(asking)["body"]] == [True, False]
