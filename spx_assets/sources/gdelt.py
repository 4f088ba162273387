"""GDELT DOC 2.0: lists of articles by the quarter of an hour in which GDELT first saw them.

Belongs here: asking for lists in windows small enough to be whole. Does not: landing them (`news`).

GET .../doc/doc?mode=artlist&format=json answers at most 250 articles of [startdatetime, enddatetime], silently cut. GDELT knows
no publication: `seendate`, a multiple of 15 minutes, is when it saw the article, so it stands for both. It asks for one call in
five seconds (blog.gdeltproject.org/gdelt-doc-2-0-api-debuts).
"""

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from spx_assets.settings.news import GdeltSettings
from spx_assets.sources import articles
from spx_assets.sources.articles import MINUTE, Heard, as_json, as_text
from spx_assets.sources.calls import Budget
from spx_assets.sources.errors import BadAnswerError
from spx_assets.sources.http import Client

CAP = 250
STEP = timedelta(minutes=15)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
CHUNK = timedelta(days=1)
# What GDELT has read may be listed an hour later.
SETTLED = timedelta(hours=1)
REMEDY = "correct SPX_NEWS__GDELT__QUERY or SPX_NEWS__GDELT__URL"
_SEEN = "%Y%m%dT%H%M%SZ"
_ASKED = "%Y%m%d%H%M%S"
# Titles come with backslashes that escape nothing; alone here are those that do not begin an escape of JSON.
_BACKSLASH = re.compile(r'\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})?')
_CODES = (
    "Arabic ar Bengali bn Bulgarian bg Catalan ca Chinese zh Croatian hr Czech cs Danish da Dutch nl English en Estonian et "
    "Finnish fi French fr German de Greek el Hebrew he Hindi hi Hungarian hu Indonesian id Italian it Japanese ja Korean ko "
    "Latvian lv Lithuanian lt Macedonian mk Malay ms Norwegian no Persian fa Polish pl Portuguese pt Romanian ro Russian ru "
    "Serbian sr Slovak sk Slovenian sl Spanish es Swedish sv Tamil ta Thai th Turkish tr Ukrainian uk Urdu ur Vietnamese vi"
)
_LANGUAGES = dict(zip(_CODES.split()[::2], _CODES.split()[1::2], strict=True))


def config(settings: GdeltSettings) -> dict[str, Any]:
    """What is asked of GDELT."""
    return {"query": settings.query}


def client(
    settings: GdeltSettings, *, folder: Path, sleep: Callable[[float], None] = time.sleep, backoff_s: float = 5.0
) -> Client:
    """A client that keeps GDELT's pace, over all processes of the home whose cache `folder` is."""
    base, _, _ = settings.url.rpartition("/")
    pace = Budget(folder / "gdelt-calls.json", provider="GDELT", calls=1, window_s=settings.pace_s, sleep=sleep)
    before = pace.take if settings.pace_s else None
    return Client(
        "GDELT",
        base,
        timeout_s=settings.timeout_s,
        backoff_s=backoff_s,
        sleep=sleep,
        remedy=REMEDY,
        before=before,
        busy=_busy,
    )


def history(http: Client, settings: GdeltSettings, start: datetime, end: datetime) -> Iterator[Heard]:
    """Articles seen in [start, end), a day at a time."""
    # GDELT is asked by the second; of an article of the instant itself the fraction would lose the place.
    at = start.replace(microsecond=0)
    while at < end:
        until = min(at + CHUNK, end)
        rows = articles.frame(_window(http, settings, at, until))
        yield Heard(name=f"gdelt {at:%Y-%m-%dT%H:%M} {until:%Y-%m-%dT%H:%M}", rows=rows, until=until)
        at = until


