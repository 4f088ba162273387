"""Texts of articles from their own pages, for those who ask for them.

Belongs here: asking a page where robots.txt allows it, its text by trafilatura. Does not: choosing the articles (`news`).

RFC 9309: a site without robots.txt allows everything, one whose robots.txt cannot be had allows nothing. A page that cannot be
had leaves the article as its provider gave it. Pages over 5 MB are no articles.
"""

import logging
import time
from collections.abc import Callable, Iterable
from urllib.parse import urlsplit
from urllib.robotparser import RobotFileParser

import polars as pl

from spx_assets.sources.errors import NotFoundError, ProviderError
from spx_assets.sources.http import Client

AGENT = "spx-assets"
LARGEST = 5_000_000
# Between two pages of one site, where its robots.txt asks for no longer wait.
PAUSE_S = 1.0
_log = logging.getLogger(__name__)


class Pages:
    """Pages of many sites, each asked as its robots.txt says."""

    def __init__(
        self,
        *,
        timeout_s: float = 20.0,
        pause_s: float = PAUSE_S,
        sleep: Callable[[float], None] = time.sleep,
        backoff_s: float = 0.5,
    ) -> None:
        self._http = Client(
            "The page", "", timeout_s=timeout_s, headers={"User-Agent": AGENT}, backoff_s=backoff_s, sleep=sleep, redirects=True
        )
        self._pause_s, self._sleep = pause_s, sleep
        self._rules: dict[str, RobotFileParser] = {}
        self._asked: dict[str, float] = {}

    def texts(self, addresses: Iterable[str | None]) -> list[str | None]:
        """The text of each page; None where there is none to be had."""
        with self._http:
            return [self._text(address) if address else None for address in addresses]

    def _text(self, address: str) -> str | None:
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            return None
        site = f"{parts.scheme}://{parts.netloc}"
        rules = self._robots(site)
        if not rules.can_fetch(AGENT, address):
            return None
        wait = self._asked.get(site, 0.0) + float(rules.crawl_delay(AGENT) or self._pause_s) - time.monotonic()
        if site in self._asked and wait > 0:
            self._sleep(wait)
        self._asked[site] = time.monotonic()
        try:
            answer = self._http.answer(address)
        except ProviderError as error:
            _log.warning("no text of %s: %s", address, type(error).__name__)
            return None
        kind = answer.headers.get("Content-Type", "text/html")
        if len(answer.content) > LARGEST or not kind.startswith(("text/html", "application/xhtml")):
            return None
        # 0.4 s to import, and only this setting needs it.
        import trafilatura

        text: str | None = trafilatura.extract(answer.content, url=address, include_comments=False, include_tables=False)
        return text

    def _robots(self, site: str) -> RobotFileParser:
        if site not in self._rules:
            rules = RobotFileParser()
            try:
                rules.parse(self._http.get(f"{site}/robots.txt").decode("utf-8", "replace").splitlines())
            except NotFoundError:
                rules.parse([])
            except ProviderError as error:
                _log.warning("pages of %s are left alone: its robots.txt was not to be had (%s)", site, type(error).__name__)
                rules.parse(["User-agent: *", "Disallow: /"])
            self._rules[site] = rules
        return self._rules[site]


def with_bodies(rows: pl.DataFrame, pages: Pages) -> pl.DataFrame:
    """Articles with the text of their page as body, where there is one; refused rows as they are."""
    wanted = pl.when(pl.col("reason").is_null()).then(pl.col("url"))
    texts = pl.Series("text", pages.texts(rows.select(wanted)["url"]), dtype=pl.String)
    return rows.with_columns(body=pl.coalesce(texts, pl.col("body")))
