"""RSS, Atom and Google-News sitemaps: what publishers' feeds list now.

Belongs here: asking only for what changed, from XML to records. Does not: landing them (`news`).

A feed is asked with the ETag and Last-Modified of its last answer; 304 means nothing new. A feed that fails does not keep the
others from being heard. Titles are kept as they read once the XML is undone: markup in them is text.

A feed lists what is days old. When it is heard for the first time, or again after more than an hour, what it published more than
an hour before is no news of that moment and is left out from then on; it can be imported as history.
"""

import calendar
import hashlib
import html
import io
import re
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from datetime import time as clock_time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from spx_assets.settings.news import RssSettings
from spx_assets.sources import articles, news_times, sitemap
from spx_assets.sources.articles import DAY, MINUTE, Heard, as_json, as_text
from spx_assets.sources.errors import BadAnswerError, ProviderError
from spx_assets.sources.http import Client
from spx_assets.sources.news_times import Stamp

REMEDY = "correct SPX_NEWS__RSS__URLS"
# What was published may be listed an hour later.
SETTLED = timedelta(hours=1)
_TAG = re.compile(r"<(?:[a-zA-Z/!][^>]*)>")
_ADDRESS = re.compile(r"https?://\S+")
_ANSWER = {"etag": "If-None-Match", "last-modified": "If-Modified-Since"}


def config(settings: RssSettings) -> dict[str, Any]:
    """The feeds asked, without what may be a key in their addresses."""
    return {"feeds": [shown(url) for url in settings.urls]}


def client(settings: RssSettings, *, folder: Path, sleep: Callable[[float], None] = time.sleep, backoff_s: float = 0.5) -> Client:
    """A client that follows redirects: feeds move."""
    if not settings.urls:
        raise BadAnswerError("no feed is named; set SPX_NEWS__RSS__URLS to a JSON list of addresses")
    headers = {
        "User-Agent": "spx-assets",
        "Accept": "application/rss+xml, application/atom+xml, application/xml, text/xml, */*;q=0.5",
    }
    return Client(
        "The feed",
        "",
        timeout_s=settings.timeout_s,
        headers=headers,
        backoff_s=backoff_s,
        sleep=sleep,
        remedy=REMEDY,
        redirects=True,
    )


def history(http: Client, settings: RssSettings, start: datetime, end: datetime) -> Iterator[Heard]:
    """What the feeds still list of [start, end); they keep no more. Records without a time are among them, refused.

    An entry says what it says since it was last changed, and is known from then.
    """
    heard = _heard(http, settings, {}, end, live=False)
    published = heard.rows["published_at"]
    inside = published.is_null() | ((published >= start) & (published < end))
    yield Heard(name=heard.name, rows=heard.rows.filter(inside), troubles=heard.troubles)


def poll(http: Client, settings: RssSettings, cursor: Mapping[str, Any], now: datetime) -> Heard:
    """What the feeds list, of those that changed since the last poll. ProviderError only if none of them answered."""
    return _heard(http, settings, cursor, now, live=True)


def _heard(http: Client, settings: RssSettings, cursor: Mapping[str, Any], now: datetime, *, live: bool) -> Heard:
    records: list[dict[str, Any]] = []
    states = dict(cursor.get("feeds", {}))
    troubles: list[ProviderError] = []
    for url in settings.urls:
        mark = _mark(url)
        try:
            state = _listening(states.get(mark, {}), now) if live else {}
            found, states[mark] = _feed(http, url, state, live=live)
        except ProviderError as error:
            troubles.append(type(error)(_ADDRESS.sub(lambda found: shown(found[0]), str(error))))
            continue
        records += found
    if len(troubles) == len(settings.urls):
        raise troubles[0]
    return Heard(
        name=f"rss {now:%Y-%m-%dT%H:%M}",
        rows=articles.frame(records, live=live),
        cursor={"feeds": states},
        troubles=tuple(str(error) for error in troubles),
    )