def poll(http: Client, settings: GdeltSettings, cursor: Mapping[str, Any], now: datetime) -> Heard:
    """What has appeared since an hour before the last poll, as lists still grow that long; at first, in the last hour.

    The home sees it only now, so `first_seen_at` is left to be the time of the poll.
    """
    since = datetime.fromisoformat(cursor["since"]) if "since" in cursor else now - SETTLED
    records = [record for heard in history(http, settings, since, now) for record in heard.rows.iter_rows(named=True)]
    rows = articles.frame({**record, "first_seen_at": None, "line": line} for line, record in enumerate(records))
    return Heard(name=f"gdelt {since:%Y-%m-%dT%H:%M}", rows=rows, cursor={"since": (now - SETTLED).isoformat()})


def _window(http: Client, settings: GdeltSettings, start: datetime, end: datetime) -> list[dict[str, Any]]:
    """Records of [start, end): cut at quarters of an hour until none of the parts is, or it holds the articles of one instant."""
    found = _ask(http, settings, start, end)
    if len(found) < CAP:
        return [_record(article) for article in found]
    # Articles lie on quarters of an hour only, and a window need not begin on one.
    first = start + (_EPOCH - start) % STEP
    quarters = -((first - end) // STEP)
    if quarters > 1:
        middle = first + quarters // 2 * STEP
        return [*_window(http, settings, start, middle), *_window(http, settings, middle, end)]
    cut = articles.refusal(
        {"query": settings.query, "from": start.isoformat(), "to": end.isoformat()},
        f"GDELT lists only {CAP} articles of a quarter of an hour; narrow the query to get the others",
    )
    return [*(_record(article) for article in found), cut]


def _ask(http: Client, settings: GdeltSettings, start: datetime, end: datetime) -> list[Any]:
    params: dict[str, str | int] = {
        "query": settings.query,
        "mode": "artlist",
        "format": "json",
        "maxrecords": CAP,
        "sort": "dateasc",
        "startdatetime": f"{start:{_ASKED}}",
        # Both ends belong to the window that GDELT answers.
        "enddatetime": f"{end - timedelta(microseconds=1):{_ASKED}}",
    }
    text = http.get(settings.url.rpartition("/")[2], params).decode("utf-8", "replace").strip()
    try:
        answer = _parsed(text or "{}")
    except (ValueError, RecursionError) as error:
        raise BadAnswerError(
            f"GDELT's answer from {start:%Y-%m-%d %H:%M} is no list of articles ({text[:200]!r}); {REMEDY}, or run it again"
        ) from error
    found = answer.get("articles", []) if isinstance(answer, dict) else None
    if not isinstance(found, list):
        raise BadAnswerError(f"GDELT's answer from {start:%Y-%m-%d %H:%M} holds no list `articles` ({text[:200]!r}); {REMEDY}")
    return found


def _busy(body: bytes) -> str | None:
    """What GDELT says, with status 200, to who asks too often."""
    said = body[:300].decode("utf-8", "replace").strip()
    if "limit requests" not in said.lower():
        return None
    return f"GDELT asks for fewer calls: {said[:200]}; raise SPX_NEWS__GDELT__PACE_S and run it again, it resumes"


def _parsed(text: str) -> Any:
    """The answer, titles with control characters included; mended where a backslash escapes nothing."""
    try:
        return json.loads(text, strict=False)
    except ValueError:
        mended = _BACKSLASH.sub(lambda found: found[0] if len(found[0]) > 1 else r"\\", text)
        return json.loads(mended, strict=False)


def _record(article: Any) -> dict[str, Any]:
    if not isinstance(article, dict):
        return articles.refusal(article, "not an object")
    seen = articles.parse_time(article.get("seendate"), _SEEN)
    return {
        "source": as_text(article.get("domain")),
        "title": as_text(article.get("title")),
        "url": as_text(article.get("url")),
        "language": _LANGUAGES.get(str(article.get("language"))),
        "published_at": seen,
        "first_seen_at": seen,
        # Midnight is one of GDELT's quarters of an hour, not a date.
        "time_precision": MINUTE,
        "raw": as_json(article),
    }