def shown(url: str) -> str:
    """An address without user, password and parameters: any of them may be a key."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}{f':{parts.port}' if parts.port else ''}{parts.path}"


def records(data: bytes, *, url: str, kind: str = "", live: bool = False) -> list[dict[str, Any]]:
    """The articles of a document, as its Content-Type `kind` and its own XML declaration say; BadAnswerError if it is no feed.

    `live`: known from now on, so that neither a midnight nor a change makes them known later.
    """
    if b"<!ENTITY" in data:
        # A few of them, one inside the other, are gigabytes; no feed needs any.
        raise BadAnswerError(f"{shown(url)} defines entities of its own and is not read; {REMEDY}")
    listed = sitemap.records(data, live=live)
    if listed is not None:
        return listed
    # Serving orders simulated articles through the same modules and is installed without it.
    import feedparser

    parsed = feedparser.parse(
        io.BytesIO(data), response_headers={"content-type": kind}, sanitize_html=False, resolve_relative_uris=False
    )
    if not parsed.get("version"):
        start = data[:120].decode("utf-8", "replace")
        raise BadAnswerError(f"{shown(url)} is neither RSS nor Atom nor a news sitemap ({start!r}); {REMEDY}")
    channel = as_text(parsed.feed.get("title")) or urlsplit(url).hostname
    return [_record(entry, channel, parsed.feed.get("language"), live=live) for entry in parsed.entries]


def _feed(http: Client, url: str, state: Mapping[str, str], *, live: bool) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """(records, the state for the next poll) of one feed."""
    asked = {_ANSWER[name]: value for name, value in state.items() if name in _ANSWER}
    answer = http.answer(url, headers=asked)
    if answer.status_code == 304:
        return [], dict(state)
    found = records(answer.content, url=url, kind=answer.headers.get("Content-Type", ""), live=live)
    if "from" in state:
        found = [record for record in found if not _old(record, datetime.fromisoformat(state["from"]))]
    going_on = {name: value for name, value in state.items() if name not in _ANSWER}
    return found, going_on | {name: answer.headers[name] for name in _ANSWER if name in answer.headers}


def _listening(state: Mapping[str, str], now: datetime) -> dict[str, str]:
    """The state of a feed heard `now`: its news are what was published from `from` on."""
    heard = datetime.fromisoformat(state["heard"]) if "heard" in state else now
    begins = state["from"] if "from" in state and now - heard <= SETTLED else (heard - SETTLED).isoformat()
    return {**state, "heard": now.isoformat(), "from": begins}


def _old(record: Mapping[str, Any], begins: datetime) -> bool:
    """Published before `begins`; a date is not before it is over."""
    at = record.get("published_at")
    if at is None:
        return False
    return bool((articles.day_over(at) if record["time_precision"] == DAY else at) < begins)


def _record(entry: Any, channel: str | None, language: str | None, *, live: bool) -> dict[str, Any]:
    named = next((name for name in ("published", "updated", "created") if entry.get(f"{name}_parsed")), None)
    published = _stamp(entry, named, live=live) if named else Stamp(None, DAY, news_times.UNREADABLE)
    changed = _stamp(entry, "updated", live=live) if not live and "updated_parsed" in entry else published
    source = entry.get("source") or {}
    return {
        "source": as_text(source.get("title")) or channel,
        "title": as_text(entry.get("title")),
        "body": _plain(entry.get("summary")),
        "url": as_text(entry.get("link")),
        "language": as_text(language),
        "published_at": published.at,
        "first_seen_at": _later(changed, published),
        "time_precision": published.precision,
        "author": as_text(entry.get("author")),
        "raw": as_json(entry),
        "reason": published.reason,
    }


def _later(changed: Stamp, published: Stamp) -> datetime | None:
    """When the entry was last changed, if that was after its publication; a date is over by then."""
    if not changed.at or not published.at or changed.at <= published.at:
        return None
    return articles.day_over(changed.at) if changed.precision == DAY else changed.at


def _stamp(entry: Any, name: str, *, live: bool) -> Stamp:
    """The instant feedparser read, which knows more forms than `news_times`, unless the entry's own words are a date."""
    at = datetime.fromtimestamp(calendar.timegm(entry[f"{name}_parsed"]), UTC)
    said = news_times.read(entry.get(name), zone=UTC, live=live)
    if said.precision == DAY:
        return said
    midnight = at.time() == clock_time() and not live
    return Stamp(at, DAY if midnight or ":" not in str(entry.get(name)) else MINUTE)


def _plain(text: str | None) -> str | None:
    """A summary as words: its tags gone, its entities undone."""
    return as_text(" ".join(html.unescape(_TAG.sub(" ", text)).split())) if text else None


def _mark(url: str) -> str:
    """Names a feed in the cursor: its address may hold a key."""
    return hashlib.blake2b(url.encode(), digest_size=8).hexdigest()
